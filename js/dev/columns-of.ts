/** `Source.range` of samples in plain arrays, by going through every one of them. */

import { bucketWidth } from "../core/history/buckets";
import { type Columns, reserve } from "../core/source";

/** Times rise; a value of NaN is a missing reading. */
export function fillColumns(
  times: readonly number[],
  values: readonly number[],
  t0: number,
  t1: number,
  points: number,
  out: Columns,
): void {
  const width = bucketWidth((t1 - t0) / points);
  const [first, last] = [Math.floor(t0 / width), Math.floor(t1 / width)];
  let from = lowerBound(times, first * width);
  const to = lowerBound(times, (last + 1) * width);
  reserve(out, 2 * (to - from) + 2);
  out.length = 0;
  const put = (time: number, min: number, max: number, mean: number) => {
    const at = out.length++;
    out.time[at] = time;
    out.min[at] = min;
    out.max[at] = max;
    out.mean[at] = mean;
    out.same[at] = 0;
  };
  const outside = (i: number) => {
    const value = values[i];
    if (value !== undefined) put(times[i] as number, value, value, value);
  };
  outside(from - 1);
  while (from < to) {
    const start = from;
    const bucket = Math.floor((times[from] as number) / width);
    while (from < to && Math.floor((times[from] as number) / width) === bucket) from++;
    const own = values.slice(start, from);
    const time = from - start > 1 ? (bucket + 0.5) * width : (times[start] as number);
    const known = own.filter((value) => !Number.isNaN(value));
    if (known.length > 0) {
      const finite = known.filter(Number.isFinite);
      const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
      put(time, Math.min(...known), Math.max(...known), mean);
    }
    if (Number.isNaN(own[own.length - 1])) put(time, Number.NaN, Number.NaN, Number.NaN);
  }
  outside(to);
}

function lowerBound(values: readonly number[], wanted: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
