/** A source that has the values of another metric in the place of steps. */

import type { SeriesWire, Source, Stepped } from "../source";
import { isUser } from "../vocabulary/defined";

const BY = "x:";

/** The metric that an axis stands for; undefined for time and steps. */
export function metricOf(axis: string): string | undefined {
  return axis.startsWith(BY) ? axis.slice(BY.length) : undefined;
}

/** The metrics that the user said to be an axis of others, and that were logged. */
export function axesOf(series: readonly SeriesWire[]): `x:${string}`[] {
  const wanted = new Set(series.map(({ labels }) => labels["defined.x"]));
  const there = series.filter(({ entity, metric }) => isUser(entity) && wanted.has(metric));
  return [...new Set(there.map(({ metric }) => `${BY}${metric}` as const))];
}

/** The source as it is for steps; for another axis one whose steps are the values of a metric. */
export function steppedSource(source: Source, axis: string): Source {
  const metric = metricOf(axis);
  if (metric === undefined) return source;
  const owner = ({ host, entity }: SeriesWire) => `${host} ${entity}`;
  const user = source.catalog().filter(({ entity }) => isUser(entity));
  const xs = new Map(user.flatMap((one) => (one.metric === metric ? [[owner(one), one.id]] : [])));
  const x = new Map(user.map((one) => [one.id, xs.get(owner(one))]));
  const of = (id: number): Stepped | null => {
    const other = x.get(id);
    return other === undefined ? null : (source.along?.(id, other) ?? null);
  };
  const own: Partial<Source> = {
    rangeByStep: (id, from, to, points, out, run) => {
      out.length = 0;
      if (from < to) of(id)?.draw([from, to], points, out, run);
    },
    stepRuns: (id) => of(id)?.runs() ?? 0,
    stepExtent: (id) => of(id)?.extent() ?? null,
    // An infinity has no place there that is known.
    odd: () => [],
  };
  return new Proxy(source, {
    get: (target, key) => {
      const found = Reflect.get(own, key) ?? Reflect.get(target, key);
      return typeof found === "function" ? found.bind(target) : found;
    },
  });
}
