/** Places on an axis of steps, or of another metric, as text. Pure. */

import { formatValue, isKnownUnit } from "../vocabulary/format";

/** A plain number at a tick: millions are short, or they would run together. */
export function tickText(place: number): string {
  const size = Math.abs(place);
  return size >= 1e6 && size < 1e9 ? `${formatValue(place / 1e6, "")}M` : formatValue(place, "");
}

/** A tick of values; the user's own units stand in the heading, as there is no room for them. */
export function valueTick(value: number, unit: string): string {
  return isKnownUnit(unit) ? formatValue(value, unit) : tickText(value);
}

/** Where the cursor stands on an axis of steps, or of another metric. */
export function placeText(x: number, wide: number, along: string | undefined): string {
  if (along === undefined) return `step ${formatValue(Math.round(x), "count")}`;
  // No more digits than a hundredth of what is in view.
  const unit = 10 ** Math.floor(Math.log10(wide / 100));
  return `${along} ${formatValue(unit < 1 ? Math.round(x / unit) * unit : Math.round(x), "")}`;
}
