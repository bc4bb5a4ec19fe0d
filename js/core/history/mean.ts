/**
 * Joins means. What is known row by row weighs as many rows; of a stretch of which only the mean is
 * known, the rows are not counted, and it weighs by its length. An unknown mean (NaN) makes the
 * whole unknown.
 */

/** The mean of two parts; a part without weight does not count. */
export function weighted(one: number, weight: number, two: number, other: number): number {
  if (!(weight > 0)) return other > 0 ? two : Number.NaN;
  if (!(other > 0)) return one;
  return (one * weight + two * other) / (weight + other);
}

/** `mean` within the extremes, which sums and codes miss by a rounding; NaN stays. */
export function limited(mean: number, min: number, max: number): number {
  return mean < min ? min : mean > max ? max : mean;
}

/**
 * The mean of rows that cover `span`, and of stretches that cover `covered`; `stretched` is the sum
 * of their means, each times its length.
 */
export function joined(
  sum: number,
  count: number,
  span: number,
  stretched: number,
  covered: number,
): number {
  const rows = sum / count;
  return covered > 0 ? weighted(rows, count > 0 ? span : 0, stretched / covered, covered) : rows;
}

/**
 * How much of an axis the places [from, to) cover, of `length` in order along it. Of a lone place
 * that has no neighbour nothing is known: beside stretches it weighs nothing.
 */
export function spanOf(axis: ArrayLike<number>, from: number, to: number, length: number): number {
  const [first, last] = [axis[from] as number, axis[to - 1] as number];
  if (to - from > 1) return ((last - first) * (to - from)) / (to - from - 1);
  const after = to < length ? (axis[to] as number) - last : Number.POSITIVE_INFINITY;
  const before = from > 0 ? first - (axis[from - 1] as number) : Number.POSITIVE_INFINITY;
  const near = Math.min(after, before);
  return Number.isFinite(near) ? near : 0;
}
