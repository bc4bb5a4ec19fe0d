/**
 * Marks, ready to be looked up by time: what is drawn costs as much as the picture is wide, however
 * many there are.
 */

import type { AxisRange } from "../vocabulary/axis-range";
import { CATALOG, KINDS } from "../vocabulary/catalog.gen";
import type { Mark } from "./mark";

/** Spans that lie in one another stand in so many rows; deeper ones are counted. */
export const MOST_ROWS = 4;
/** So many ranks have rows of their own; more share them. */
const MOST_RANKS = 4;
/** The row of all moments. */
export const MOMENTS = "marks";
/** The rows of spans that the catalog does not know. */
const OTHER_SPANS = "spans";
/** Narrower boxes, in CSS pixels, are one with their neighbours. */
const NARROW = 3;

/** Spans in order of time. What has not ended ends never. */
export interface Spans {
  readonly marks: readonly Mark[];
  readonly starts: Float64Array;
  /** Of a row the end of each; of others the latest end of it and all before it. */
  readonly ends: Float64Array;
  /** The places of those that failed. */
  readonly failed: readonly number[];
}

/** The spans of one kind on one host or of one rank, by their depth: in a row none lies over another. */
export interface Track {
  /** "cells", "spans". */
  readonly kind: string;
  readonly host: string;
  readonly machine: string;
  /** "rank:3" where each rank has rows of its own. */
  readonly rank: string;
  readonly rows: readonly Spans[];
  /** What has no place in the rows. */
  readonly deeper: Spans;
}

export interface MarkIndex {
  readonly moments: readonly Mark[];
  readonly times: Float64Array;
  readonly tracks: readonly Track[];
  /** Stretches in which some span runs, none touching another. */
  readonly busy: Pick<Spans, "starts" | "ends">;
}

const known = new WeakMap<readonly Mark[], MarkIndex>();

/** `marks` must be in order of their start, and never change. */
export function indexOf(marks: readonly Mark[]): MarkIndex {
  const found = known.get(marks);
  if (found) return found;
  const made = build(marks);
  known.set(marks, made);
  return made;
}

const paused = new WeakMap<readonly Mark[], readonly [number, readonly Mark[]]>();

/** Those that began by `time`: the same array for the same time. */
export function begunBy(marks: readonly Mark[], time: number): readonly Mark[] {
  const [at, kept] = paused.get(marks) ?? [Number.NaN, []];
  if (at === time) return kept;
  const begun = marks.filter(({ start }) => start <= time);
  paused.set(marks, [time, begun]);
  return begun;
}

/** What the rows of a mark's kind are called. */
export function kindOfRow({ drawnAs, metric }: Pick<Mark, "drawnAs" | "metric">): string {
  return drawnAs === "moment" ? MOMENTS : (spanKind(metric) ?? OTHER_SPANS);
}

function spanKind(metric: string): string | undefined {
  const kind = Object.hasOwn(CATALOG, metric) ? CATALOG[metric]?.kind : undefined;
  return kind && KINDS[kind].drawnAs === "span" ? `${metric}s` : undefined;
}

/** The kinds of rows, in the order in which they stand. */
export const KINDS_OF_ROWS: readonly string[] = [
  ...Object.keys(CATALOG).flatMap((metric) => spanKind(metric) ?? []),
  MOMENTS,
];

export function endOf({ end }: Mark): number {
  return end ?? Number.POSITIVE_INFINITY;
}

function build(marks: readonly Mark[]): MarkIndex {
  const moments = marks.filter(({ drawnAs }) => drawnAs === "moment");
  const spans = marks
    .filter(({ drawnAs }) => drawnAs === "span")
    // What lies in another span comes after it, also where both begin at once.
    .sort((a, b) => a.start - b.start || (endOf(a) === endOf(b) ? 0 : endOf(b) - endOf(a)));
  const tracks = new Map<string, Mark[]>();
  const ranks = new Set(spans.map(rankOf));
  ranks.delete("");
  const parted = ranks.size > 1 && ranks.size <= MOST_RANKS;
  for (const span of spans) {
    const key = `${kindOfRow(span)} ${span.host} ${parted && rankOf(span)}`;
    const track = tracks.get(key);
    if (track) track.push(span);
    else tracks.set(key, [span]);
  }
  return {
    moments,
    times: startsOf(moments),
    tracks: [...tracks.values()].map((track) => trackOf(track, parted)),
    busy: busyOf(spans),
  };
}

/** "rank:3" of what one of several processes did; empty for others. */
export function rankOf({ entity }: Pick<Mark, "entity">): string {
  return entity.startsWith("rank:") ? (entity.split("/", 1)[0] as string) : "";
}

