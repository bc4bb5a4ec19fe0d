/**
 * What happened while a picture's readings were taken: marks, and when no cell ran. The twin of
 * `pulse_widgets/exchange/picture/story.py`.
 */

import type { MomentWire, SpanWire } from "../source";
import { CELL, LEAST_IDLE, LEAST_MARKS, MARK, MOST_MARKS, PX } from "../vocabulary/shared.gen";
import { utcClock } from "../vocabulary/utc-text";
import type { Scale } from "./curve";
import { shorten } from "./text";

export interface Story {
  readonly moments: readonly MomentWire[];
  readonly spans: readonly SpanWire[];
}

/**
 * The stretches between cells, as a path to be filled. Nothing is said of the time before the
 * first cell that is known.
 */
export function idlePath({ spans }: Story, scale: Scale): string {
  const [start, end] = scale.span;
  const cells = spans
    .filter(({ metric }) => metric === CELL)
    .map((one) => [one.start, one.end ?? end] as const)
    .sort((a, b) => a[0] - b[0]);
  const [first] = cells;
  if (!first) return "";
  let until = Math.max(first[0], start);
  const parts: string[] = [];
  for (const [begin, stop] of [...cells, [end, end] as const]) {
    const [left, right] = [scale.x(until), scale.x(Math.min(begin, end))];
    if (right - left >= LEAST_IDLE) {
      parts.push(`M${left} 0h${right - left}v${scale.height * PX}h${left - right}z`);
    }
    until = Math.max(until, Math.min(stop, end));
  }
  return parts.join("");
}

/** The lines of the user's marks, and those of other events; close ones are one. */
export function markPaths({ moments }: Story, scale: Scale): readonly [string, string] {
  const [start, end] = scale.span;
  const shown = moments.filter(({ time }) => start <= time && time <= end);
  const lines = (own: boolean) => {
    const places = shown.filter(({ metric }) => (metric === MARK) === own);
    return apart(places.map(({ time }) => scale.x(time)))
      .map((x) => `M${x} 0v${scale.height * PX}`)
      .join("");
  };
  return [lines(true), lines(false)];
}

/** The places in order, without those that are close behind one that stays. */
function apart(places: readonly number[]): number[] {
  const kept: number[] = [];
  for (const x of [...places].sort((a, b) => a - b)) {
    if (x - (kept.at(-1) ?? Number.NEGATIVE_INFINITY) >= LEAST_MARKS) kept.push(x);
  }
  return kept;
}

/** The newest marks with their moments; empty where there are none. */
export function markSentence({ moments }: Story): string {
  const marks = moments.filter(({ metric }) => metric === MARK).sort((a, b) => a.time - b.time);
  if (marks.length === 0) return "";
  const told = marks.slice(-MOST_MARKS).map(({ time, facts }) => {
    return `${utcClock(Math.floor(time), 1)} ${shorten(String(facts["label"] || MARK), 40)}`;
  });
  const before = marks.length - told.length;
  const count = `${marks.length} ${marks.length > 1 ? "marks" : "mark"}`;
  return `${count} (UTC): ${before > 0 ? `${before} before, ` : ""}${told.join(", ")}`;
}
