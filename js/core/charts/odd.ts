/** Values that were logged and no axis has a place for: their marks on a chart, and their words. */

import type { Odd } from "../source";
import type { PlotArea } from "./chart";
import type { Ink } from "./trace";

/** Half the width of a mark, in CSS pixels. */
const SIZE = 4;
const WORDS = { inf: "\u221e", "-inf": "-\u221e", nan: "NaN" } as const;

/**
 * Where a value stands on the x axis; NaN where it has no place: a step that was not given. Of
 * which run of steps it is nobody says, so those of earlier runs are marked with the newest.
 */
export function placeOf({ time, step }: Odd, byStep: boolean): number {
  return byStep ? (step ?? Number.NaN) : time;
}

/** What was logged within `reach` of `x`, or exactly at `missingSince`: each word once. */
export function oddText(
  odd: readonly Odd[],
  x: number,
  reach: number,
  byStep: boolean,
  missingSince: number | null = null,
): string {
  const there = odd.filter((one) => {
    const place = placeOf(one, byStep);
    return Math.abs(place - x) <= reach || place === missingSince;
  });
  return [...new Set(there.map(({ what }) => WORDS[what]))].join(", ");
}

/** A triangle at the edge that an infinity lies beyond; a cross at the lower edge for NaN. */
export function paintOdd(area: PlotArea, odd: readonly Odd[], byStep: boolean, ink: Ink): void {
  const { context, left, top, width, height, ratio } = area;
  const size = SIZE * ratio;
  const painted = new Set<string>();
  context.globalAlpha = ink.line;
  context.fillStyle = context.strokeStyle = ink.color;
  context.lineWidth = 1.5 * ratio;
  context.setLineDash([]);
  for (const one of odd) {
    const x = Math.floor(area.x(placeOf(one, byStep))) + 0.5;
    const key = `${x} ${one.what}`;
    if (!(x >= left && x <= left + width) || painted.has(key)) continue;
    painted.add(key);
    if (one.what === "nan") cross(context, x, top + height - size, size * 0.75);
    else if (one.what === "inf") triangle(context, x, top, size, size);
    else triangle(context, x, top + height, size, -size);
  }
  context.globalAlpha = 1;
}

function triangle(
  context: CanvasRenderingContext2D,
  x: number,
  edge: number,
  size: number,
  depth: number,
): void {
  context.beginPath();
  context.moveTo(x, edge);
  context.lineTo(x - size, edge + depth * 1.5);
  context.lineTo(x + size, edge + depth * 1.5);
  context.fill();
}

function cross(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.beginPath();
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x - size, y + size);
  context.lineTo(x + size, y - size);
  context.stroke();
}
