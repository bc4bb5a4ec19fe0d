/** All that stands around the charts, in words: header, cards or strip, notices, footer. */

import type { Group } from "../charts/groups";
import { h } from "../dom";
import type { Source } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import type { Ground } from "../vocabulary/palette";
import { endingCards, writeCards } from "./cards";
import { Footer } from "./footer";
import type { LegendEvents } from "./gpu-cards";
import { isHidden } from "./legend-keys";
import { Overview } from "./overview";
import type { Readings } from "./readings";
import { statusOf } from "./status";
import { Strip } from "./strip";
import { type HostAction, Toolbar, type ToolbarEvents } from "./toolbar";
import type { ViewState } from "./view-state";

/** How a view shows its source. */
export interface Manner {
  readonly layout: "dashboard" | "strip" | "charts";
  /** Globs of metric names to show; null shows all. */
  readonly metrics: readonly string[] | null;
  readonly title: string;
  /** Whose choices the page remembers, beside those of each replayed recording: the notebook. */
  readonly page?: string;
  /** Whether a card tells that the kernel has ended, and what helps; false where the host does. */
  readonly endings?: boolean;
  /** What the host offers to do with the view, at the end of the header. */
  readonly actions?: readonly HostAction[];
  /** Keep room for cells and marks at first: what stands below a cell should not move. */
  readonly settled?: boolean;
}

/** What values are written from. */
export interface Values {
  readonly readings: Readings;
  readonly groups: readonly Group[];
  readonly hidden: ReadonlySet<string>;
  /** Key of a GPU to those of its lines. */
  readonly lines: ReadonlyMap<string, readonly string[]>;
  readonly range: AxisRange;
  readonly ground: Ground;
}

export class Surroundings {
  readonly #manner: Manner;
  readonly #toolbar: Toolbar;
  /** Cards shown in every layout: that the kernel has ended. */
  readonly #notices = h("div", { class: "pulse-cards pulse-ending" });
  readonly #overview: Overview;
  readonly #strip = new Strip();
  readonly footer = new Footer();
  /** Above the charts, and below them. */
  readonly above: readonly HTMLElement[];
  readonly below: readonly HTMLElement[];

  constructor(manner: Manner, events: LegendEvents & ToolbarEvents) {
    this.#manner = manner;
    this.#toolbar = new Toolbar(events, manner.actions);
    this.#overview = new Overview(events, this.#toolbar.news);
    const { layout } = manner;
    const summary = { strip: [this.#strip.el], dashboard: [this.#overview.el], charts: [] }[layout];
    this.above = [this.#toolbar.el, this.#notices, ...summary];
    this.below = layout === "dashboard" ? [this.footer.el] : [];
  }

  destroy(): void {
    this.#toolbar.destroy();
  }

  /** Write the status; returns whether what is shown may be out of date. */
  tell(source: Source, state: ViewState, silent: number): boolean {
    const { layout, metrics, title, endings } = this.#manner;
    if (endings !== false) writeCards(this.#notices, endingCards(source));
    this.footer.update(source, silent);
    const status = statusOf(source, state, silent, title);
    const sections = layout === "dashboard" && !metrics?.length;
    this.#toolbar.update({ ...status, sections }, state);
    return status.stale;
  }

  tellValues({ readings, groups, hidden, lines, range, ground }: Values): void {
    const { layout, metrics } = this.#manner;
    if (layout === "dashboard") {
      this.#overview.update(readings, (gpu) => isHidden(gpu, hidden, lines), ground, range[0]);
    }
    if (layout !== "strip") return;
    if (metrics?.length) this.#strip.updateChosen({ groups, metrics }, readings, range, ground);
    else this.#strip.update(readings, ground);
  }
}
