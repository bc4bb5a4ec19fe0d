/**
 * The curves of a still picture: a pale band from the smallest to the largest value of every
 * column, the line of the mean, and spikes in full colour. The twin of
 * `pulse_widgets/exchange/picture/curve.py`: both write the same paths for the same readings.
 */

import type { AxisRange } from "../vocabulary/axis-range";
import { AROUND, LEAST_SPIKE, LONE, PX, SPIKE, UNDER_LINE } from "../vocabulary/shared.gen";
import type { Trace } from "./trace";

/** Turns times and values into half pixels of a plot. */
export class Scale {
  constructor(
    readonly span: AxisRange,
    /** At the bottom and at the top. */
    readonly values: AxisRange,
    /** Pixels of the plot. */
    readonly width: number,
    readonly height: number,
    /** Columns there are at most. */
    readonly points: number,
  ) {}

  x(time: number): number {
    const [start, end] = this.span;
    return Math.round(((time - start) / (end - start)) * this.width * PX);
  }

  y(value: number): number {
    const [bottom, top] = this.values;
    const share = (value / 2 - bottom / 2) / (top / 2 - bottom / 2);
    return Math.round((1 - Math.min(Math.max(share, 0), 1)) * this.height * PX);
  }
}

/** A column of a curve that has something, in half pixels; null where the mean is not known. */
interface Point {
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
  readonly mean: number | null;
}

/** The paths of one curve; each is empty where there is nothing of it. */
interface Shape {
  readonly band: string;
  readonly line: string;
  readonly spikes: string;
  readonly dots: string;
}

/** How a trace is drawn. */
export function shapeOf(trace: Trace, scale: Scale): Shape {
  const all = stretches(trace, scale);
  const longer = all.filter(({ length }) => length > 1);
  const dots = all.filter(({ length }) => length === 1).map(([one]) => dot(one as Point));
  return {
    band: longer.map(band).join(""),
    line: longer.map(line).join(""),
    spikes: longer.map(spikes).join(""),
    dots: dots.join(""),
  };
}

/** The band of a trace alone. */
export function bandOf(trace: Trace, scale: Scale): string {
  return stretches(trace, scale).map(band).join("");
}

/** What lies between two gaps. */
function stretches({ time, width, low, high, mean, segment }: Trace, scale: Scale): Point[][] {
  const [start, end] = scale.span;
  // The middle of the first bucket may lie before the session, that of the last after it.
  const elapsed = time.map((moment) => Math.min(Math.max(moment - start, 0), end - start));
  const column = elapsed.map((seconds) => Math.floor((seconds / (end - start)) * scale.points));
  const found: Point[][] = [];
  for (let i = 0; i < time.length; ) {
    const [own, place] = [segment[i], column[i]];
    const from = i;
    let [sum, seconds] = [0, 0];
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (; i < time.length && segment[i] === own && column[i] === place; i++) {
      sum += elapsed[i] as number;
      seconds += width[i] as number;
      least = Math.min(least, low[i] as number);
      most = Math.max(most, high[i] as number);
    }
    let value = 0;
    // Shares first: the sum of large numbers may be too large for a number.
    for (let k = from; k < i; k++) value += (mean[k] as number) * ((width[k] as number) / seconds);
    const x = Math.round((sum / (i - from) / (end - start)) * scale.width * PX);
    const [top, bottom] = [scale.y(most), scale.y(least)];
    const level = Math.min(Math.max(scale.y(value), top), bottom);
    if (from === 0 || segment[from - 1] !== own) found.push([]);
    found.at(-1)?.push({ x, top, bottom, mean: Number.isNaN(value) ? null : level });
  }
  return found;
}

function dot({ x, top, bottom }: Point): string {
  return top === bottom ? `M${x} ${top}h0` : `M${x} ${top}V${bottom}`;
}

/** The outline where the band is wider than the line that covers its middle. */
function band(points: readonly Point[]): string {
  const wide = points.map(
    ({ top, bottom, mean }) => bottom - top > (mean === null ? 0 : UNDER_LINE),
  );
  const shown = wide.map((own, i) => own || wide[i - 1] === true || wide[i + 1] === true);
  return runs(points, (_, i) => shown[i] === true)
    .filter(({ length }) => length > 1)
    .map((part) => {
      const upper = corners(part.map(({ x, top }) => [x, top]));
      const lower = corners(part.map(({ x, bottom }) => [x, bottom]));
      return `${steps([...upper, ...lower.reverse()])}z`;
    })
    .join("");
}

function line(points: readonly Point[]): string {
  return levels(points)
    .map((part) => {
      const [[x, y] = [0, 0], other] = part;
      return other ? steps(corners(part)) : `M${x} ${y}h0`;
    })
    .join("");
}

/** The stretches in which the mean is known. */
function levels(points: readonly Point[]): Corner[][] {
  const known = runs(points, ({ mean }) => mean !== null);
  return known.map((part) => part.map(({ x, mean }) => [x, mean as number] as const));
}

/** The way from the mean to every extreme that sticks out of the band around it. */
function spikes(points: readonly Point[]): string {
  const found = runs(points, ({ mean }) => mean !== null).flatMap((part) => {
    const spread = part.map((one, i) => spreadOf(one, part[i - 1] ?? one));
    return (["top", "bottom"] as const).flatMap((side) => {
      const out = part.filter((one, i) => sticks(LONE * distance(one, side), spread, i));
      return out.map((one) => `M${one.x} ${one.mean}V${one[side]}`);
    });
  });
  return found.join("");
}

function distance(one: Point, side: "top" | "bottom"): number {
  return Math.abs(one[side] - (one.mean as number));
}

/** Of lone samples the band has no width: they are spread by how far they move. */
function spreadOf(one: Point, before: Point): number {
  const step = Math.abs((one.mean as number) - (before.mean as number));
  return Math.max(LONE * distance(one, "top"), LONE * distance(one, "bottom"), step);
}

/**
 * Whether a distance is beyond the spread that is usual around it: the median, because a fall of
 * the whole curve nearby is no reason to overlook a spike.
 */
function sticks(far: number, spread: readonly number[], i: number): boolean {
  if (far < LONE * LEAST_SPIKE) return false;
  const around = spread.slice(Math.max(i - AROUND, 0), i + AROUND + 1).sort((a, b) => a - b);
  return far > SPIKE * (around[around.length >> 1] as number);
}

function runs(
  points: readonly Point[],
  wanted: (point: Point, place: number) => boolean,
): Point[][] {
  const found: Point[][] = [];
  let open = false;
  for (const [i, point] of points.entries()) {
    const own = wanted(point, i);
    if (own && !open) found.push([]);
    if (own) found.at(-1)?.push(point);
    open = own;
  }
  return found;
}

type Corner = readonly [number, number];

/** Without the points that lie on the straight line between their neighbours. */
function corners(points: readonly Corner[]): Corner[] {
  return points.filter(([x, y], i) => {
    const [before, after] = [points[i - 1], points[i + 1]];
    if (!before || !after) return true;
    return (x - before[0]) * (after[1] - y) !== (after[0] - x) * (y - before[1]);
  });
}

function steps(points: readonly Corner[]): string {
  const moves = points.slice(1).flatMap(([x, y], i) => {
    const [fromX, fromY] = points[i] as Corner;
    return [x - fromX, y - fromY];
  });
  const [x, y] = points[0] as Corner;
  return `M${x} ${y}l${moves.join(" ").replaceAll(" -", "-")}`;
}
