/** Paints one line of a chart: the band of its extremes, its line, and what sticks out. */

import { GAP, type Grid } from "../history/grid";
import { stretchMiddle } from "../history/places";
import { DOWN, spikesOf, UP } from "../history/spikes";
import type { PlotArea } from "./chart";

/** How a line is to be painted. */
export interface Ink {
  readonly color: string;
  /** Opacity of the line, and of the band. */
  readonly line: number;
  readonly band: number;
  /** Width of the line in canvas pixels. */
  readonly width: number;
  readonly dash: readonly number[];
  readonly stepped: boolean;
}

/** A part of a column that is shorter than this many canvas pixels tells nothing. */
const LEAST = 1.5;
/** Half the width of a dot, in CSS pixels. */
const DOT = 1.5;

let spikes = new Uint8Array(0);

/** Only what is in the plotting area is painted by `paint`. */
export function clipped(area: PlotArea, paint: (context: CanvasRenderingContext2D) => void): void {
  const { context, left, top, width, height, ratio } = area;
  context.save();
  context.beginPath();
  // A line along an edge is whole.
  context.rect(left, top - ratio, width, height + 2 * ratio);
  context.clip();
  paint(context);
  context.restore();
}

/** The band from the smallest to the largest value of each column of pixels. */
export function paintBand(area: PlotArea, grid: Grid, line: number, ink: Ink): void {
  const strip = grid.buckets(line);
  if (!strip) return;
  const { low, high } = strip;
  const column = columnOf(area, grid);
  const { context, y } = area;
  context.globalAlpha = ink.band;
  context.strokeStyle = ink.color;
  context.lineWidth = 1;
  context.setLineDash([]);
  context.beginPath();
  let at = Number.NaN;
  let [top, bottom] = [0, 0];
  const end = () => {
    if (!(bottom > top)) return;
    context.moveTo(at + 0.5, top);
    context.lineTo(at + 0.5, bottom);
  };
  for (let i = 0; i < grid.bucketCount; i++) {
    const [from, to] = [low[i] as number, high[i] as number];
    if (!(to > from)) continue;
    const upper = Math.floor(y(to));
    let lower = Math.ceil(y(from));
    // A logarithmic axis has no place for the lower end, and perhaps none for either.
    if (Number.isNaN(lower)) lower = area.top + area.height;
    if (!(lower > upper)) continue;
    const next = column(i);
    if (next === at) {
      top = Math.min(top, upper);
      bottom = Math.max(bottom, lower);
      continue;
    }
    end();
    at = next;
    top = upper;
    bottom = lower;
  }
  end();
  context.stroke();
  context.globalAlpha = 1;
}

/** The line through the means; a value between two gaps is a dot. */
export function paintLine(area: PlotArea, xs: Float64Array, ys: Float64Array, ink: Ink): void {
  const { context, ratio } = area;
  context.globalAlpha = ink.line;
  context.strokeStyle = ink.color;
  context.fillStyle = ink.color;
  context.lineWidth = ink.width;
  context.lineJoin = "round";
  context.setLineDash(ink.dash.map((length) => length * ratio));
  context.beginPath();
  const dots = trace(area, xs, ys, ink.stepped);
  context.stroke();
  const size = Math.max(Math.round(2 * DOT * ratio), 2);
  for (const [x, y] of dots) {
    context.fillRect(Math.round(x - size / 2), Math.round(y - size / 2), size, size);
  }
  context.globalAlpha = 1;
}

/** Adds the line to the path; returns the places of values that no line leads to or from. */
function trace(
  { context, x, y }: PlotArea,
  xs: Float64Array,
  ys: Float64Array,
  stepped: boolean,
): (readonly [number, number])[] {
  const dots: (readonly [number, number])[] = [];
  let [length, lastX, lastY] = [0, 0, 0];
  for (let i = 0; i <= ys.length; i++) {
    const value = i < ys.length ? (ys[i] as number) : GAP;
    // A bucket without samples is crossed.
    if (Number.isNaN(value)) continue;
    const px = x(xs[i] as number);
    // What has no place on a logarithmic axis is as good as missing.
    const py = value === GAP ? Number.NaN : y(value);
    if (Number.isNaN(py)) {
      if (length === 1) dots.push([lastX, lastY]);
      length = 0;
      continue;
    }
    if (length === 0) context.moveTo(px, py);
    else if (stepped) {
      context.lineTo(px, lastY);
      context.lineTo(px, py);
    } else context.lineTo(px, py);
    lastX = px;
    lastY = py;
    length++;
  }
  return dots;
}

/** Columns that stick out of the band around them, in the full colour of the line. */
export function paintSpikes(area: PlotArea, grid: Grid, line: number, ink: Ink): void {
  const strip = grid.buckets(line);
  if (!strip) return;
  const count = grid.bucketCount;
  if (spikes.length < count) spikes = new Uint8Array(count * 2);
  spikesOf(strip, count, spikes);
  const { context, y } = area;
  const column = columnOf(area, grid);
  const { low, high, mean, same } = strip;
  context.globalAlpha = ink.line;
  context.strokeStyle = ink.color;
  context.lineWidth = 1;
  context.setLineDash([]);
  context.beginPath();
  for (let i = 0; i < count; i++) {
    const side = spikes[i] as number;
    if (side === 0) continue;
    let from = y(rootOf(mean, i, side));
    if (Number.isNaN(from)) from = area.top + area.height;
    const x = column(stretchMiddle(same, i, count)) + 0.5;
    for (const end of [side & UP ? high[i] : undefined, side & DOWN ? low[i] : undefined]) {
      const to = y(end as number);
      if (!(Math.abs(to - from) >= LEAST)) continue;
      context.moveTo(x, to < from ? Math.floor(to) : Math.ceil(to));
      context.lineTo(x, Math.round(from));
    }
  }
  context.stroke();
  context.globalAlpha = 1;
}

/** Where a column that sticks out begins: at its mean, or at the nearer mean beside it. */
function rootOf(mean: Float64Array, i: number, side: number): number {
  const own = mean[i] as number;
  const [before = own, after = own] = [mean[i - 1], mean[i + 1]];
  const [above, below] = [Math.max(before, after), Math.min(before, after)];
  if (side === UP && above < own) return above;
  return side === DOWN && below > own ? below : own;
}

/** The whole pixel that the middle of a bucket lies in. A bucket is never wider than a pixel. */
function columnOf(area: PlotArea, grid: Grid): (bucket: number) => number {
  const [origin, width] = grid.origin;
  const first = area.x(origin + width / 2);
  const each = area.x(origin + width * 1.5) - first;
  return (bucket) => Math.floor(first + bucket * each);
}
