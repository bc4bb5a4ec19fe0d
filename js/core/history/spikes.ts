/** Which buckets stick out of the band around them: there one sample is unlike all others. Pure. */

/** Buckets on either side that a bucket is compared with. */
const AROUND = 16;
/** How many times farther than usual the end of a bucket lies from its mean. */
const FAR = 3;
/** The same for a mean beyond both of those beside it: noise of lone samples has peaks, too. */
const LONE_FAR = 8;

export const UP = 1;
export const DOWN = 2;

interface Band {
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly mean: Float64Array;
  /** 1 where a bucket goes on with the one before: it is no other one. */
  readonly same: Uint8Array;
}

let spreads = new Float64Array(0);

/**
 * For each of the first `count` buckets: bits that say at which end it sticks out.
 *
 * What is usual is the mean spread of the neighbours, the bucket itself left out. The spread of one
 * is how far its ends are from its mean, or half the way from the mean before it to its own, if
 * that is more: so noise of one sample a bucket is as wide as noise of many.
 */
export function spikesOf(band: Band, count: number, out: Uint8Array): void {
  const { low, high, mean } = band;
  spread(band, count);
  let [sum, known, from, to] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    for (; to < count && to <= i + AROUND; to++) {
      const next = spreads[to] as number;
      if (next < 0) continue;
      sum += next;
      known++;
    }
    for (; from < i - AROUND; from++) {
      const gone = spreads[from] as number;
      if (gone < 0) continue;
      sum -= gone;
      known--;
    }
    out[i] = 0;
    const ownSpread = spreads[i] as number;
    if (ownSpread < 0 || known < 2) continue;
    const usual = (sum > ownSpread ? sum - ownSpread : 0) / (known - 1);
    // What is no farther than the band around it cannot stick out of it.
    if (ownSpread <= usual * FAR) continue;
    const own = mean[i] as number;
    const before = knownOr(mean[i - 1], own);
    const after = knownOr(mean[i + 1], own);
    // Also beyond the means beside it: one sample moves the mean of its bucket, too.
    const [above, below] = [Math.max(before, after), Math.min(before, after)];
    const over = Math.min((high[i] as number) - own, (high[i] as number) - above);
    const under = Math.min(own - (low[i] as number), below - (low[i] as number));
    const up = over > usual * FAR || own - above > usual * LONE_FAR ? UP : 0;
    const down = under > usual * FAR || below - own > usual * LONE_FAR ? DOWN : 0;
    out[i] = up | down;
  }
}

/** How wide every bucket is; -1 where that is not known. */
function spread({ low, high, mean, same }: Band, count: number): void {
  if (spreads.length < count) spreads = new Float64Array(count * 2);
  let previous = Number.NaN;
  for (let i = 0; i < count; i++) {
    const own = mean[i] as number;
    const [up, down] = [(high[i] as number) - own, own - (low[i] as number)];
    const step = Math.abs(own - previous) / 2;
    let wide = up > down ? up : down;
    if (step > wide) wide = step;
    spreads[i] = wide < Number.POSITIVE_INFINITY && !same[i] ? wide : -1;
    if (own - own === 0) previous = own;
  }
}

function knownOr(value: number | undefined, other: number): number {
  const known = value as number;
  return known - known === 0 ? known : other;
}
