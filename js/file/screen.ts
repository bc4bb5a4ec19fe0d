/** Envelopes of some series in equal buckets; as `pulse_widgets/series/screen_builder.py` makes them. */

import { lowerBound, upperBound } from "./columns";
import { type Envelopes, meanOf } from "./envelopes";
import type { Shown, Spans } from "./gaps";

export const BUCKETS = 300;

/** What is known of one series in the buckets of a `Screen`. */
export interface Line {
  readonly id: number;
  /** NaN where a bucket has no value. */
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly mean: Float64Array;
  /** 1 where the reading is missing. */
  readonly missing: Uint8Array;
  /** The last step of each bucket; null where no row has one. */
  readonly step: Float64Array | null;
  /** NaN where there is none. */
  readonly last: number;
}

export interface Screen {
  /** Unix seconds; one more than there are buckets. */
  readonly edges: Float64Array;
  readonly lines: readonly Line[];
}

interface Parts {
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly total: Float64Array;
  readonly weight: Float64Array;
  /** How many gaps begin less those that end, bucket by bucket. */
  readonly gaps: Int32Array;
}

export class ScreenBuilder {
  readonly #edges: Float64Array;
  readonly #buckets: number;
  readonly #ids: readonly number[];
  readonly #lines = new Map<number, Line>();

  /**
   * @param ids The series, in order; of those that are not added nothing is known.
   * @param start The first and the last moment, in microseconds.
   */
  constructor(ids: readonly number[], start: number, end: number, buckets = BUCKETS) {
    this.#ids = ids;
    const stop = Math.max(end, start + buckets) + 1;
    const step = (stop - start) / buckets;
    this.#buckets = buckets;
    this.#edges = Float64Array.from({ length: buckets + 1 }, (_, i) => i * step + start);
    this.#edges[buckets] = stop;
  }

  /** Add a series from all its rows, of which NaN is missing to the next row. */
  drawRows(id: number, { time, value, step }: Shown, silent: Spans): void {
    const bounds = this.#cutAt(time);
    const parts = this.#parts();
    const { low, high, total, weight } = parts;
    for (let bucket = 0; bucket < this.#buckets; bucket++) {
      let [least, most, sum, count] = [Infinity, -Infinity, 0, 0];
      for (let i = bounds[bucket] as number; i < (bounds[bucket + 1] as number); i++) {
        const one = value[i] as number;
        if (Number.isNaN(one)) continue;
        if (one < least) least = one;
        if (one > most) most = one;
        sum += one;
        count++;
      }
      [low[bucket], high[bucket], total[bucket], weight[bucket]] = [least, most, sum, count];
    }
    const end = this.#edges[this.#buckets] as number;
    for (let i = 0; i < value.length; i++) {
      if (Number.isNaN(value[i])) this.#miss(parts.gaps, time[i] as number, time[i + 1] ?? end);
    }
    for (const [begin, until] of silent) this.#miss(parts.gaps, begin, until);
    this.#add(id, parts, step && stepsOf(step, bounds), value.at(-1) ?? Number.NaN);
  }

  /**
   * Add a series from envelopes; a block that reaches several buckets stands in each, and counts
   * there by the share of its time that lies there.
   */
  drawBlocks(id: number, blocks: Envelopes, last: number): void {
    const parts = this.#parts();
    const end = this.#edges[this.#buckets] as number;
    for (let i = 0; i < blocks.length; i++) {
      const start = blocks.start[i] as number;
      if ((blocks.count[i] as number) > 0) this.#spread(parts, blocks, i);
      // A block without values is a gap until the next block begins.
      else this.#miss(parts.gaps, start, blocks.start[i + 1] ?? end);
    }
    this.#add(id, parts, null, Number.isFinite(last) ? last : Number.NaN);
  }

  screen(): Screen {
    for (const id of this.#ids) {
      if (!this.#lines.has(id)) this.#add(id, this.#parts(), null, Number.NaN);
    }
    const lines = this.#ids.map((id) => this.#lines.get(id) as Line);
    return { edges: this.#edges.map((edge) => edge / 1e6), lines };
  }

  #parts(): Parts {
    const made = (value: number) => new Float64Array(this.#buckets).fill(value);
    return {
      low: made(Infinity),
      high: made(-Infinity),
      total: made(0),
      weight: made(0),
      gaps: new Int32Array(this.#buckets + 1),
    };
  }

  #add(
    id: number,
    { low, high, total, weight, gaps }: Parts,
    step: Float64Array | null,
    last: number,
  ): void {
    const missing = new Uint8Array(this.#buckets);
    const mean = new Float64Array(this.#buckets);
    let open = 0;
    for (let i = 0; i < this.#buckets; i++) {
      open += gaps[i] as number;
      const [least, most] = [low[i] as number, high[i] as number];
      if (least <= most) {
        mean[i] = meanOf(total[i] as number, weight[i] as number, least, most);
      } else {
        low[i] = high[i] = mean[i] = Number.NaN;
        missing[i] = Number(open > 0);
      }
    }
    this.#lines.set(id, { id, min: low, max: high, mean, missing, step, last });
  }

  /** Where in `time` each bucket begins, and where the last one ends. */
  #cutAt(time: Float64Array): Uint32Array {
    const bounds = new Uint32Array(this.#buckets + 1);
    bounds[this.#buckets] = time.length;
    for (let i = 1; i < this.#buckets; i++) {
      bounds[i] = lowerBound(time, Math.ceil(this.#edges[i] as number));
    }
    return bounds;
  }

  #place(time: number): number {
    const found = upperBound(this.#edges.subarray(0, this.#buckets), time) - 1;
    return Math.min(Math.max(found, 0), this.#buckets - 1);
  }

  #miss(gaps: Int32Array, start: number, end: number): void {
    const [first, behind] = [this.#place(start), this.#place(end) + 1];
    gaps[first] = (gaps[first] as number) + 1;
    gaps[behind] = (gaps[behind] as number) - 1;
  }

  #spread(parts: Parts, blocks: Envelopes, i: number): void {
    const [start, end] = [blocks.start[i] as number, blocks.end[i] as number];
    const [first, last] = [this.#place(start), this.#place(end)];
    const { low, high, total, weight } = parts;
    for (let place = first; place <= last; place++) {
      low[place] = Math.min(low[place] as number, blocks.least[i] as number);
      high[place] = Math.max(high[place] as number, blocks.greatest[i] as number);
      const since = place === first ? start : (this.#edges[place] as number);
      const until = place === last ? end : (this.#edges[place + 1] as number);
      // A row lasts a microsecond: one that lies on an edge has a share beyond it.
      const share = (until - since + 1) / (end - start + (last - first + 1));
      total[place] = (total[place] as number) + (blocks.total[i] as number) * share;
      weight[place] = (weight[place] as number) + (blocks.count[i] as number) * share;
    }
  }
}

/** The last step of each bucket; null where no row has one. */
function stepsOf(step: Float64Array, bounds: Uint32Array): Float64Array | null {
  const steps = new Float64Array(bounds.length - 1).fill(Number.NaN);
  let isAny = false;
  for (let bucket = 0; bucket < steps.length; bucket++) {
    for (let i = (bounds[bucket + 1] as number) - 1; i >= (bounds[bucket] as number); i--) {
      if (Number.isNaN(step[i])) continue;
      steps[bucket] = step[i] as number;
      isAny = true;
      break;
    }
  }
  return isAny ? steps : null;
}