/** Each span stands below the one it lies in, and in no row in which another still runs. */
function trackOf(spans: readonly Mark[], parted: boolean): Track {
  const first = spans[0] as Mark;
  const { host, machine } = first;
  const rows: Mark[][] = [];
  const deeper: Mark[] = [];
  const ends: number[] = [];
  // Each process counts for itself.
  const rowOf = new Map<string, number>();
  for (const span of spans) {
    const [id, parent] = [nameOf(span, "id"), nameOf(span, "parent")];
    let row = parent === undefined ? 0 : (rowOf.get(parent) ?? -1) + 1;
    while (row < MOST_ROWS && (ends[row] ?? Number.NEGATIVE_INFINITY) > span.start) row++;
    if (id !== undefined) rowOf.set(id, row);
    if (row >= MOST_ROWS) deeper.push(span);
    else {
      while (rows.length <= row) rows.push([]);
      rows[row]?.push(span);
      ends[row] = endOf(span);
    }
  }
  return {
    ...{ kind: kindOfRow(first), host, machine, rank: parted ? rankOf(first) : "" },
    rows: rows.map(spansOf),
    deeper: spansOf(deeper),
  };
}

function nameOf({ entity, facts }: Mark, fact: "id" | "parent"): string | undefined {
  return facts?.[fact] === undefined ? undefined : `${entity} ${facts[fact]}`;
}

function spansOf(marks: readonly Mark[]): Spans {
  const ends = new Float64Array(marks.length);
  const failed: number[] = [];
  let latest = Number.NEGATIVE_INFINITY;
  // There may be a hundred thousand of them.
  for (let i = 0; i < marks.length; i++) {
    const mark = marks[i] as Mark;
    latest = Math.max(latest, endOf(mark));
    ends[i] = latest;
    if (mark.failed) failed.push(i);
  }
  return { marks, starts: startsOf(marks), ends, failed };
}

function startsOf(marks: readonly Mark[]): Float64Array {
  const starts = new Float64Array(marks.length);
  for (let i = 0; i < marks.length; i++) starts[i] = (marks[i] as Mark).start;
  return starts;
}

function busyOf(spans: readonly Mark[]): MarkIndex["busy"] {
  const [starts, ends]: [number[], number[]] = [[], []];
  for (const span of spans) {
    const last = ends.length - 1;
    if (last >= 0 && span.start <= (ends[last] as number)) {
      ends[last] = Math.max(ends[last] as number, endOf(span));
    } else {
      starts.push(span.start);
      ends.push(endOf(span));
    }
  }
  return { starts: Float64Array.from(starts), ends: Float64Array.from(ends) };
}

/** The first place in ascending numbers that is at least `value`. */
export function firstFrom(numbers: ArrayLike<number>, value: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first place whose number is beyond `value`. */
export function firstAfter(numbers: ArrayLike<number>, value: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Spans that touch a range; of many the newest `most`. */
export function spansWithin(
  { marks, starts, ends }: Spans,
  [from, to]: AxisRange,
  most = Number.POSITIVE_INFINITY,
): Mark[] {
  const found: Mark[] = [];
  const first = firstFrom(ends, from);
  for (let i = firstAfter(starts, to) - 1; i >= first && found.length < most; i--) {
    const mark = marks[i] as Mark;
    if (endOf(mark) >= from) found.push(mark);
  }
  return found.reverse();
}

/** A box of a row: one span, or neighbours that are too narrow to be told apart. */
export interface Box {
  readonly start: number;
  readonly end: number;
  /** The places of the first and of the last one. */
  readonly first: number;
  readonly last: number;
}

/**
 * The boxes of a row in view, `pixel` being the seconds of a CSS pixel. There are never more than
 * the view has room for, and they are found in as many steps.
 */
export function boxesOf(row: Spans, range: AxisRange, now: number, pixel: number): Box[] {
  const { starts, ends } = row;
  const narrow = NARROW * pixel;
  const startOf = (i: number) => starts[i] as number;
  const endsAt = (i: number) => Math.max(startOf(i), Math.min(ends[i] as number, now));
  const isWide = (i: number) => endsAt(i) - startOf(i) >= narrow;
  const boxes: Box[] = [];
  let first = firstFrom(ends, range[0]);
  while (first < starts.length && startOf(first) <= range[1]) {
    let last = first;
    while (!isWide(first) && startOf(last) <= range[1]) {
      // Of those that begin so near only the last one can be wide: none lies over another.
      const near = firstAfter(starts, endsAt(last) + narrow) - 1;
      const next = near > last && isWide(near) ? near - 1 : near;
      if (next <= last) break;
      last = next;
      if (next < near) break;
    }
    boxes.push({ start: startOf(first), end: endsAt(last), first, last });
    first = last + 1;
  }
  return boxes;
}

export function countOf({ first, last }: Box): number {
  return last - first + 1;
}

/** How many of a box failed. */
export function failedIn({ failed }: Pick<Spans, "failed">, { first, last }: Box): number {
  return firstAfter(failed, last) - firstFrom(failed, first);
}
