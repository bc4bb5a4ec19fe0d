/**
 * What a page with a sidebar offers to the views in its cells. The JupyterLab extension puts it
 * on the page; other hosts have none.
 */

/** A view that may move: which feed it shows, and how. */
export interface Movable {
  /** The model id of its feed. */
  readonly feed: string;
  readonly layout: "dashboard" | "strip" | "charts";
  readonly metrics: readonly string[] | null;
  readonly title: string;
}

export interface Sidebar {
  /** The feed whose view has moved there; null for none. */
  readonly feed: string | null;
  /** Shows a view there; the cell keeps one line with a way back. */
  take(view: Movable): void;
  /** Brings it to the front, with the view that has moved there; not every host can. */
  reveal?(): void;
  /** The view returns to its cell. */
  giveBack(): void;
  /** Calls `changed` whenever `feed` is another, until the result is called. */
  subscribe(changed: () => void): () => void;
}

const SIDEBAR = Symbol.for("pulse_widgets.sidebar");
/** Tells the views, of whatever bundle, that `sidebarOfPage` answers otherwise. */
const OFFERED = "pulse_widgets.sidebar";

type Page = Record<symbol, Sidebar | undefined>;

/** The sidebar of this page, if it has one. */
export function sidebarOfPage(): Sidebar | null {
  return (globalThis as unknown as Page)[SIDEBAR] ?? null;
}

/** Offer a sidebar to the views of this page; null takes it back. */
export function offerSidebar(sidebar: Sidebar | null): void {
  (globalThis as unknown as Page)[SIDEBAR] = sidebar ?? undefined;
  globalThis.dispatchEvent?.(new Event(OFFERED));
}

/** Calls `changed` whenever there is another sidebar, or it shows another feed. */
export function watchSidebar(changed: () => void): () => void {
  let leave = sidebarOfPage()?.subscribe(changed);
  const offered = () => {
    leave?.();
    leave = sidebarOfPage()?.subscribe(changed);
    changed();
  };
  globalThis.addEventListener(OFFERED, offered);
  return () => {
    leave?.();
    globalThis.removeEventListener(OFFERED, offered);
  };
}
