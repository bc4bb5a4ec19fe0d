/** A directory as it was when somebody looked, as what answers are made of. */

import { byBytes, type Catalog } from "../catalog";
import { type Columns, cut, type Extent, lowerBound, type SeriesKey } from "../columns";
import { record } from "../json";
import { orderOf } from "../provider";
import type { Run, Stored, Summary, Want } from "../stored";
import { Turns } from "../turns";
import { type Directory, keyOf } from "./directory";

export class StoredDirectory implements Stored {
  readonly name: string;
  readonly bytes: number;
  readonly run: Run;
  readonly catalog: Catalog;
  readonly keys: readonly SeriesKey[];
  readonly extents: readonly Extent[];
  readonly running: boolean;
  readonly problems: readonly string[];
  readonly order: readonly number[];
  readonly #columns: readonly Columns[];

  /** `known` are series that a page knows already, in the order of their ids. */
  constructor(name: string, directory: Directory, known: readonly string[] = []) {
    this.name = name;
    this.bytes = directory.bytes;
    this.running = directory.running;
    this.problems = directory.problems;
    this.run = { ...directory.run, about: directory.about };
    const series = [...directory.series.values()]
      .filter(({ rows }) => rows.length > 0)
      .sort((a, b) => byKey(a.info, b.info));
    this.keys = series.map(({ info: { host, entity, metric } }) => ({ host, entity, metric }));
    this.#columns = series.map(({ rows }) => rows.columns);
    this.extents = this.#columns.map(({ time }) => ({
      rows: time.length,
      start: time[0] as number,
      end: time.at(-1) as number,
    }));
    const metrics = [...directory.series.values()].map(({ info }) => info.metric);
    const entities = [...directory.entities].map(([host, named]) => [host, record(named)] as const);
    this.catalog = {
      infos: series.map(({ info }) => info),
      appeared: new Map([...new Set(metrics)].map((metric, place) => [metric, place])),
      entities: record(entities),
      hosts: record(directory.machines),
      leftOut: "",
    };
    const number = new Map(series.map(({ info }, place) => [keyOf(info), place]));
    const first = known.flatMap((key) => number.get(key) ?? []);
    const others = orderOf(this.keys, this.catalog).filter((place) => !first.includes(place));
    this.order = [...first, ...others];
  }

  stretches(number: number): readonly (readonly [number, number])[] {
    const { start, end } = this.extents[number] ?? {};
    return start === undefined || end === undefined ? [] : [[start, end]];
  }

  /** All is at hand. */
  cost(): number {
    return 0;
  }

  async read(
    numbers: readonly number[],
    { since = -Infinity, end = Infinity, newest = Infinity }: Want,
    each: (number: number, columns: Columns) => void,
  ): Promise<void> {
    const turns = new Turns();
    for (const number of [...new Set(numbers)].sort((a, b) => a - b)) {
      const columns = this.#columns[number];
      if (!columns) continue;
      const until = lowerBound(columns.time, end);
      const first = Math.max(0, until - newest, lowerBound(columns.time, since) - 1);
      each(number, cut(columns, Math.min(first, until), until));
      await turns.next();
    }
  }

  /** Nothing sums its rows up: it is small enough for them to be drawn from. */
  overview(): Promise<Summary | null> {
    return Promise.resolve(null);
  }
}

function byKey(a: SeriesKey, b: SeriesKey): number {
  return byBytes(a.host, b.host) || byBytes(a.entity, b.entity) || byBytes(a.metric, b.metric);
}
