/** A view in a cell, which may move to the sidebar of the page and back. */

import { mountDashboard } from "../core/dashboard/dashboard";
import { mountMovedLine } from "../core/dashboard/moved-line";
import type { Manner } from "../core/dashboard/surroundings";
import { type Movable, sidebarOfPage, watchSidebar } from "../core/sidebar";
import type { Source } from "../core/source";

/** What was moved last of each feed: a sidebar says only whose view it shows. */
const moved = new Map<string, Movable>();

/**
 * Whether a view stands in the sidebar: one of the same feed that looks the same was moved there.
 * After a reload nobody knows which it was; then it counts as the whole dashboard. Pure.
 */
export function isMoved(view: Movable, feed: string | null, last: Movable | undefined): boolean {
  if (feed !== view.feed || view.layout === "strip") return false;
  const { layout, metrics } = last ?? { layout: "dashboard", metrics: null };
  return layout === view.layout && namesOf(metrics) === namesOf(view.metrics);
}

function namesOf(metrics: readonly string[] | null): string {
  return JSON.stringify(metrics?.length ? metrics : null);
}

/** Show `source` in `el`, or where its view has gone; the result takes it away. */
export function mountMovable(
  el: HTMLElement,
  source: Source,
  manner: Manner,
  feed: string,
): () => void {
  const { layout, metrics, title } = manner;
  if (layout === "strip") return mountDashboard(el, source, manner);
  const view: Movable = { feed, layout, metrics, title };
  const actions = [...(manner.actions ?? []), moveOf(view, source)];
  let away: boolean | null = null;
  let unmount = () => {};
  const follow = () => {
    const now = isMoved(view, sidebarOfPage()?.feed ?? null, moved.get(feed));
    if (now === away) return;
    // The keyboard goes on where it was, as far as there is such a place.
    const focused = away !== null && el.contains(activeIn(el));
    away = now;
    unmount();
    unmount = now
      ? mountMovedLine(el, () => sidebarOfPage()?.giveBack(), revealOfPage())
      : mountDashboard(el, source, { ...manner, actions });
    if (focused) focusIn(el, now);
  };
  follow();
  const leave = watchSidebar(follow);
  return () => {
    leave();
    unmount();
  };
}

function revealOfPage(): (() => void) | null {
  return sidebarOfPage()?.reveal ? () => sidebarOfPage()?.reveal?.() : null;
}

/** A view moves while there is something to follow; what has ended stays where it was made. */
function moveOf(view: Movable, source: Source) {
  const isLive = () => source.state().phase === "running" && !source.ended?.();
  return {
    label: "Move to sidebar",
    title: "Show this in the sidebar; the cell keeps a line with a way back",
    available: {
      now: () => sidebarOfPage() !== null && isLive(),
      subscribe: (changed: () => void) => {
        const leave = [
          watchSidebar(changed),
          source.subscribe((change) => {
            if (change.state) changed();
          }),
        ];
        return () => {
          for (const one of leave) one();
        };
      },
    },
    run: () => {
      moved.set(view.feed, view);
      sidebarOfPage()?.take(view);
    },
  };
}

function activeIn(el: HTMLElement): Element | null {
  return (el.getRootNode() as Document | ShadowRoot).activeElement;
}

function focusIn(el: HTMLElement, moved: boolean): void {
  el.querySelector<HTMLElement>(moved ? "button" : ".pulse")?.focus({ preventScroll: true });
}
