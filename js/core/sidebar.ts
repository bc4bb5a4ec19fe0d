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
  /** The view returns to its cell. */
  giveBack(): void;
  /** Calls `changed` whenever `feed` is another, until the result is called. */
  subscribe(changed: () => void): () => void;
}

const SIDEBAR = Symbol.for("pulse_widgets.sidebar");

type Page = Record<symbol, Sidebar | undefined>;

/** The sidebar of this page, if it has one. */
export function sidebarOfPage(): Sidebar | null {
  return (globalThis as unknown as Page)[SIDEBAR] ?? null;
}

/** Offer a sidebar to the views of this page. */
export function offerSidebar(sidebar: Sidebar): void {
  (globalThis as unknown as Page)[SIDEBAR] = sidebar;
}
