/** A keyframe of fewer buckets, and of values that are told more coarsely. */

import { packedKeyframe } from "../wire/encode";
import type { Json } from "../wire/header";
import { CODE_MISSING, CODE_NONE, CODE_TOP, type KeyframePacket } from "../wire/packet";
import { meanCode } from "../wire/parts";

/** Buckets and grain of the series that are seen first, buckets and grain of the others. */
export type Detail = readonly [buckets: number, grain: number, fewer: number, coarser: number];

type Columns = [min: Uint16Array, max: Uint16Array, mean: Uint16Array];

/** Some rows of a packet in at most `buckets` buckets that last about equally long. */
export function coarsened(
  packet: KeyframePacket,
  header: Json,
  rows: readonly number[],
  buckets: number,
): Uint8Array<ArrayBuffer> {
  const detail = [buckets, 1, buckets, 1] as const;
  return new Detailed(packet, new Set(packet.ids), detail).packet(header, rows);
}

/**
 * A packet with much detail of the series that are `seen` first, and less of the others. The others
 * have a value in each bucket, too: in those that are one of theirs, the same.
 *
 * Of means each weighs as long as its bucket lasts: how many values it is of is not known here.
 */
export class Detailed {
  readonly #packet: KeyframePacket;
  readonly #seen: ReadonlySet<number>;
  readonly #detail: Detail;
  readonly #edges: Float64Array;
  /** Where the buckets begin in the packet; where the wide ones begin here, and in the packet. */
  readonly #first: readonly number[];
  readonly #own: readonly number[];
  readonly #wide: readonly number[];
  readonly #rows = new Map<number, Columns>();

  constructor(packet: KeyframePacket, seen: ReadonlySet<number>, detail: Detail) {
    this.#packet = packet;
    this.#seen = seen;
    this.#detail = detail;
    this.#first = placesOf(packet.edges, detail[0]);
    this.#edges = Float64Array.from(this.#first, (place) => packet.edges[place] as number);
    this.#own = placesOf(this.#edges, detail[2]);
    this.#wide = this.#own.map((place) => this.#first[place] as number);
  }

