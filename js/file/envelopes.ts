/** Blocks of rows of one series, as the overview has them; see `series/envelopes.py`. */

/** Column-wise; `length` blocks and gaps in order of time. */
export interface Envelopes {
  readonly length: number;
  /** How many rows: 1 for a missing reading, 0 for a silence. */
  readonly rows: Float64Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** NaN where there is no finite value. */
  readonly least: Float64Array;
  readonly greatest: Float64Array;
  readonly total: Float64Array;
  readonly count: Float64Array;
  readonly last: Float64Array;
}

/** The mean of an envelope, which lies within it; NaN where it has no weight. */
export function meanOf(total: number, weight: number, least: number, greatest: number): number {
  if (!(weight > 0)) return Number.NaN;
  let mean = total / weight;
  // Sums of finite values may overflow, to infinity or, of both signs, to no number at all.
  if (Number.isNaN(mean)) mean = least / 2 + greatest / 2;
  return Math.min(Math.max(mean, least), greatest);
}

/** The blocks with start <= time < end, cut off there; values lie evenly in time. */
export function blocksBetween(blocks: Envelopes, start: number, end: number): Envelopes {
  const { length } = blocks;
  const chosen: number[] = [];
  const until = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    // A block without values is a gap, until the next block or to the end.
    until[i] =
      (blocks.count[i] as number) > 0
        ? (blocks.end[i] as number)
        : i + 1 < length
          ? (blocks.start[i + 1] as number)
          : end;
    if ((until[i] as number) >= start && (blocks.start[i] as number) < end) chosen.push(i);
  }
  const of = (column: Float64Array) => Float64Array.from(chosen, (i) => column[i] as number);
  const clip = (time: number) => Math.min(Math.max(time, start), end - 1);
  const first = of(blocks.start).map(clip);
  const last = of(until).map(clip);
  const [begun, ended] = [of(blocks.start), of(blocks.end)];
  const [least, greatest, total] = [of(blocks.least), of(blocks.greatest), of(blocks.total)];
  const before = of(blocks.count);
  const count = before.map((many, i) => {
    const share =
      ((last[i] as number) - (first[i] as number) + 1) /
      ((ended[i] as number) - (begun[i] as number) + 1);
    return Math.ceil(many * share);
  });
  const summed = total.map((sum, i) => {
    const many = count[i] as number;
    if (!(many > 0)) return 0;
    return many * meanOf(sum, before[i] as number, least[i] as number, greatest[i] as number);
  });
  return {
    length: chosen.length,
    rows: of(blocks.rows),
    start: first,
    end: last,
    least,
    greatest,
    total: summed,
    count,
    last: of(blocks.last),
  };
}
