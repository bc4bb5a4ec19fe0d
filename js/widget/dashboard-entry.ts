/** The dashboard bundle: travels in `Feed.code`, imported once per page by the loader. */
import type { AnyModel } from "@anywidget/types";
import { VIEW_CLASS } from "../core/dashboard/styles";
import { storeOf } from "./feed-store";
import { mountMovable } from "./movable-view";

interface RenderContext {
  /** The Monitor: kind, metrics, title. */
  model: AnyModel;
  feed: AnyModel;
  /** The feed's model id. */
  id: string;
  el: HTMLElement;
}

export interface DashboardModule {
  render(context: RenderContext): () => void;
}

/** Draw a live view into `el`; the result takes it away again and keeps the history. */
export function render({ model, feed, id, el }: RenderContext): () => void {
  const source = storeOf(feed, id);
  el.replaceChildren();
  el.classList.add(VIEW_CLASS);
  if (source.problem) {
    el.textContent = `Pulse: ${source.problem}`;
    return () => el.replaceChildren();
  }
  const leave = source.attach();
  const manner = {
    layout: model.get("kind") ?? "dashboard",
    metrics: model.get("metrics") ?? null,
    title: model.get("title") ?? "",
    page: location.pathname,
    settled: true,
  };
  const unmount = mountMovable(el, source, manner, id);
  return () => {
    unmount();
    leave();
  };
}
