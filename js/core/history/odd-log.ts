/** Keeps the odd values of each series: infinities and NaN that somebody logged. */

import type { OddWire } from "../header.gen";
import type { Odd } from "../source";

/** Odd values kept of one series, the newest of them. */
export const ODD_KEPT = 1000;
const NONE: readonly Odd[] = [];
const WORDS: readonly Odd["what"][] = ["inf", "-inf", "nan"];

export class OddLog {
  readonly #odd = new Map<number, readonly Odd[]>();

  /** Packets overlap, so the same value may come several times. */
  add(told: readonly OddWire[]): void {
    const fresh = new Map<number, Odd[]>();
    for (const { series, time, step, what } of told) {
      const word = WORDS.find((one) => one === what);
      if (!word) continue;
      const own = fresh.get(series) ?? [];
      fresh.set(series, own);
      own.push({ time, step, what: word });
    }
    for (const [series, odd] of fresh) {
      const all = [...this.of(series), ...odd];
      const each = new Map(all.map((one) => [`${one.time} ${one.step} ${one.what}`, one]));
      const sorted = [...each.values()].sort((a, b) => a.time - b.time);
      this.#odd.set(series, sorted.slice(-ODD_KEPT));
    }
  }

  of(series: number): readonly Odd[] {
    return this.#odd.get(series) ?? NONE;
  }
}
