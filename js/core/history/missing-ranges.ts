/**
 * The time ranges of one series whose rows were lost and that no keyframe has filled yet. Series
 * do not arrive at the same times, so each series has its own ranges.
 */

interface Hole {
  readonly t0: number;
  readonly t1: number;
}

export class MissingRanges {
  #holes: Hole[] = [];
  /** Rows after this time were lost, up to the next row that comes; null for none. */
  #since: number | null;
  /** Where the gap to be drawn begins; null for none. */
  #gap: number | null = null;

  /** `whole`: no row of the series can have been lost yet. */
  constructor(whole: boolean) {
    this.#since = whole ? null : Number.NEGATIVE_INFINITY;
  }

  /** Rows after `since` were lost; `gap` is where a gap is drawn from, null for none. */
  begin(since: number, gap: number | null): void {
    this.#since ??= since;
    this.#gap ??= gap;
  }

  /** A row arrived. If it is the first after lost ones, returns the gap to draw, if any. */
  found(time: number): Hole | null {
    if (this.#since === null || time <= this.#since) return null;
    const gap = this.#gap;
    this.#holes.push({ t0: this.#since, t1: time });
    this.#since = this.#gap = null;
    return gap !== null && Number.isFinite(gap) && gap < time ? { t0: gap, t1: time } : null;
  }

  /** The holes that a keyframe ending at `end` can fill. */
  until(end: number): Hole[] {
    const open = this.#since === null ? [] : [{ t0: this.#since, t1: end }];
    return [...this.#holes, ...open]
      .map(({ t0, t1 }) => ({ t0, t1: Math.min(t1, end) }))
      .filter(({ t0, t1 }) => t0 < t1);
  }

  /** Count everything until now as lost: what filled it was only a coarse snapshot. */
  again(): void {
    this.#holes = [];
    this.#since = Number.NEGATIVE_INFINITY;
  }

  /** A keyframe that ends at `end` has filled all until `known`; what is later stays open. */
  filled(known: number, end: number): void {
    this.#holes = this.#holes
      .filter(({ t1 }) => t1 > known)
      .map(({ t0, t1 }) => ({ t0: Math.max(t0, known), t1 }));
    if (this.#since === null) return;
    this.#since = known < end ? Math.max(this.#since, known) : null;
    if (this.#since === null) this.#gap = null;
  }
}
