/** Remembers for which time ranges of one series the kernel has answered, and how finely. */

/** Ranges of each kind that are remembered. */
const MOST = 256;

export interface Range {
  readonly t0: number;
  readonly t1: number;
}

interface Answer extends Range {
  /** Buckets a second of which the extremes came; Infinity when every row did. */
  readonly density: number;
  /** Rows are here, but not all: only the extremes of each bucket. */
  readonly thinned?: boolean;
  /** The kernel has nothing more of it: what is here is all there will be. */
  readonly final?: boolean;
}

/** Both kinds of range are kept in order of time, and none reaches over another. */
export class Answers {
  #given: Answer[] = [];
  /** Where rows may be missing here without a bucket that stands for them. */
  #open: Range[] = [];

  /** What was answered for [t0, t1] stands in the place of what was there. */
  add(answer: Answer): void {
    if (!(answer.t0 < answer.t1)) return;
    this.#given = inOrder([...outside(this.#given, answer.t0, answer.t1), answer]);
    if (this.#given.length <= MOST) return;
    // Forgetting an answer that had every row costs one request too many, no more.
    const whole = this.#given.findIndex((one) => one.density === Number.POSITIVE_INFINITY);
    const [first, second] = this.#given as [Answer, Answer];
    if (whole < 0 && first.thinned && second.thinned) {
      const density = Math.min(first.density, second.density);
      const final = first.final === true && second.final === true;
      this.#given.splice(0, 2, { ...first, t1: second.t1, density, final });
    } else this.#given.splice(Math.max(whole, 0), 1);
  }

  /** Only the extremes of some rows came unasked; joined with a range before that was like that. */
  thin(answer: Answer): void {
    const last = this.#given[this.#given.length - 1];
    const near = last && answer.t0 - last.t1 <= answer.t1 - answer.t0;
    const goesOn = near && last.thinned === true && last.t1 <= answer.t0;
    const density = goesOn ? Math.min(last.density, answer.density) : answer.density;
    this.add({ t0: goesOn ? last.t0 : answer.t0, t1: answer.t1, density, thinned: true });
  }

  /** An envelope was answered for [t0, t1]; what is known more finely stays so. */
  refine(t0: number, t1: number, density: number): void {
    const finer = this.#given.filter((one) => one.density >= density && !one.thinned);
    for (const part of without(finer, t0, t1)) this.add({ ...part, density });
  }

  /** The kernel has nothing of [t0, t1] any more; what is known of it stays as it is. */
  exhaust(t0: number, t1: number): void {
    const known = this.#given
      .map((one) => ({ ...one, t0: Math.max(one.t0, t0), t1: Math.min(one.t1, t1), final: true }))
      .filter((part) => part.t0 < part.t1);
    this.add({ t0, t1, density: Number.POSITIVE_INFINITY });
    for (const part of known) this.add(part);
  }

  /** The parts of [t0, t1] without those where buckets of an answer are finer than `density`. */
  coarser(t0: number, t1: number, density: number): Range[] {
    const finer = this.#given.filter(
      (one) => one.density > density && Number.isFinite(one.density) && !one.thinned,
    );
    return finer.length > 0 ? without(finer, t0, t1) : [{ t0, t1 }];
  }

  /** The stretches in [t0, t1] where rows may be missing without a bucket that stands for them. */
  opened(t0: number, t1: number): Range[] {
    return within(this.#open, t0, t1);
  }

  /** The stretches in [t0, t1] where there are rows, fewer than `density` buckets a second have. */
  thinnedBelow(t0: number, t1: number, density: number): Range[] {
    const thinner = this.#given.filter((one) => one.thinned && one.density < density);
    return within(thinner, t0, t1);
  }

  /** Whether of some rows in [t0, t1] only the extremes are here. */
  thinned(t0: number, t1: number): boolean {
    if (this.#given.length === 0) return false;
    return this.#given.some((one) => one.thinned && one.t0 <= t1 && one.t1 >= t0);
  }

  /** What was answered for [t0, t1] is not here any more. */
  forget(t0: number, t1: number): void {
    this.#given = outside(this.#given, t0, t1);
  }

  /** There may be rows in [t0, t1] that are not here. */
  open(t0: number, t1: number): void {
    if (!(t0 < t1)) return;
    this.#open = inOrder([...outside(this.#open, t0, t1), { t0, t1 }]);
    if (this.#open.length <= MOST) return;
    const [first, second, ...rest] = this.#open as [Range, Range, ...Range[]];
    this.#open = [{ t0: first.t0, t1: second.t1 }, ...rest];
  }

  /** The rows in [t0, t1] are here. */
  close(t0: number, t1: number): void {
    if (this.#open.length > 0) this.#open = outside(this.#open, t0, t1);
  }

  /**
   * Whether asking for `density` buckets a second of [t0, t1] could bring anything new; `coarse`
   * says that a part of it is known as buckets only.
   */
  incomplete(t0: number, t1: number, density: number, coarse: boolean): boolean {
    // The same request, moved along, differs by a rounding.
    const wanted = density * (1 - 1e-6);
    const isEnough = (one: Answer) => one.final === true || one.density >= wanted;
    const within = this.#given.filter((answer) => answer.t0 < t1 && answer.t1 > t0);
    let known = t0;
    for (const one of within) {
      if (one.t0 <= known && isEnough(one)) known = Math.max(known, one.t1);
    }
    if (known >= t1) return false;
    const open = this.#open.some((one) => one.t0 < t1 && one.t1 > t0);
    return coarse || open || within.some((answer) => !isEnough(answer));
  }
}

/** What lies outside [t0, t1]; a range across an end becomes shorter. */
function outside<T extends Range>(ranges: readonly T[], t0: number, t1: number): T[] {
  return ranges
    .flatMap((one) => [
      { ...one, t1: Math.min(one.t1, t0) },
      { ...one, t0: Math.max(one.t0, t1) },
    ])
    .filter((rest) => rest.t0 < rest.t1);
}

/** What of [t0, t1] lies outside of all `ranges`. */
function without(ranges: readonly Range[], t0: number, t1: number): Range[] {
  return ranges.reduce((rest, one) => outside(rest, one.t0, one.t1), [{ t0, t1 }] as Range[]);
}

/** What of some ranges lies in [t0, t1]. */
export function within(ranges: readonly Range[], t0: number, t1: number): Range[] {
  return ranges
    .map((one) => ({ t0: Math.max(one.t0, t0), t1: Math.min(one.t1, t1) }))
    .filter((part) => part.t0 < part.t1);
}

/** The same stretches, in order, those that touch as one. */
export function united(ranges: readonly Range[]): Range[] {
  const joined: { t0: number; t1: number }[] = [];
  for (const { t0, t1 } of inOrder([...ranges])) {
    const last = joined[joined.length - 1];
    if (last && t0 <= last.t1) last.t1 = Math.max(last.t1, t1);
    else joined.push({ t0, t1 });
  }
  return joined;
}

function inOrder<T extends Range>(ranges: T[]): T[] {
  return ranges.sort((a, b) => a.t0 - b.t0);
}
