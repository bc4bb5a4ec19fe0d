/** What is below and above the lines of every chart over time: idle times, cells, alerts, marks. */

import type { AxisRange } from "../vocabulary/axis-range";
import { firingsAbout, firingsOf, marksOfChart } from "./alerts";
import type { PlotArea } from "./chart";
import type { Line } from "./groups";
import { boxesOf, firstAfter, indexOf } from "./mark-index";
import { labelsAt, type Mark, paintMoments, SIGN } from "./marks";
import type { Theme } from "./theme";

/** What of a scene is painted here. */
export interface BandScene {
  readonly marks: readonly Mark[];
  readonly range: AxisRange;
  readonly theme: Theme;
  readonly now: number;
  /** The stretch of the cell that is pointed at; null for none. */
  readonly band?: AxisRange | null;
}

type Lines = readonly Pick<Line, "series">[];

/** Cells narrower than so many CSS pixels have no edge: many edges would be a pattern. */
const LEAST_CELL = 14;
/** CSS pixels of the strip at the upper edge while an alert fires. */
const STRIP = 2;
/** Opacities: of the edge of a cell, of what is pointed at, and of the stretch of an alert. */
const [EDGE, LIFT, ALERT] = [0.32, 0.13, 0.09];

/** Below the lines. */
export function paintUnder(area: PlotArea, scene: BandScene, lines: Lines): void {
  const { context, top, height } = area;
  const { theme, marks, now } = scene;
  context.save();
  context.fillStyle = theme.idle;
  const pixel = secondsOf(area, scene.range);
  for (const stretch of idleStretches(marks, scene.range, now, pixel)) fill(area, stretch);
  for (const { start, end } of firingsAbout(firingsOf(marks), lines)) {
    context.fillStyle = theme.warn;
    context.globalAlpha = ALERT;
    fill(area, [start, end ?? now]);
  }
  if (scene.band) {
    context.fillStyle = theme.accent;
    context.globalAlpha = LIFT;
    fill(area, scene.band);
  }
  context.fillStyle = theme.axis;
  context.globalAlpha = EDGE;
  for (const at of cellEdges(marks, scene.range, now, pixel)) {
    context.fillRect(Math.round(area.x(at)), top, area.ratio, height);
  }
  context.restore();
}

/** Above the lines; of a chart that hides what is below them, more of the stretch is told here. */
export function paintOver(area: PlotArea, scene: BandScene, lines: Lines, opaque = false): void {
  paintStrips(area, scene, lines);
  if (scene.band) paintEnds(area, scene.band, scene.theme, opaque);
  paintMoments(area, marksOfChart(scene.marks, lines), scene.theme);
}

/** What a tooltip says of cells, marks and alerts at `time`; `pixel` is in seconds. */
export function notesAt(scene: BandScene, lines: Lines, time: number, pixel: number): string[] {
  const { marks, now } = scene;
  const firing = firingsAbout(firingsOf(marks), lines)
    .filter(({ start, end }) => start <= time && time <= (end ?? now))
    .map(({ text }) => `${SIGN} ${text}`);
  const labels = labelsAt(marksOfChart(marks, lines), time, pixel * 4, now);
  return [...firing, ...labels.filter((label) => !firing.includes(label))];
}

/** Above the upper edge, where an alert about the chart fires. */
function paintStrips(area: PlotArea, { marks, theme, now }: BandScene, lines: Lines): void {
  const { context, top, ratio } = area;
  context.save();
  context.fillStyle = theme.warn;
  for (const { start, end } of firingsAbout(firingsOf(marks), lines)) {
    const [left, right] = pixelsOf(area, [start, end ?? now]);
    context.fillRect(left, top - STRIP * ratio, right - left, STRIP * ratio);
  }
  context.restore();
}

/** Both ends of the stretch, and a bar along the axis. */
function paintEnds(area: PlotArea, band: AxisRange, theme: Theme, opaque: boolean): void {
  const { context, left: edge, top, width, height, ratio } = area;
  const [left, right] = pixelsOf(area, band);
  context.save();
  context.fillStyle = theme.accent;
  context.fillRect(left, top + height, Math.max(right - left, ratio), 2 * ratio);
  for (const at of [area.x(band[0]), area.x(band[1])]) {
    const x = Math.round(at);
    if (x < edge || x > edge + width) continue;
    context.fillStyle = theme.surface;
    if (opaque) context.fillRect(x - ratio, top, 3 * ratio, height);
    context.fillStyle = theme.accent;
    context.fillRect(x, top, ratio, height);
  }
  context.restore();
}

function fill(area: PlotArea, stretch: AxisRange): void {
  const [left, right] = pixelsOf(area, stretch);
  if (right > left) area.context.fillRect(left, area.top, right - left, area.height);
}

/** Whole pixels of a stretch, within the plot. */
function pixelsOf({ left, width, x }: PlotArea, [from, to]: AxisRange): [number, number] {
  const within = (value: number) => Math.min(Math.max(Math.round(value), left), left + width);
  return [within(x(from)), within(x(to))];
}

/** The seconds of a CSS pixel. */
export function secondsOf({ width, ratio }: PlotArea, [from, to]: AxisRange): number {
  return ((to - from) * ratio) / Math.max(width, 1);
}

/** Where cells begin that are wide enough to be seen as such. */
export function cellEdges(
  marks: readonly Mark[],
  range: AxisRange,
  now: number,
  pixel: number,
): number[] {
  const rows = indexOf(marks).tracks.flatMap(({ kind, rows }) => (kind === "cells" ? rows : []));
  return rows.flatMap((row) =>
    boxesOf(row, range, now, pixel)
      .filter(({ start, end }) => end - start >= LEAST_CELL * pixel && start > range[0])
      .map(({ start }) => start),
  );
}

/**
 * A time without a running cell or span is idle: what is shaded, from its start to its end. What
 * is shorter than `pixel` may be left out.
 */
export function idleStretches(
  marks: readonly Mark[],
  [from, to]: AxisRange,
  now: number,
  pixel = 0,
): AxisRange[] {
  const { starts, ends } = indexOf(marks).busy;
  // Who runs no cells has no idle time either.
  if (starts.length === 0) return [];
  const idle: AxisRange[] = [];
  const last = Math.min(to, now);
  let known = from;
  while (known < last) {
    const next = firstAfter(ends, known);
    const start = Math.min(starts[next] ?? last, last);
    if (start > known && start - known >= pixel) idle.push([known, start]);
    known = Math.max(ends[next] ?? last, known + pixel);
  }
  return idle;
}
