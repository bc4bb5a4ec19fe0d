/** The best value of a metric so far, where its user said which way is better. */

import { formatValue, isKnownUnit } from "../vocabulary/format";
import { momentText } from "../vocabulary/time-text";
import type { Panel } from "./groups";
import type { Scene } from "./panel-view";

/** "best 0.31 at step 1200", of each line that is shown and has one. */
export function bestText({ lines, unit }: Panel, { source, hidden, range }: Scene): string {
  const wide = Math.max(range[1] - range[0], 1);
  const found = lines.flatMap(({ key, id, label, series }) => {
    const better = series.labels["defined.better"];
    if (hidden.has(key) || (better !== "min" && better !== "max")) return [];
    const best = source.best?.(id, better);
    if (!best) return [];
    const { value, time, step } = best;
    const at = Number.isNaN(step) ? momentText(time, wide) : `step ${formatValue(step, "count")}`;
    // The user's own unit stands beside the newest value.
    const text = formatValue(value, isKnownUnit(unit) ? unit : "");
    return [`${lines.length > 1 ? `${label} ` : ""}${text} at ${at}`];
  });
  return found.length > 0 ? `best ${found.join(", ")}` : "";
}
