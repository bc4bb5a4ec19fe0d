/** A small curve without axes: how a section's main metric went in the range in view. */

import { h } from "../dom";
import type { Source } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import { curve, type Fold } from "./curve";

/** CSS pixels a point. */
const STEP = 2;

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
  for (const [at, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    if (!Number.isNaN(values[at - 1] ?? Number.NaN)) context.lineTo(x(at), y(value));
    else {
      // Also a reading between two gaps is seen.
      context.moveTo(x(at) - ratio / 2, y(value));
      context.lineTo(x(at) + ratio / 2, y(value));
    }
  }
  context.stroke();
}
