/** Values that a user logged and no axis has a place for; as `pulse_widgets/series/odd.py`. */

import type { OddWire } from "../core/header.gen";
import type { Columns } from "./columns";

const MOST = 1000;

/** The records of the rows of a series with start <= time < end; of many the last. */
export function oddOf(
  series: number,
  { time, value, missing, step }: Columns,
  start = -Infinity,
  end = Infinity,
): OddWire[] {
  const found: OddWire[] = [];
  for (let i = value.length - 1; i >= 0 && found.length < MOST; i--) {
    const [at, one] = [time[i] as number, value[i] as number];
    if (Number.isFinite(one) || missing?.[i] || at < start || at >= end) continue;
    const what = one === Infinity ? "inf" : one === -Infinity ? "-inf" : "nan";
    const known = step?.[i] ?? Number.NaN;
    found.push({ series, time: at / 1e6, step: Number.isNaN(known) ? null : known, what });
  }
  return found.reverse();
}
