/** What a section has beyond charts: tools in its heading, and a say in which charts it shows. */

import type { Panel } from "../charts/groups";
import type { Source } from "../source";
import type { Memory } from "./remembered";

export interface SectionExtras {
  /** Stands in the heading of the section while it is open. */
  readonly tools: HTMLElement;
  /** The panels to show, in order. Called whenever the board is laid out. */
  choose(panels: readonly Panel[]): readonly Panel[];
  /** All that was chosen is shown, not only a first row: something is being searched for. */
  whole?(): boolean;
  /** Stands in the section while it has nothing to draw: what to do to get something. */
  readonly hint?: HTMLElement;
}

/** What extras may see and change of their view. */
export interface SectionContext {
  readonly source: Source;
  /** Pins, smoothing and axis are kept in here; the scene of the charts is made of it. */
  memory(): Memory;
  /** Choose again and draw again: something has changed that `choose` or a chart depends on. */
  changed(): void;
}

/** Title of a group to what makes its extras, once a view. */
export const SECTION_EXTRAS: ReadonlyMap<string, (context: SectionContext) => SectionExtras> =
  new Map();
