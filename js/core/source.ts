/**
 * `Source` is what the dashboard draws from. A live feed, a saved keyframe, a recording in a file
 * and data inlined in a page all implement it.
 */

import type { EntityWire, MomentWire, SeriesWire, SpanWire, TextLineWire } from "./header.gen";
import type { State } from "./state.gen";

export type { EntityWire, MomentWire, SeriesWire, SpanWire, TextLineWire } from "./header.gen";

/** What somebody logged that no axis has a place for: an infinity, or NaN as a value. */
export interface Odd {
  readonly time: number;
  readonly step: number | null;
  readonly what: "inf" | "-inf" | "nan";
}

/** How a kernel ended, which its session cannot report itself. */
export const ENDINGS = ["restarted", "died", "shut down", "replaced"] as const;

export type Ending = (typeof ENDINGS)[number];

/**
 * Min, max and mean of one series in each bucket of an absolute grid, for drawing.
 *
 * The bucket width is a round number (`history/buckets.ts`) and bucket edges are its multiples, so
 * a pan by any amount reuses the same buckets. `time` is the middle of a bucket, or the sample's own
 * time where the bucket holds one. An item with NaN in `min` and `max` is a gap: no line may cross
 * it. A bucket that ends in a gap has two items, the first with its values. Buckets without samples
 * that are not a gap have none. If there are samples before or after the range, the first or last
 * item is the nearest of them, however far. Arrays are reused between calls, and replaced when they
 * are too short; only the first `length` items count.
 */
export interface Columns {
  length: number;
  time: Float64Array;
  min: Float64Array;
  max: Float64Array;
  /**
   * Mean of the finite values in the bucket. NaN where it is not known, as in keyframes of older
   * versions: then only the band between `min` and `max` can be drawn.
   */
  mean: Float64Array;
  /** 1 where the item only continues the stored bucket that the item before is made of. */
  same: Uint8Array;
}

/** What a packet changed; each subscriber hears of each packet once. */
export interface Change {
  readonly series: boolean;
  readonly entities: boolean;
  readonly state: boolean;
  /** Moments or spans. */
  readonly events: boolean;
  /** Lines of text. */
  readonly lines: boolean;
  readonly samples: boolean;
}

export const NO_CHANGE: Change = {
  series: false,
  entities: false,
  state: false,
  events: false,
  lines: false,
  samples: false,
};

/** A stretch of time, in Unix seconds; its ends belong to it. */
export interface Stretch {
  readonly t0: number;
  readonly t1: number;
}

/** What is known of an answer with printed lines that has not come. */
export type Awaited =
  /** None is awaited. */
  | "none"
  | "awaited"
  /** It should have come by now: an older kernel does not know the question. */
  | "overdue"
  /** What was asked for cannot be read. */
  | "refused"
  /** Nobody is there to be asked. */
  | "unreachable";

/** Printed lines of the past: they come when they are asked for. */
export interface Printed {
  /** The stretches of which every line is in `Source.lines`, in order; the last may have no end. */
  known(): readonly Stretch[];
  /** Somebody looks, until the result is called: new lines are sent as they are printed. */
  watch(): () => void;
  /** Asks for the newest `most` lines of a stretch, unless an answer is awaited. */
  want(t0: number, t1: number, most: number): void;
  awaited(): Awaited;
  /** Up to here lines were printed that cannot be had any more; -Infinity: there are none. */
  gone?(): number;
  /** Where the viewer looks; of too many lines those far from it are let go. */
  look(time: number): void;
}

/** A series over what rises with it, most of the time: a place that falls begins another run. */
export interface Stepped {
  /** Fills `out` as `Source.rangeByStep` does. */
  draw(range: readonly [number, number], points: number, out: Columns, run?: number): void;
  runs(): number;
  extent(): [number, number] | null;
}

export interface Best {
  readonly value: number;
  readonly time: number;
  /** NaN where none was given. */
  readonly step: number;
}

