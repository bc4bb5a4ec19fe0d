/** What is painted over the lines of a chart: their limit, and where they are in alarm. */

import type { Grid } from "../history/grid";
import { type Alarm, isAlarm } from "./alarm";
import type { PlotArea } from "./chart";
import type { Theme } from "./theme";

/** CSS pixels of the strip at the upper edge that tells of an alarm. */
const STRIP = 2;

export function paintLimit(area: PlotArea, limit: number, theme: Theme): void {
  const { context, left, top, width, height, ratio } = area;
  const y = Math.round(area.y(limit)) + 0.5;
  if (!(y >= top && y <= top + height)) return;
  context.save();
  context.strokeStyle = theme.axis;
  context.lineWidth = ratio;
  context.setLineDash([2 * ratio, 3 * ratio]);
  context.beginPath();
  context.moveTo(left, y);
  context.lineTo(left + width, y);
  context.stroke();
  context.restore();
}

/** The first bucket of every stretch in which some line is in alarm, and the one after the last. */
export function alarmStretches(grid: Grid, alarms: readonly (Alarm | null)[]): [number, number][] {
  const strips = alarms.map((alarm, line) => ({ alarm, strip: grid.buckets(line) }));
  const raised = strips.filter(({ alarm }) => alarm !== null);
  const stretches: [number, number][] = [];
  if (raised.length === 0) return stretches;
  let [since, last] = [-1, -1];
  for (let i = 0; i < grid.bucketCount; i++) {
    const high = (strip: (typeof raised)[0]["strip"]) => strip?.high[i] as number;
    const some = raised.some(({ alarm, strip }) => isAlarm(alarm as Alarm, high(strip)));
    const none = raised.some(({ strip }) => strip && (!Number.isNaN(high(strip)) || strip.gap[i]));
    if (some) {
      if (since < 0) since = i;
      last = i;
    } else if (none && since >= 0) {
      // It held until this reading, which is of another kind.
      stretches.push([since, Math.max(last + 1, i)]);
      since = -1;
    }
  }
  if (since >= 0) stretches.push([since, last + 1]);
  return stretches;
}

export function paintAlarms(
  area: PlotArea,
  grid: Grid,
  alarms: readonly (Alarm | null)[],
  theme: Theme,
): void {
  const { context, left, top, width, ratio, x } = area;
  const [origin, each] = grid.origin;
  context.save();
  context.fillStyle = theme.warn;
  for (const [from, to] of alarmStretches(grid, alarms)) {
    const start = Math.max(left, Math.floor(x(origin + from * each)));
    const end = Math.min(left + width, Math.ceil(x(origin + to * each)));
    context.fillRect(start, top - STRIP * ratio, Math.max(end - start, ratio), STRIP * ratio);
  }
  context.restore();
}
