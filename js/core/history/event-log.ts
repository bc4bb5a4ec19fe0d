/** Keeps the moments and spans of a session, lines of text, and odd values. */

import type { MomentWire, SpanWire } from "../source";
import type { FramePacket, KeyframePacket } from "../wire/packet";
import { joinedSpan, spanKey } from "../wire/spans";
import { OddLog } from "./odd-log";
import { TextLog } from "./text-log";

/** Moments and spans of each metric that are kept. */
const EVENTS_KEPT = 5_000;

type News = Pick<FramePacket | KeyframePacket, "moments" | "spans" | "lines" | "odd"> &
  Pick<FramePacket, "linesLeftOut">;

export class EventLog {
  moments: readonly MomentWire[] = [];
  spans: readonly SpanWire[] = [];
  readonly text = new TextLog();
  readonly odd = new OddLog();
  readonly #moments = new Map<string, MomentWire>();
  readonly #spans = new Map<string, SpanWire>();

  /** Add those of a packet; returns what of it was new. */
  add({ moments, spans, lines, odd, linesLeftOut }: News): { events: boolean; lines: boolean } {
    this.odd.add(odd);
    const [some, others] = [this.#addMoments(moments), this.#addSpans(spans)];
    this.text.add(lines, linesLeftOut);
    return { events: some || others, lines: lines.length > 0 };
  }

  /** Drop all moments and spans: the packet that follows has all of them. */
  forget(): void {
    this.#moments.clear();
    this.#spans.clear();
    this.moments = this.spans = [];
  }

  #addMoments(moments: readonly MomentWire[]): boolean {
    const before = this.#moments.size;
    // A keyframe brings again what frames brought before.
    for (const moment of moments) this.#moments.set(JSON.stringify(moment), moment);
    if (this.#moments.size === before) return false;
    this.moments = kept(this.#moments, ({ time }) => time);
    return true;
  }

  #addSpans(spans: readonly SpanWire[]): boolean {
    let changed = false;
    for (const span of spans) {
      const known = this.#spans.get(spanKey(span));
      const joined = known ? joinedSpan(known, span) : span;
      changed ||= JSON.stringify(known) !== JSON.stringify(joined);
      this.#spans.set(spanKey(span), joined);
    }
    if (changed) this.spans = kept(this.#spans, ({ start }) => start);
    return changed;
  }
}

/**
 * The newest of each metric in order; the others are let go. What has not ended counts by itself: a
 * cell stays, however many spans came and went in it.
 */
function kept<T extends Kept>(all: Map<string, T>, time: (one: T) => number): T[] {
  const sorted = [...all].sort(([, a], [, b]) => time(a) - time(b));
  const counts = new Map<string, number>();
  const newest: T[] = [];
  for (const [key, one] of sorted.reverse()) {
    const kind = one.end === null ? `${one.metric} open` : one.metric;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count > EVENTS_KEPT) all.delete(key);
    else newest.push(one);
  }
  return newest.reverse();
}

type Kept = Pick<MomentWire, "metric"> & Partial<Pick<SpanWire, "end">>;
