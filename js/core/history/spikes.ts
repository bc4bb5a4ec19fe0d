/** Which buckets stick out of the band around them: there one sample is unlike all others. Pure. */

/** Buckets on either side that a bucket is compared with. */
const AROUND = 16;
/** How many times farther than usual the end of a bucket lies from its mean. */
const FAR = 3;
/** The same for its mean and those of the buckets beside it: noise of lone samples has peaks, too. */
const LONE_FAR = 7.5;

export const UP = 1;
export const DOWN = 2;

interface Band {
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly mean: Float64Array;
}

let spread = new Float64Array(0);

/**
 * For each of the first `count` buckets: bits that say at which end it sticks out.
 *
 * What is usual is the mean spread of the neighbours, the bucket itself left out. The spread of one
 * is how far its ends are from its mean, or half the way from the mean before it to its own, if
 * that is more: so noise of one sample a bucket is as wide as noise of many.
 */
export function spikesOf({ low, high, mean }: Band, count: number, out: Uint8Array): void {
  if (spread.length < count) spread = new Float64Array(count * 2);
  let previous = Number.NaN;
  for (let i = 0; i < count; i++) {
    const own = mean[i] as number;
    const ends = Math.max((high[i] as number) - own, own - (low[i] as number));
    const step = Math.abs(own - previous) / 2;
    spread[i] = ends > step || !(step >= 0) ? ends : step;
    if (own - own === 0) previous = own;
  }
  let [sum, known, from, to] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    for (; to < count && to <= i + AROUND; to++) {
      if (!isKnown(to)) continue;
      sum += spread[to] as number;
      known++;
    }
    for (; from < i - AROUND; from++) {
      if (!isKnown(from)) continue;
      sum -= spread[from] as number;
      known--;
    }
    out[i] = 0;
    if (!isKnown(i) || known < 2) continue;
    const usual = Math.max((sum - (spread[i] as number)) / (known - 1), 0);
    const own = mean[i] as number;
    const peak = own - ((mean[i - 1] as number) + (mean[i + 1] as number)) / 2;
    const up = (high[i] as number) - own > usual * FAR || peak > usual * LONE_FAR ? UP : 0;
    const down = own - (low[i] as number) > usual * FAR || -peak > usual * LONE_FAR ? DOWN : 0;
    out[i] = up | down;
  }
}

function isKnown(i: number): boolean {
  const one = spread[i] as number;
  return one - one === 0;
}
