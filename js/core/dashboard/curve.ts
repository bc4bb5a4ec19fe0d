/** The values of a small curve: what lies between two readings is joined, what is missing is not. */

import { columns, type Source, valueAt } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";

/** What several series are put together to. */
export type Fold = "sum" | "max" | "mean";

/** One series in slots: NaN before its first reading, after its last, and in gaps. */
interface Traced {
  readonly values: Float64Array;
  /** Slots of its first and its last reading; the first is behind the last where there is none. */
  readonly first: number;
  readonly last: number;
  /** Slots from one reading to the next, at most. */
  readonly step: number;
}

interface Point {
  /** Place in slots; it may lie outside. */
  readonly at: number;
  readonly value: number;
}

const scratch = columns(256);

/**
 * One value a slot of [from, to], NaN where there is none or a reading is missing. How far readings
 * lie from one another does not matter, only where some are missing. Several series are folded into
 * one. Pure.
 */
export function curve(
  source: Source,
  ids: readonly number[],
  range: AxisRange,
  count: number,
  fold: Fold,
): Float64Array {
  const traced = ids.map((id) => trace(source, id, range, count));
  widen(traced, count);
  const total = new Float64Array(count).fill(Number.NaN);
  for (let at = 0; at < count; at++) {
    let [sum, most, lines] = [0, Number.NEGATIVE_INFINITY, 0];
    for (const { values } of traced) {
      const value = values[at] as number;
      if (Number.isNaN(value)) continue;
      sum += value;
      most = Math.max(most, value);
      lines++;
    }
    if (lines > 0) total[at] = { sum, max: most, mean: sum / lines }[fold];
  }
  return total;
}

function trace(source: Source, id: number, [from, to]: AxisRange, count: number): Traced {
  const values = new Float64Array(count).fill(Number.NaN);
  const counts = new Uint16Array(count);
  let [first, last, step] = [count, -1, 0];
  let before: Point | null = null;
  source.range(id, from, to, count, scratch);
  for (let i = 0; i < scratch.length; i++) {
    const time = scratch.time[i] as number;
    const value = valueAt(scratch, i);
    if (!Number.isFinite(value)) {
      before = null;
      continue;
    }
    // The last moment of the range belongs to the last slot.
    const at = time === to ? count - 1 : Math.floor(((time - from) / (to - from)) * count);
    const point = { at, value };
    if (before) {
      join(values, before, point);
      step = Math.max(step, at - before.at);
    }
    before = point;
    if (at < 0 || at >= count) continue;
    const many = (counts[at] as number) + 1;
    const known = many > 1 ? (values[at] as number) : 0;
    counts[at] = many;
    values[at] = known + (value - known) / many;
    [first, last] = [Math.min(first, at), Math.max(last, at)];
  }
  return { values, first, last, step };
}

/** Straight from one reading to the next. */
function join(values: Float64Array, a: Point, b: Point): void {
  const each = (b.value - a.value) / (b.at - a.at);
  for (let at = Math.max(a.at + 1, 0); at < Math.min(b.at, values.length); at++) {
    values[at] = a.value + each * (at - a.at);
  }
}

/**
 * Series are not read at the same moment: one that begins or ends a reading's distance beside
 * another goes on there, or a sum would fall at its ends.
 */
function widen(traced: readonly Traced[], count: number): void {
  const first = Math.min(...traced.map((one) => one.first));
  const last = Math.max(...traced.map((one) => one.last));
  for (const one of traced) {
    if (one.first > one.last) continue;
    const reach = Math.max(one.step, 1);
    for (let at = one.first - 1; at >= Math.max(first, one.first - reach, 0); at--) {
      if (!Number.isNaN(one.values[at] as number)) break;
      one.values[at] = one.values[one.first] as number;
    }
    for (let at = one.last + 1; at <= Math.min(last, one.last + reach, count - 1); at++) {
      if (!Number.isNaN(one.values[at] as number)) break;
      one.values[at] = one.values[one.last] as number;
    }
  }
}
