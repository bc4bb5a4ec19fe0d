/** The charts on the page: made when they are first needed, drawn only while they are in sight. */

import { chartKindOf } from "../charts/chart-kinds";
import type { Panel } from "../charts/groups";
import type { ChartEvents, Place, View } from "../charts/panel-view";

interface Slot {
  readonly view: View;
  readonly panel: Panel;
  readonly signature: string;
}

export class Slots {
  readonly #events: ChartEvents;
  readonly #appeared: () => void;
  readonly #slots = new Map<string, Slot>();
  readonly #watched = new Map<Element, View>();
  readonly #seen: IntersectionObserver;
  readonly #sizes: ResizeObserver;

  constructor(events: ChartEvents, appeared: () => void) {
    this.#events = events;
    this.#appeared = appeared;
    this.#seen = new IntersectionObserver((entries) => this.#intersect(entries), {
      rootMargin: "80px",
    });
    this.#sizes = new ResizeObserver((entries) => this.#resize(entries));
  }

  /** Charts that are on screen, and what else is watched. */
  get views(): View[] {
    return [...this.#watched.values()].filter((view) => view.seen);
  }

  /** Ids of all series that have a chart, on screen or not. */
  get ids(): number[] {
    return [...this.#slots.values()].flatMap(({ panel }) => panel.lines.map(({ id }) => id));
  }

  /** The scene has changed: what is out of sight is not drawn now, but when it appears. */
  ageUnseen(): void {
    for (const view of this.#watched.values()) view.stale ||= !view.seen;
  }

  watch(view: View): void {
    this.#watched.set(view.el, view);
    this.#seen.observe(view.el);
    this.#sizes.observe(view.el);
  }

  /** The chart of a panel; a new one when its lines or its place are others than before. */
  view(panel: Panel, place: Place): View {
    const kind = chartKindOf(panel);
    const lines = panel.lines.map((line) => `${line.id}:${line.label}`).join();
    const signature = `${kind.name} ${place.byStep} ${place.axis} ${lines}`;
    const slot = this.#slots.get(panel.key);
    if (slot?.signature === signature) return slot.view;
    if (slot?.view.take && chartKindOf(slot.panel) === kind) {
      slot.view.take(panel);
      this.#slots.set(panel.key, { ...slot, panel, signature });
      return slot.view;
    }
    const view = kind.make(panel, this.#events, place);
    if (slot) {
      slot.view.el.replaceWith(view.el);
      this.#forget(slot.view);
    }
    this.#slots.set(panel.key, { view, panel, signature });
    this.watch(view);
    return view;
  }

  /** Leave only the charts of these panels. */
  keep(shown: ReadonlySet<string>): void {
    for (const [key, { view }] of this.#slots) {
      if (shown.has(key)) continue;
      this.#forget(view);
      this.#slots.delete(key);
    }
  }

  destroy(): void {
    this.#seen.disconnect();
    this.#sizes.disconnect();
    for (const { view } of this.#slots.values()) view.destroy();
  }

  #forget(view: View): void {
    this.#seen.unobserve(view.el);
    this.#sizes.unobserve(view.el);
    this.#watched.delete(view.el);
    view.destroy();
  }

  #intersect(entries: readonly IntersectionObserverEntry[]): void {
    let appeared = false;
    for (const entry of entries) {
      const view = this.#watched.get(entry.target);
      if (!view) continue;
      view.seen = entry.isIntersecting;
      appeared ||= view.seen && view.stale;
    }
    if (appeared) this.#appeared();
  }

  #resize(entries: readonly ResizeObserverEntry[]): void {
    for (const entry of entries) {
      const view = this.#watched.get(entry.target);
      view?.resize();
      if (view) view.stale = true;
    }
    this.#appeared();
  }
}
