/** A recording of which all rows are at hand. */

import type { Catalog } from "./catalog";
import { type Columns, cut, type Extent, lowerBound, type SeriesKey } from "./columns";
import type { Price } from "./limits";
import type { Run, Stored, Summary, Want } from "./stored";
import { Turns } from "./turns";

export interface HeldSeries {
  readonly key: SeriesKey;
  /** At least one row. */
  readonly columns: Columns;
}

export interface AboutHeld {
  readonly name: string;
  readonly bytes: number;
  readonly run: Run;
  readonly catalog: Catalog;
  readonly problems: readonly string[];
  readonly running: boolean;
}

/** Series are in order of their keys, and so are the infos of the catalog. */
export class HeldRows implements Stored {
  readonly name: string;
  readonly bytes: number;
  readonly run: Run;
  readonly catalog: Catalog;
  readonly keys: readonly SeriesKey[];
  readonly extents: readonly Extent[];
  readonly problems: readonly string[];
  readonly running: boolean;
  readonly #held: readonly HeldSeries[];

  constructor(about: AboutHeld, held: readonly HeldSeries[]) {
    this.name = about.name;
    this.bytes = about.bytes;
    this.run = about.run;
    this.catalog = about.catalog;
    this.problems = about.problems;
    this.running = about.running;
    this.#held = held;
    this.keys = held.map(({ key }) => key);
    this.extents = held.map(({ columns: { time } }) => ({
      rows: time.length,
      start: time[0] as number,
      end: time.at(-1) as number,
    }));
  }

  cost(): Price {
    return { requests: 0, bytes: 0 };
  }

  async read(
    numbers: readonly number[],
    { since = -Infinity, end = Infinity, newest = Infinity }: Want,
    each: (number: number, columns: Columns) => void,
  ): Promise<void> {
    const turns = new Turns();
    for (const number of [...new Set(numbers)].sort((a, b) => a - b)) {
      const columns = this.#held[number]?.columns;
      if (!columns) continue;
      const last = lowerBound(columns.time, end);
      const first = Math.max(0, lowerBound(columns.time, since) - 2, last - newest);
      each(number, cut(columns, first, last));
      await turns.next();
    }
  }

  overview(): Promise<Summary | null> {
    return Promise.resolve(null);
  }
}
