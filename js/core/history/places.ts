/** What stands in the places of a line: values, and what is said where there is none. */

/** In place of a value: a bucket without samples, which the line crosses. */
export const NOTHING = Number.NaN;
/** In place of a value: a gap. The reading is missing, or the mean of a bucket is not known. */
export const GAP = Number.POSITIVE_INFINITY;

/** A gap reaches from the value before it to the value after it. */
export function widenGaps(ys: Float64Array): void {
  for (let i = 0; i < ys.length; i++) {
    if (ys[i] !== GAP) continue;
    for (let k = i - 1; k >= 0 && Number.isNaN(ys[k] as number); k--) ys[k] = GAP;
    for (; i + 1 < ys.length && Number.isNaN(ys[i + 1] as number); i++) ys[i + 1] = GAP;
  }
}

/**
 * The place nearest to `index` that the line there runs from or to; in steps the one before it.
 * There may be a gap in that place, or nothing.
 */
export function nearestPlace(ys: ArrayLike<number>, index: number, stepped: boolean): number {
  const isEmpty = (at: number) => Number.isNaN(ys[at] as number);
  let [before, after] = [index, index];
  while (after < ys.length && isEmpty(after)) after++;
  if (after === ys.length) return index;
  while (before > 0 && isEmpty(before)) before--;
  return !isEmpty(before) && !stepped && after - index < index - before ? after : before;
}

/** The middle bucket of the stretch that begins in bucket `at`. */
export function stretchMiddle(same: Uint8Array, at: number, count: number): number {
  let end = at + 1;
  while (end < count && same[end]) end++;
  return (at + end - 1) >> 1;
}