  /** Some of its rows, as a packet. */
  packet(header: Json, rows: readonly number[]): Uint8Array<ArrayBuffer> {
    const count = this.#edges.length - 1;
    const made = () => new Uint16Array(rows.length * count);
    const codes: Columns = [made(), made(), made()];
    for (const [at, row] of rows.entries()) {
      const columns = this.#codes(row);
      for (const [i, column] of codes.entries()) column.set(columns[i] as Uint16Array, at * count);
    }
    const steps = this.#steps(new Set(header["stepped"] as readonly number[]));
    const grains = rows.map((row) => this.#grain(row));
    const { grains: _, ...rest } = header;
    const told = { ...rest, ...(grains.some((one) => one > 1) && { grains }), buckets: count };
    const [min, max, mean] = codes;
    return packedKeyframe(told, [this.#edges, steps], { min, max, mean });
  }

  #isFirst(row: number): boolean {
    return this.#seen.has(this.#packet.ids[row] as number);
  }

  #grain(row: number): number {
    const told = this.#packet.grains?.[row] ?? 1;
    return Math.max(told, this.#detail[this.#isFirst(row) ? 1 : 3]);
  }

  #codes(row: number): Columns {
    const known = this.#rows.get(row);
    if (known) return known;
    const made = () => new Uint16Array(this.#edges.length - 1);
    const columns: Columns = [made(), made(), made()];
    putTogether(this.#packet, row, this.#isFirst(row) ? this.#first : this.#wide, columns);
    if (!this.#isFirst(row)) for (const column of columns) spreadOut(column, this.#own);
    tellCoarsely(columns, this.#grain(row));
    this.#rows.set(row, columns);
    return columns;
  }

  /** The last steps of the series that have any, in order. */
  #steps(kept: ReadonlySet<number>): Float64Array {
    const { stepped, stepLast, buckets: have } = this.#packet;
    const rows = [...stepped.keys()].filter((row) => kept.has(stepped[row] as number));
    const count = this.#edges.length - 1;
    const steps = new Float64Array(rows.length * count);
    for (const [at, row] of rows.entries()) {
      const into = steps.subarray(at * count, (at + 1) * count);
      const from = stepLast.subarray(row * have, (row + 1) * have);
      const isFirst = this.#seen.has(stepped[row] as number);
      const first = isFirst ? this.#first : this.#wide;
      for (let bucket = 0; bucket + 1 < first.length; bucket++) {
        const inside = from.subarray(first[bucket], first[bucket + 1]);
        into[bucket] = inside.findLast((step) => !Number.isNaN(step)) ?? Number.NaN;
      }
      if (!isFirst) spreadOut(into, this.#own);
    }
    return steps;
  }
}

/** Which edges are those of at most so many buckets that last about equally long. */
function placesOf(edges: Float64Array, buckets: number): number[] {
  const have = edges.length - 1;
  if (have <= buckets) return Array.from(edges.keys());
  const [start, end] = [edges[0] as number, edges[have] as number];
  const places = [0];
  let above = 1;
  for (let k = 1; k < buckets; k++) {
    const wanted = start + (end - start) * (k / buckets);
    while (above < have && (edges[above] as number) < wanted) above++;
    const below = wanted - (edges[above - 1] as number) < (edges[above] as number) - wanted;
    const place = below ? above - 1 : above;
    if (place > (places.at(-1) as number)) places.push(place);
  }
  if (have > (places.at(-1) as number)) places.push(have);
  return places;
}

/** Put the buckets from each of `first` up to the next together. */
function putTogether(
  packet: KeyframePacket,
  row: number,
  first: readonly number[],
  [min, max, mean]: Columns,
): void {
  const { buckets: have, edges } = packet;
  let missing = false;
  for (let bucket = 0; bucket + 1 < first.length; bucket++) {
    let [low, high, gap, total, seconds] = [CODE_NONE, -1, false, 0, 0];
    for (let i = first[bucket] as number; i < (first[bucket + 1] as number); i++) {
      const code = packet.min[row * have + i] as number;
      // A gap lasts until the next sample, also over buckets in which no reading was due.
      if (code !== CODE_NONE) missing = code === CODE_MISSING;
      gap ||= missing;
      if (code > CODE_TOP) continue;
      low = Math.min(low, code);
      high = Math.max(high, packet.max[row * have + i] as number);
      const middle = meanCode(packet, row * have + i);
      const lasts = (edges[i + 1] as number) - (edges[i] as number);
      // Values of which the mean is not known are in no mean of all.
      total += middle > CODE_TOP ? Number.NaN : middle * lasts;
      seconds += lasts;
    }
    const none = gap ? CODE_MISSING : CODE_NONE;
    min[bucket] = high < 0 ? none : low;
    max[bucket] = high < 0 ? none : high;
    const middle = Math.min(Math.max(Math.round(total / seconds), low), high);
    mean[bucket] = high < 0 ? none : Number.isNaN(middle) ? CODE_NONE : middle;
  }
}

/** Repeat the first items of a column, each in all buckets from one of `own` to the next. */
function spreadOut<T extends Uint16Array | Float64Array>(column: T, own: readonly number[]): void {
  for (let at = own.length - 2; at >= 0; at--)
    column.fill(column[at] as number, own[at], own[at + 1]);
}

/** Widen the codes of a series to multiples of a grain. */
function tellCoarsely([min, max, mean]: Columns, grain: number): void {
  if (grain === 1) return;
  for (let i = 0; i < min.length; i++) {
    if ((min[i] as number) > CODE_TOP) continue;
    min[i] = Math.floor((min[i] as number) / grain) * grain;
    max[i] = Math.ceil((max[i] as number) / grain) * grain;
    if ((mean[i] as number) <= CODE_TOP) mean[i] = Math.round((mean[i] as number) / grain) * grain;
  }
}
