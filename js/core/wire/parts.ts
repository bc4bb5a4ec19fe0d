/** What one series has in a packet: its envelope in a keyframe, its rows in an answer. */

import type { Envelope } from "./envelope";
import { CODE_MISSING, CODE_NONE, CODE_TOP, type KeyframePacket, type Rows } from "./packet";

export type { Envelope } from "./envelope";

/** The envelope of the series in one line of a keyframe. */
export function envelopeOf(packet: KeyframePacket, row: number): Envelope {
  const { buckets, edges } = packet;
  const lo = packet.lo[row] as number;
  const scale = ((packet.hi[row] as number) - lo) / CODE_TOP;
  const missing = new Uint8Array(buckets);
  const [min, max, mean] = [0, 0, 0].map(() => new Float64Array(buckets).fill(Number.NaN)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let i = 0; i < buckets; i++) {
    const code = packet.min[row * buckets + i] as number;
    if (code === CODE_MISSING) missing[i] = 1;
    if (code > CODE_TOP) continue;
    min[i] = lo + scale * code;
    max[i] = lo + scale * (packet.max[row * buckets + i] as number);
    const middle = meanCode(packet, row * buckets + i);
    if (middle <= CODE_TOP) mean[i] = lo + scale * middle;
  }
  const stepRow = packet.stepped.indexOf(packet.ids[row] as number);
  const step =
    stepRow < 0 ? null : packet.stepLast.subarray(stepRow * buckets, (stepRow + 1) * buckets);
  const slack = scale * 1.01 * (packet.grains?.[row] ?? 1);
  return { edges, min, max, mean, missing, step, slack };
}

/**
 * The code of the mean of one bucket with values, between those of its extremes; `CODE_NONE` where
 * it is not known. Packets of older versions tell it only where both extremes are the same.
 */
export function meanCode({ min, max, mean }: KeyframePacket, at: number): number {
  const [low, high] = [min[at] as number, max[at] as number];
  if (low === high) return low;
  const code = mean?.[at] ?? CODE_NONE;
  return code > CODE_TOP ? CODE_NONE : Math.min(Math.max(code, low), high);
}

interface MutableBatch {
  length: number;
  time: number[];
  value: number[];
  step: number[] | null;
}

/** The rows of each of `ids` within [t0, t1], in order of time. */
export function split(
  rows: Rows,
  ids: readonly number[],
  t0: number,
  t1: number,
): Map<number, MutableBatch> {
  const order = Array.from({ length: rows.length }, (_, i) => i);
  order.sort((a, b) => (rows.time[a] as number) - (rows.time[b] as number));
  const batches = new Map<number, MutableBatch>();
  for (const id of ids) {
    batches.set(id, { length: 0, time: [], value: [], step: rows.step ? [] : null });
  }
  for (const i of order) {
    const batch = batches.get(rows.series[i] as number);
    const time = rows.time[i] as number;
    if (!batch || time < t0 || time > t1) continue;
    batch.length++;
    batch.time.push(time);
    batch.value.push(rows.value[i] as number);
    batch.step?.push(rows.step?.[i] as number);
  }
  return batches;
}
