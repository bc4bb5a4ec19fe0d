/**
 * Where rows of one series were missed that no keyframe has told yet. Series do not come in step,
 * so each knows for itself from where to where it has holes.
 */

interface Hole {
  readonly t0: number;
  readonly t1: number;
}

export class MissingRanges {
  #holes: Hole[] = [];
  /** After this moment rows were missed, it is not known how many; null for none. */
  #since: number | null;
  /** Where the gap begins that is to be shown; null for none. */
  #gap: number | null = null;

  /** `whole`: nothing of the series can have been missed yet. */
  constructor(whole: boolean) {
    this.#since = whole ? null : Number.NEGATIVE_INFINITY;
  }

  /** Rows after `since` were missed; `gap` is where that shows, null where it is not to. */
  begin(since: number, gap: number | null): void {
    this.#since ??= since;
    this.#gap ??= gap;
  }

  /** A row came: if it is the first since some were missed, the gap to show, if any. */
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

  /** Take all until now for missed: what was told of it was not all that there is to tell. */
  again(): void {
    this.#holes = [];
    this.#since = Number.NEGATIVE_INFINITY;
  }

  /** A keyframe that ends at `end` told all until `known`; what is later stays open. */
  told(known: number, end: number): void {
    this.#holes = this.#holes
      .filter(({ t1 }) => t1 > known)
      .map(({ t0, t1 }) => ({ t0: Math.max(t0, known), t1 }));
    if (this.#since === null) return;
    this.#since = known < end ? Math.max(this.#since, known) : null;
    if (this.#since === null) this.#gap = null;
  }
}
