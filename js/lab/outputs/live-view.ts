/** Finds the live widget of an output; it may exist only later, or never again. */

import type { ISessionContext } from "@jupyterlab/apputils";
import type { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import type { Panel, Widget } from "@lumino/widgets";

export const WIDGET_MIME = "application/vnd.jupyter.widget-view+json";

const FIRST_PATIENCE_MS = 500;
const MOST_PATIENCE_MS = 60_000;

type Outcome = "live" | "gone" | "later";

/** What drawing a widget needs of the notebook around it. */
export interface Host {
  readonly rendermime: IRenderMimeRegistry;
  readonly sessionContext: ISessionContext;
}

/**
 * Add the live widget to `panel`, hidden until it draws. Resolves with it, or with null when it
 * no longer exists or `signal` is aborted.
 *
 * A widget renderer made before the notebook has its widget manager never draws, so there are
 * several attempts, each more patient than the one before.
 */
export async function findLiveView(
  panel: Panel,
  host: Host,
  model: IRenderMime.IMimeModel,
  signal: AbortSignal,
): Promise<Widget | null> {
  await host.sessionContext.ready;
  let patience = FIRST_PATIENCE_MS;
  while (!signal.aborted && host.sessionContext.session) {
    const renderer = host.rendermime.createRenderer(WIDGET_MIME);
    renderer.hide();
    panel.addWidget(renderer);
    const outcome = await attempt(renderer, model, patience, signal);
    if (outcome === "live") return renderer;
    renderer.dispose();
    if (outcome === "gone") return null;
    patience = Math.min(patience * 2, MOST_PATIENCE_MS);
  }
  return null;
}

function attempt(
  renderer: IRenderMime.IRenderer,
  model: IRenderMime.IMimeModel,
  patience: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const { node } = renderer;
  return new Promise((resolve) => {
    const end = (outcome: Outcome) => {
      observer.disconnect();
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      resolve(outcome);
    };
    const stop = () => end("later");
    const observer = new MutationObserver(() => {
      const outcome = outcomeOf(node);
      if (outcome !== "later") end(outcome);
    });
    const timer = setTimeout(stop, patience);
    signal.addEventListener("abort", stop);
    observer.observe(node, { childList: true, subtree: true, characterData: true });
    renderer.renderModel(model).catch(() => end("gone"));
  });
}

/** What a widget's element says about the widget. */
export function outcomeOf(node: HTMLElement): Outcome {
  if (node.querySelector(".pulse")) return "live";
  const text = node.textContent ?? "";
  return /^(Error displaying|Pulse cannot)/.test(text) ? "gone" : "later";
}

/** Call `left` when a widget that drew has gone, as happens when its kernel closes it. */
export function onLeave(view: Widget, left: () => void): void {
  const observer = new MutationObserver(() => {
    if (view.node.querySelector(".pulse")) return;
    observer.disconnect();
    left();
  });
  observer.observe(view.node, { childList: true, subtree: true });
  view.disposed.connect(() => observer.disconnect());
}
