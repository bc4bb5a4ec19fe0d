/** The best value of one series: of its rows, and of buckets of which only extremes are known. */

import type { Best } from "../source";
import type { Bucket, Coarse } from "./coarse";
import type { Exact } from "./exact";

type Better = "min" | "max";

export class BestValue {
  readonly #exact: Exact;
  readonly #coarse: Coarse;
  /** The best row of the first `rows`; -1 for none. */
  #row = -1;
  #rows = 0;
  #edits = 0;
  #better: Better = "min";

  constructor(exact: Exact, coarse: Coarse) {
    this.#exact = exact;
    this.#coarse = coarse;
  }

  of(better: Better): Best | null {
    this.#look(better);
    const { time, value, step } = this.#exact;
    const at = this.#row;
    const row =
      at < 0
        ? null
        : {
            value: value[at] as number,
            time: time[at] as number,
            step: step?.[at] ?? Number.NaN,
          };
    return this.#coarse.buckets.reduce((best: Best | null, bucket) => {
      const found = bucket[better];
      if (!isBetter(found, best?.value, better)) return best;
      return { value: found, time: (bucket.start + bucket.end) / 2, step: bucket.step };
    }, row);
  }

  /** Only what came since the last time is looked at. */
  #look(better: Better): void {
    const { value, length, edits } = this.#exact;
    if (edits !== this.#edits || better !== this.#better || length < this.#rows) {
      [this.#row, this.#rows] = [-1, 0];
      [this.#edits, this.#better] = [edits, better];
    }
    for (; this.#rows < length; this.#rows++) {
      const known = this.#row < 0 ? undefined : value[this.#row];
      if (isBetter(value[this.#rows] as number, known, better)) this.#row = this.#rows;
    }
  }
}

function isBetter(value: Bucket["min"], known: number | undefined, better: Better): boolean {
  if (!Number.isFinite(value)) return false;
  return known === undefined || (better === "min" ? value < known : value > known);
}
