/** The series of a recording, as a page knows them. */

import type { SeriesWire } from "../core/header.gen";
import { KINDS } from "../core/vocabulary/catalog.gen";
import { isDrawn, kindStoredAs } from "../core/vocabulary/kinds";
import type { Catalog } from "./catalog";
import type { SeriesKey } from "./columns";
import { rateOf, type SeriesInfo } from "./gaps";
import type { Stored } from "./stored";

export interface Series {
  /** By which a page knows it. */
  readonly id: number;
  /** Its number in the recording. */
  readonly number: number;
  readonly info: SeriesInfo;
  readonly isDrawn: boolean;
  readonly isRated: boolean;
  /** Whether the blocks of the overview are made of the values that are drawn. */
  readonly hasBlocks: boolean;
}

/** All series, in the order of their ids. */
export function seriesOf(stored: Stored): Series[] {
  const { keys, catalog } = stored;
  return (stored.order ?? orderOf(keys, catalog)).map((number, id) => {
    const info = catalog.infos[number] as SeriesInfo;
    const isRated = rateOf(info) !== null;
    const hasBlocks = !kindStoredAs(info.kind).cumulative || isRated;
    return { id, number, info, isDrawn: isDrawn(info), isRated, hasBlocks };
  });
}

/** The numbers of all series: as in the live view, what was logged first comes first. */
export function orderOf(keys: readonly SeriesKey[], catalog: Catalog): number[] {
  const metrics = [...new Set(keys.map(({ metric }) => metric))];
  const place = (metric: string) => catalog.appeared.get(metric) ?? catalog.appeared.size;
  const order = new Map(
    metrics.sort((a, b) => place(a) - place(b)).map((metric, rank) => [metric, rank]),
  );
  const numbers = keys.map((_, number) => number);
  const rank = (number: number) => order.get((keys[number] as { metric: string }).metric) as number;
  return numbers.sort((a, b) => rank(a) - rank(b) || a - b);
}

/** A series as a page gets it: a counter under the name of its rate. */
export function wireOf({ id, info }: Pick<Series, "id" | "info">): SeriesWire {
  const rate = rateOf(info);
  const { host, entity, labels } = info;
  const kind = rate ? KINDS.gauge.stored : info.kind;
  const { metric, unit } = rate ?? info;
  return { id, host, entity, metric, unit, kind, labels };
}
