/** Values under a cursor, as text. */

import type { Reading } from "../history/grid";
import { formatValue } from "../vocabulary/format";

/** "37 %", or "12\u201397 %" where a bucket holds more than one value. */
export function readingText(reading: Reading | null, unit: string): string {
  if (!reading || reading.min === null || reading.max === null) return formatValue(null, unit);
  return spanText(reading.min, reading.max, unit);
}

/** "missing" only where nothing was logged; `odd` names what was, beside the values around it. */
export function tipText(reading: Reading | null, unit: string, odd: string): string {
  if (reading?.min === null) return odd || "missing";
  const known = readingText(reading, unit);
  return odd ? `${known}, ${odd}` : known;
}

/** Whether it is of more than one value. */
export function isSpan({ min, max }: Reading): boolean {
  return min !== null && max !== null && min < max;
}

/** The same as one value, its mean, where that is known. */
export function single(reading: Reading): Reading {
  const { mean } = reading;
  return mean === null ? reading : { ...reading, min: mean, max: mean };
}

/** Both ends with one unit where they share it: "12\u201397 %", "900 MiB \u2013 1.2 GiB". */
export function spanText(min: number, max: number, unit: string): string {
  const [low, high] = [formatValue(min, unit), formatValue(max, unit)];
  if (low === high) return low;
  const space = low.lastIndexOf(" ");
  const shared = space > 0 && high.endsWith(low.slice(space));
  if (!shared || min < 0) return `${low} \u2013 ${high}`;
  return `${low.slice(0, space)}\u2013${high}`;
}
