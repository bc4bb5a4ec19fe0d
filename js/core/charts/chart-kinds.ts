/** Every kind of chart there is; nothing else lists them. */

import type { Panel } from "./groups";
import { HEAT } from "./heat-chart";
import { LINES } from "./line-chart";
import type { ChartKind } from "./panel-view";
import { PROCESSES } from "./process-table";

/** Of several that fit a panel the first one draws it; the last one fits all. */
export const CHART_KINDS: readonly ChartKind[] = [PROCESSES, HEAT, LINES];

export function chartKindOf(panel: Panel): ChartKind {
  return CHART_KINDS.find((kind) => kind.fits(panel)) ?? LINES;
}
