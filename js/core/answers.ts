/** What the kernel has answered of one series, and where asking again would bring more. */

/** Answers and stretches remembered, so that the same detail is not asked for again. */
const MOST = 32;

interface Answer {
  readonly t0: number;
  readonly t1: number;
  /** Buckets a second of which the extremes came; Infinity when every row did. */
  readonly density: number;
}

interface Stretch {
  readonly t0: number;
  readonly t1: number;
}

export class Answers {
  #given: Answer[] = [];
  /** Where there may be rows that are not here, and no cell says so. */
  #open: Stretch[] = [];

  add(answer: Answer): void {
    this.#given = [...this.#given, answer].slice(-MOST);
  }

  /** There may be rows in [t0, t1] that are not here. */
  open(t0: number, t1: number): void {
    if (t0 < t1) this.#open = [...this.#open, { t0, t1 }].slice(-MOST);
  }

  /** The rows in [t0, t1] are here. */
  close(t0: number, t1: number): void {
    if (this.#open.length === 0) return;
    this.#open = this.#open
      .flatMap((one) => [
        { t0: one.t0, t1: Math.min(one.t1, t0) },
        { t0: Math.max(one.t0, t1), t1: one.t1 },
      ])
      .filter((rest) => rest.t0 < rest.t1);
  }

  /**
   * Whether asking for `density` buckets a second of [t0, t1] could bring anything new; `coarse`
   * says that a part of it is known as cells only.
   */
  lacks(t0: number, t1: number, density: number, coarse: boolean): boolean {
    const within = this.#given.filter((answer) => answer.t0 < t1 && answer.t1 > t0);
    const covers = (a: Answer) => a.t0 <= t0 && a.t1 >= t1 && a.density >= density;
    if (within.some(covers)) return false;
    const open = this.#open.some((one) => one.t0 < t1 && one.t1 > t0);
    return coarse || open || within.some((answer) => answer.density < density);
  }
}
