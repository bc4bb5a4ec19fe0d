/** A recording that has been opened, wherever its rows lie. */

import type { Catalog } from "./catalog";
import type { Columns, Extent, SeriesKey } from "./columns";
import type { Envelopes } from "./envelopes";
import type { Json } from "./json";
import type { Price } from "./limits";

export interface Run {
  readonly id: string;
  /** Microseconds since the epoch. */
  readonly start: number;
  readonly about: Json;
}

export interface Want {
  /** Microseconds: rows with since <= time < end, the row before them, and perhaps some more. */
  readonly since?: number;
  readonly end?: number;
  /** So many of the newest rows are enough. */
  readonly newest?: number;
  /** Whether texts are wanted, which replace the steps. */
  readonly texts?: boolean;
}

/** Series are known by their number, which is their place among `keys`. */
export interface Stored {
  /** Its name or path. */
  readonly name: string;
  readonly bytes: number;
  readonly run: Run;
  readonly catalog: Catalog;
  /** Every series that has rows. */
  readonly keys: readonly SeriesKey[];
  readonly extents: readonly Extent[];
  /** Numbers in the order in which a page knows their series already; without it by their names. */
  readonly order?: readonly number[];
  /** A session is still writing it. */
  readonly running: boolean;
  /** What is missing, was dropped or could not be read so far, in sentences. */
  readonly problems: readonly string[];
  /** What reading these series fetches, at most; nothing when all is at hand. */
  cost(numbers: readonly number[], want: Want): Price;
  /**
   * Hand over the rows of some series, one series after the other.
   *
   * @throws RecordingError when they cannot be fetched. Damaged rows are left out, and told.
   */
  read(
    numbers: readonly number[],
    want: Want,
    each: (number: number, columns: Columns) => void,
  ): Promise<void>;
  /** What sums the rows up; null where nothing does, or nothing that can be believed. */
  overview(): Promise<Summary | null>;
}

export interface Summary {
  /** Rows of a full block of the coarsest level with at least `enough` blocks, else the finest. */
  sizeFor(rows: number, enough: number): number | null;
  /** Rows of a full block of every level, finest first. */
  readonly sizes: readonly number[];
  /** What these blocks fetch. */
  cost(size: number, numbers: readonly number[]): Price;
  /** The blocks of each series that has any, in the level that is wanted or the next finer one. */
  level(
    wanted: ReadonlyMap<number, { readonly extent: Extent; readonly size: number }>,
  ): Promise<Map<number, Envelopes>>;
}
