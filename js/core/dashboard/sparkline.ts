/** A small curve without axes: how a section's main metric went in the range in view. */

import { h } from "../dom";
import { columns, type Source, valueAt } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";

/** What several series are put together to. */
export type Fold = "sum" | "max" | "mean";

const scratch = columns(256);
/** CSS pixels a point. */
const STEP = 2;

/**
 * One value a slot of [from, to], NaN where there is none or a reading is missing. Several series
 * are folded into one. Pure.
 */
export function curve(
  source: Source,
  ids: readonly number[],
  [from, to]: AxisRange,
  count: number,
  fold: Fold,
): Float64Array {
  const total = new Float64Array(count).fill(Number.NaN);
  const lines = new Uint16Array(count);
  const [sums, counts] = [new Float64Array(count), new Uint16Array(count)];
  for (const id of ids) {
    sums.fill(0);
    counts.fill(0);
    source.range(id, from, to, count, scratch);
    for (let i = 0; i < scratch.length; i++) {
      const at = Math.floor((((scratch.time[i] as number) - from) / (to - from)) * count);
      if (at < 0 || at >= count) continue;
      const value = valueAt(scratch, i);
      if (!Number.isFinite(value)) continue;
      sums[at] = (sums[at] as number) + value;
      counts[at] = (counts[at] as number) + 1;
    }
    for (let at = 0; at < count; at++) {
      if (!counts[at]) continue;
      const value = (sums[at] as number) / (counts[at] as number);
      const before = total[at] as number;
      lines[at] = (lines[at] as number) + 1;
      if (Number.isNaN(before)) total[at] = value;
      else total[at] = fold === "max" ? Math.max(before, value) : before + value;
    }
  }
  if (fold === "mean") {
    for (let at = 0; at < count; at++) total[at] = (total[at] as number) / (lines[at] as number);
  }
  return total;
}

export class Sparkline {
  readonly el = h("canvas", { class: "pulse-spark", "aria-hidden": "true" });

  draw(
    source: Source,
    ids: readonly number[],
    range: AxisRange,
    fold: Fold,
    top: number | null,
    color: string,
  ): void {
    const { clientWidth: width, clientHeight: height } = this.el;
    const context = width > 8 && ids.length > 0 ? this.el.getContext("2d") : null;
    if (!context) return;
    const ratio = globalThis.devicePixelRatio || 1;
    const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.el.width !== wide || this.el.height !== tall) {
      this.el.width = wide;
      this.el.height = tall;
    }
    const values = curve(source, ids, range, Math.max(8, Math.floor(width / STEP)), fold);
    paint(context, values, scaleOf(values, top), color, ratio);
  }
}

/** From zero up to the limit, or to the largest value with some room; below zero where values are. */
function scaleOf(values: Float64Array, top: number | null): AxisRange {
  let [low, high] = [0, top ?? 0];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return high > low ? [low, high] : [low, low + 1];
}

function paint(
  context: CanvasRenderingContext2D,
  values: Float64Array,
  [low, high]: AxisRange,
  color: string,
  ratio: number,
): void {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  context.strokeStyle = color;
  context.lineWidth = ratio;
  context.lineJoin = "round";
  context.beginPath();
  // A level line at an edge would look like a rule of the page.
  const edge = 3 * ratio;
  const y = (value: number) => height - edge - ((value - low) / (high - low)) * (height - 2 * edge);
  const x = (at: number) => ((at + 0.5) / values.length) * width;
  let quiet = Number.POSITIVE_INFINITY;
  for (const [at, value] of values.entries()) {
    if (Number.isNaN(value)) quiet++;
    else {
      // Sparse samples are joined; a long silence stays one.
      if (quiet > values.length / 10) context.moveTo(x(at), y(value));
      else context.lineTo(x(at), y(value));
      quiet = 0;
    }
  }
  context.stroke();
}
