/**
 * One series over the values of another: loss over epochs, accuracy over tokens.
 *
 * A value stands where the other series has a value of the same step; where it has none, or no
 * steps are given, at its latest one of that time or before. What stands before the value before it
 * begins another run, as with steps, and is drawn as they are. Rows that are appended are looked at
 * once.
 */

import type { Columns, Stepped } from "../source";
import type { Answers } from "./answers";
import type { Bucket, Coarse } from "./coarse";
import type { Exact } from "./exact";
import type { Reading } from "./reading";
import { type StepBuckets, type StepRows, Steps } from "./steps";

/** What is needed to know of a series. */
export interface Rows {
  readonly exact: Exact;
  readonly coarse: Coarse;
  at(time: number): Reading | null;
}

export class Along implements Stepped {
  readonly #y: Rows;
  readonly #x: Rows;
  readonly #places: Places;
  /** Where each row of `y` stands; NaN for nowhere. */
  #at = new Float64Array(64);
  #length = 0;
  #buckets: Bucket[] = [];
  #known = "";
  /** The rows of `x` when it was last looked at, and the time of the last. */
  #xRows = 0;
  #xTime = Number.NEGATIVE_INFINITY;
  #changed = Number.POSITIVE_INFINITY;
  #bucketsChanged = Number.POSITIVE_INFINITY;
  readonly #steps: Steps;

  constructor(y: Rows, x: Rows, answers: Answers) {
    this.#y = y;
    this.#x = x;
    this.#places = new Places(x);
    this.#steps = new Steps(this.#asRows(), this.#asBuckets(), answers);
  }

  draw(range: readonly [number, number], points: number, out: Columns, run?: number): void {
    this.#look();
    this.#steps.draw(range, points, out, run);
  }

  runs(): number {
    this.#look();
    return this.#steps.runs();
  }

  extent(): [number, number] | null {
    this.#look();
    return this.#steps.extent();
  }

  #look(): void {
    const [y, x] = [this.#y.exact, this.#x.exact];
    const from = this.#fresh();
    if (from === y.length && from === this.#length) return;
    this.#places.look();
    if (this.#at.length < y.length) {
      const larger = new Float64Array(Math.ceil(y.length * 1.5));
      larger.set(this.#at);
      this.#at = larger;
    }
    for (let i = from; i < y.length; i++) {
      const time = y.time[i] as number;
      this.#at[i] = this.#places.of(time, y.step?.[i] ?? Number.NaN);
    }
    if (from < this.#length) this.#changed = Math.min(this.#changed, from);
    this.#length = y.length;
    [this.#xRows, this.#xTime] = [x.length, x.last];
  }

  /** The first row whose place has to be found anew, or for the first time. */
  #fresh(): number {
    const [y, x] = [this.#y.exact, this.#x.exact];
    const known = `${y.edits} ${x.edits} ${spanOf(this.#y.coarse)} ${spanOf(this.#x.coarse)}`;
    if (known !== this.#known) {
      this.#known = known;
      this.#places.forget();
      this.#places.look();
      this.#buckets = this.#y.coarse.buckets.map((one) => {
        // What begins at its end is not of it.
        const last = one.end - (one.end - one.start) / 1024;
        return { ...one, step: this.#places.of(last, one.step) };
      });
      this.#bucketsChanged = this.#changed = 0;
      return 0;
    }
    // A value may have come before that of the same step beside it.
    const open = x.length > this.#xRows ? y.lowerBound(this.#xTime) : this.#length;
    return Math.min(open, this.#length);
  }

  #asRows(): StepRows {
    const exact = this.#y.exact;
    const own = this;
    return {
      get length() {
        return own.#length;
      },
      get time() {
        return exact.time;
      },
      get value() {
        return exact.value;
      },
      get step() {
        return own.#at;
      },
      scan: (from, to) => exact.scan(from, to),
      takeChanged: () => {
        const changed = this.#changed;
        this.#changed = Number.POSITIVE_INFINITY;
        return changed;
      },
    };
  }

  #asBuckets(): StepBuckets {
    const own = this;
    return {
      get buckets() {
        return own.#buckets;
      },
      takeChanged: () => {
        const changed = this.#bucketsChanged;
        this.#bucketsChanged = Number.POSITIVE_INFINITY;
        return changed;
      },
    };
  }
}

/** Changes whenever buckets do. */
function spanOf({ buckets }: Coarse): string {
  const last = buckets.at(-1);
  return `${buckets.length} ${buckets[0]?.start} ${last?.end} ${last?.max}`;
}

/** The values of a series, by step and by time. */
export class Places {
  readonly #x: Rows;
  /** Steps of its rows, those without one as the row before; and where each run of them begins. */
  #steps: number[] = [];
  #runs: number[] = [];

  constructor(x: Rows) {
    this.#x = x;
  }

  forget(): void {
    [this.#steps, this.#runs] = [[], []];
  }

  /** Look at the rows that came since the last time. */
  look(): void {
    const { step, length } = this.#x.exact;
    for (let i = this.#steps.length; i < length; i++) {
      const before = this.#steps[i - 1] ?? Number.NEGATIVE_INFINITY;
      const now = step?.[i] ?? Number.NaN;
      if (i === 0 || now < before) this.#runs.push(i);
      this.#steps.push(Number.isNaN(now) ? before : now);
    }
  }

  /** Where something of a time and a step stands. */
  of(time: number, step: number): number {
    const { exact } = this.#x;
    const latest = exact.upperBound(time) - 1;
    const row = Number.isNaN(step) ? -1 : this.#sameStep(latest, time, step);
    if (row >= 0) return exact.value[row] as number;
    return this.#x.at(time)?.value ?? Number.NaN;
  }

  /** The row of a step that is next to a time, in the run of that time or the one after it. */
  #sameStep(latest: number, time: number, step: number): number {
    if (this.#steps[latest] === step) return latest;
    const run = Math.max(lastUpTo(this.#runs, latest), 0);
    const [one, two] = [this.#rowIn(run, step), this.#rowIn(run + 1, step)];
    if (one < 0 || two < 0) return Math.max(one, two);
    const far = (row: number) => Math.abs((this.#x.exact.time[row] as number) - time);
    return far(two) < far(one) ? two : one;
  }

  #rowIn(run: number, step: number): number {
    const from = this.#runs[run];
    if (from === undefined) return -1;
    const end = this.#runs[run + 1] ?? this.#steps.length;
    let [low, high] = [from, end];
    while (low < high) {
      const half = (low + high) >>> 1;
      if ((this.#steps[half] as number) <= step) low = half + 1;
      else high = half;
    }
    return low > from && this.#steps[low - 1] === step ? low - 1 : -1;
  }
}

/** Place of the last number that is at most `most`; -1 for none. */
function lastUpTo(sorted: readonly number[], most: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const half = (low + high) >>> 1;
    if ((sorted[half] as number) <= most) low = half + 1;
    else high = half;
  }
  return low - 1;
}
