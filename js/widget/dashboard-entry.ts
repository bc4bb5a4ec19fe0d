/** The dashboard bundle: travels in `Feed.code`, imported once per page by the loader. */
import type { AnyModel } from "@anywidget/types";

export interface RenderContext {
  /** The Monitor: layout, metrics, title. */
  model: AnyModel;
  feed: AnyModel;
  /** The feed's model id. */
  id: string;
  el: HTMLElement;
  signal?: AbortSignal | undefined;
}

export interface DashboardModule {
  render(context: RenderContext): () => void;
}

export function render({ el }: RenderContext): () => void {
  el.textContent = "Pulse";
  return () => el.replaceChildren();
}
