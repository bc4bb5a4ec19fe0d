/** The grid that all drawing shares: buckets whose edges are multiples of their width. */

/** Row times are whole microseconds; finer buckets would tell nothing apart. */
const FINEST = 1e-6;

/** Each at most 1.28 times the one before: a bucket of a pixel is never under 0.78 of it. */
const FACTORS = [1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.4, 8];

/** The smallest of the round factors times a power of ten that is at least `width`. */
export function bucketWidth(width: number): number {
  return nearest(width, (size, wanted) => {
    return FACTORS.find((factor) => factor * size >= wanted * (1 - 1e-9)) ?? 10;
  });
}

/** The largest of the round factors times a power of ten that is at most `width`. */
export function widthWithin(width: number): number {
  return nearest(width, (size, wanted) => {
    return FACTORS.findLast((factor) => factor * size <= wanted * (1 + 1e-9)) ?? 1;
  });
}

function nearest(width: number, factorOf: (size: number, wanted: number) => number): number {
  const wanted = Math.max(width, FINEST);
  const size = 10 ** Math.floor(Math.log10(wanted) + 1e-12);
  return factorOf(size, wanted) * size;
}
