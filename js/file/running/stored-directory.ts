/** A directory as it was when somebody looked, as what answers are made of. */

import { byKey } from "../catalog";
import { record } from "../json";
import { HeldRows } from "../memory";
import { orderOf } from "../series";
import { type Directory, keyOf } from "./directory";

export class StoredDirectory extends HeldRows {
  readonly order: readonly number[];

  /** `known` are series that a page knows already, in the order of their ids. */
  constructor(name: string, directory: Directory, known: readonly string[] = []) {
    const { bytes, running, problems, run, about, machines } = directory;
    const series = [...directory.series.values()]
      .filter(({ rows }) => rows.length > 0)
      .sort((a, b) => byKey(a.info, b.info));
    const metrics = new Set([...directory.series.values()].map(({ info }) => info.metric));
    const entities = [...directory.entities].map(([host, named]) => [host, record(named)] as const);
    const catalog = {
      infos: series.map(({ info }) => info),
      appeared: new Map([...metrics].map((metric, place) => [metric, place])),
      entities: record(entities),
      hosts: record(machines),
      leftOut: "",
    };
    super(
      { name, bytes, running, problems, run: { ...run, about }, catalog },
      series.map(({ info: { host, entity, metric }, rows: { columns } }) => ({
        key: { host, entity, metric },
        columns,
      })),
    );
    const number = new Map(series.map(({ info }, place) => [keyOf(info), place]));
    const first = known.flatMap((key) => number.get(key) ?? []);
    const isFirst = new Set(first);
    this.order = [...first, ...orderOf(this.keys, catalog).filter((place) => !isFirst.has(place))];
  }
}
