/** Which moment the values of a chart are of, and what its lines say then. */

import type { Grid, Reading } from "../history/grid";
import { formatValue } from "../vocabulary/format";
import { momentText } from "../vocabulary/time-text";
import type { Line, Panel } from "./groups";
import type { Scene, Twin } from "./panel-view";
import { isSpan, readingText } from "./reading-text";

/** Said of a moment that nothing was read at yet, or that lies beyond a pause. */
export const BEYOND = "beyond the last reading";

/** Whether a chart over time has nothing at `x` because no reading had come by then. */
export function isBeyond(x: number | null, scene: Scene, byStep: boolean): boolean {
  return !byStep && x !== null && x > scene.now;
}

/**
 * The moment of the cursor; without one, or beyond the last reading, that of the still picture,
 * or null for now.
 */
export function momentOf(x: number | null, scene: Scene, byStep: boolean): number | null {
  if (x !== null && !isBeyond(x, scene, byStep)) return x;
  if (!scene.still) return null;
  const end = scene.range[1];
  return byStep ? end : Math.min(end, scene.now);
}

/** What line `i` of a chart says at the cursor `x`, or at the moment without one. */
export function readingAt(
  grid: Grid,
  { id }: Line,
  i: number,
  x: number | null,
  scene: Scene,
  byStep: boolean,
): Reading | null {
  const { source } = scene;
  const at = momentOf(x, scene, byStep);
  if (at === null) return exactly(source.last(id));
  const near = grid.at(i, at);
  if (byStep) return near;
  const [, width] = grid.origin;
  const covers = near !== null && Math.abs(near.time - at) <= width;
  // A cursor stands on a pixel with all its readings; a still picture ends with one.
  if (at === x && covers && isSpan(near)) return near;
  const known = source.at ? source.at(id, at) : null;
  return known ? exactly(known) : near;
}

function exactly(one: { time: number; value: number } | null): Reading | null {
  if (!one) return null;
  const value = Number.isNaN(one.value) ? null : one.value;
  return { time: one.time, min: value, max: value, mean: value };
}

/** Texts are written more seldom than cards and charts: they say which moment they are of. */
function asOf(scene: Scene, byStep: boolean): string {
  const at = momentOf(null, scene, byStep) ?? scene.now;
  return byStep || !Number.isFinite(at) ? "" : ` as of ${momentText(at, 3600)}`;
}

/** The twin of a chart: what each line says now or in a still picture, and its extremes in view. */
export function twinOf(panel: Panel, grid: Grid, scene: Scene, byStep = false): Twin {
  const text = (value: number | null) => formatValue(value, panel.unit);
  const rows = panel.lines.map((line, i) => {
    const [min, max] = grid.extremes(i) ?? [null, null];
    const last = readingAt(grid, line, i, null, scene, byStep);
    return [line.label, readingText(last, panel.unit), text(min), text(max)] as const;
  });
  const head = ["series", "last", "lowest", "highest"];
  return { caption: `${panel.title}, values in view${asOf(scene, byStep)}`, head, rows };
}
