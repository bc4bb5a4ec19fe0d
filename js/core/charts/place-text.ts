/** Places on an axis of steps, or of another metric, as text. Pure. */

import { formatValue } from "../vocabulary/format";

/** A tick of steps, or of another metric: millions are short, or they would run together. */
export function tickText(place: number): string {
  return Math.abs(place) < 1e6 ? formatValue(place, "count") : `${formatValue(place / 1e6, "")}M`;
}

/** Where the cursor stands on an axis of steps, or of another metric. */
export function placeText(x: number, wide: number, along: string | undefined): string {
  if (along === undefined) return `step ${formatValue(Math.round(x), "count")}`;
  // No more digits than a hundredth of what is in view.
  const unit = 10 ** Math.floor(Math.log10(wide / 100));
  return `${along} ${formatValue(unit < 1 ? Math.round(x / unit) * unit : Math.round(x), "")}`;
}
