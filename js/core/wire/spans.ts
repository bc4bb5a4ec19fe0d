/** A span is sent when it begins and again when it has ended: joins the two. */

import type { SpanWire } from "../header.gen";

/** One span with the facts of both, in whichever order they came. */
export function joinedSpan(one: SpanWire, other: SpanWire): SpanWire {
  const [begun, ended] = one.end !== null && other.end === null ? [other, one] : [one, other];
  const start = begun.end === null ? begun.start : ended.start;
  return { ...ended, start, facts: { ...begun.facts, ...ended.facts } };
}

/** Identifies a span in every packet that has it. An id may be used again once its span is over. */
export function spanKey({ host, entity, metric, id, start }: SpanWire): string {
  return JSON.stringify([host, entity, metric, id, start]);
}

/** The last `count` of each metric, in their order: many short spans do not push a cell out. */
export function lastOfEach<T>(
  spans: readonly T[],
  count: number,
  metricOf: (span: T) => string,
): T[] {
  const counts = new Map<string, number>();
  const isKept = (span: T) => {
    const seen = (counts.get(metricOf(span)) ?? 0) + 1;
    counts.set(metricOf(span), seen);
    return seen <= count;
  };
  return [...spans].reverse().filter(isKept).reverse();
}