export interface Source {
  /** All series, in order of id. A new array whenever a series was added. */
  catalog(): readonly SeriesWire[];
  entities(): readonly EntityWire[];
  state(): State;
  /** False as long as nothing is known of the session, not even whether it runs. */
  heard?(): boolean;
  /** Oldest first. */
  moments(): readonly MomentWire[];
  /** In order of their start; what has not ended has no end. */
  spans(): readonly SpanWire[];
  /** The lines of text that somebody asked for, oldest first. A new array whenever one came. */
  lines?(): readonly TextLineWire[];
  /** How to get more of them; without it there are no others. */
  readonly printed?: Printed;
  /** Fills `out` with at most about `points` buckets of series `id` that touch [t0, t1]. */
  range(id: number, t0: number, t1: number, points: number, out: Columns): void;
  /** As `range`, by step: `out.time` holds steps, and rows without a step do not appear. */
  rangeByStep?(
    id: number,
    from: number,
    to: number,
    points: number,
    out: Columns,
    run?: number,
  ): void;
  /**
   * How often the steps of a series began anew: a step that is smaller than the one before it
   * begins another run. `run` of `rangeByStep` counts from 0, the oldest; without it the newest.
   */
  stepRuns?(id: number): number;
  /** Smallest and largest step of a series, or null without any. */
  stepExtent?(id: number): [number, number] | null;
  /** Series `id` over the values of series `x` of the same owner, as over steps. */
  along?(id: number, x: number): Stepped | null;
  /** The best value that is known of a series; null without any. */
  best?(id: number, better: "min" | "max"): Best | null;
  /** First and last moment of which anything is known; [NaN, NaN] when nothing is. */
  extent(): [number, number];
  /** The newest row: value is NaN where the reading is missing now. Null before the first. */
  last(id: number): { time: number; value: number } | null;
  /**
   * The last reading at or before `time`: value is NaN where it was missing then. Of a bucket of
   * which only extremes are known it is the mean. Null before the first.
   */
  at?(id: number, time: number): { time: number; value: number } | null;
  /** The newest odd values of a series, in order of time: among its samples they are missing. */
  odd?(id: number): readonly Odd[];
  /** Since when the reading that is missing at `time` has been; null where it is not missing then. */
  missingSince?(id: number, time: number): Gap | null;
  /** What is shown is from a kept picture and may be out of date: not all of it came anew yet. */
  stale?(): boolean;
  /** The last moment of that picture. */
  asOf?(): number;
  /** Ticks that never arrived. */
  lost(): number;
  /** How the kernel ended while the session was running; null unless it is known to have. */
  ended?(): Ending | null;
  subscribe(listener: (change: Change) => void): () => void;
  /** Asks for the exact rows of [t0, t1]; the reply arrives when the kernel is free. */
  request?(ids: readonly number[], t0: number, t1: number, points: number): void;
  /** True while a reply to `request` is awaited. */
  pending?(): boolean;
}

/** The session is known to be over: what has not come by now never will. */
export function isOver(source: Source): boolean {
  return (source.heard?.() ?? true) && source.state().phase !== "running";
}

/** The beginning of a stretch without readings. */
export interface Gap {
  /** Where the last known values end, as well as is known. */
  readonly since: number;
  /** It began between these: in buckets the exact time is not known. */
  readonly earliest: number;
  readonly latest: number;
}

/** Make room for `length` items; what is in the columns is lost where they are too short. */
export function reserve(out: Columns, length: number): void {
  if (out.time.length < length) Object.assign(out, columns(length * 2), { length: out.length });
}

/** What item `i` says as one value: its mean, or the middle where that is not known. */
export function valueAt({ min, max, mean }: Columns, i: number): number {
  const [low, high, known] = [min[i] as number, max[i] as number, mean[i] as number];
  return Number.isFinite(known) ? known : low / 2 + high / 2;
}

/** Empty columns for `Source.range` to fill. */
export function columns(capacity = 512): Columns {
  return {
    length: 0,
    time: new Float64Array(capacity),
    min: new Float64Array(capacity),
    max: new Float64Array(capacity),
    mean: new Float64Array(capacity),
    same: new Uint8Array(capacity),
  };
}
