/** The grid that all drawing shares: buckets whose edges are multiples of their width. */

/** Row times are whole microseconds; finer buckets would tell nothing apart. */
const FINEST = 1e-6;

/** The smallest of 1, 2 and 5 times a power of ten that is at least `width`. */
export function bucketWidth(width: number): number {
  const wanted = Math.max(width, FINEST);
  const size = 10 ** Math.floor(Math.log10(wanted) + 1e-12);
  const factor = [1, 2, 5, 10].find((f) => f * size >= wanted * (1 - 1e-9)) ?? 10;
  return factor * size;
}
