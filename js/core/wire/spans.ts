/** A span is told when it begins and again when it has ended: two tellings as one. */

import type { SpanWire } from "../header.gen";

/** The same span with all that both say, in whatever order they came. */
export function joinedSpan(one: SpanWire, other: SpanWire): SpanWire {
  const [begun, ended] = one.end !== null && other.end === null ? [other, one] : [one, other];
  const start = begun.end === null ? begun.start : ended.start;
  return { ...ended, start, facts: { ...begun.facts, ...ended.facts } };
}

/** What is the same for all tellings of one span. An id may be used again when its span is over. */
export function spanKey({ host, entity, metric, id, start }: SpanWire): string {
  return JSON.stringify([host, entity, metric, id, start]);
}
