/** What a section has beyond charts: tools in its heading, and a say in which charts it shows. */

import type { Panel } from "../charts/groups";
import type { Source } from "../source";
import type { Memory } from "./remembered";
import type { Axis } from "./view-state";

export interface SectionExtras {
  /** Stands in the heading of the section while it is open. */
  readonly tools: HTMLElement;
  /** The panels to show, in order. Called whenever the board is laid out. */
  choose(panels: readonly Panel[]): readonly Panel[];
  /** All that was chosen is shown, not only a first row: something is being searched for. */
  whole?(): boolean;
  /** So many of the chosen are shown at most; `below` leads to the others. */
  most?(): number;
  /**
   * What stands in the grid for the charts shown, in order: they themselves, and headings between
   * them. `open`: more than a first row is shown. Called whenever the board is laid out.
   */
  arrange?(charts: readonly HTMLElement[], open: boolean): readonly HTMLElement[];
  /** How many of the first `count` charts stand together before each heading between them. */
  blocks?(count: number, open: boolean): readonly number[];
  /** Stands below the charts. */
  readonly below?: HTMLElement;
  /** Whether there is something below also where there are no charts. */
  lasts?(): boolean;
  /** Write what changes with time; called at most a few times a second. */
  tell?(): void;
  /** Stands in the section while it has nothing to draw: what to do to get something. */
  readonly hint?: HTMLElement | undefined;
  /** Brings the keyboard to the first of the tools. */
  focus?(): void;
}

/** What extras may see and change of their view. */
export interface SectionContext {
  readonly source: Source;
  /** Pins and smoothing are kept in here; the scene of the charts is made of it. */
  readonly memory: Memory;
  /** The x axis of the user's own charts. */
  readonly axis: {
    now(): Axis;
    choose(axis: Axis): void;
    /** Those there are. */
    all(): readonly Axis[];
  };
  /** Choose again and draw again: something has changed that `choose` or a chart depends on. */
  changed(): void;
}
