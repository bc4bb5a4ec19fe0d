/** Paints rows of buckets as pixels. */

import { GAP_AFTER, GAP_BEFORE, type Grid } from "../history/grid";
import type { AxisRange } from "../vocabulary/axis-range";
import { type Ground, rampIndex, rampPixels } from "../vocabulary/palette";
import type { PlotArea } from "./chart";
import type { Theme } from "./theme";

/** CSS pixels of a row; even, because the upper half is the maximum and the lower the minimum. */
export function rowHeight(rows: number): number {
  if (rows <= 12) return 10;
  if (rows <= 16) return 8;
  return rows <= 32 ? 4 : 2;
}

export class HeatPainter {
  #canvas: HTMLCanvasElement | null = null;
  #image: ImageData | null = null;
  #ramp: { ground: Ground; pixels: Uint32Array } | null = null;

  /**
   * Fill the area: each row has two pixel rows, its maximum above its minimum, so that a spike
   * and a dip of one sample both show. A gap stays empty; a bucket without samples keeps the
   * colour of the sample before it, up to the next one.
   */
  paint(area: PlotArea, grid: Grid, rows: number, values: AxisRange, theme: Theme): void {
    const width = grid.bucketCount;
    const height = rows * 2;
    if (width === 0 || rows === 0) return;
    const { image, canvas } = this.#surface(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    pixels.fill(0);
    const ramp = this.#pixels(theme.ground);
    for (let row = 0; row < rows; row++) {
      paintRow(pixels, row * 2 * width, width, grid, row, ramp, values);
    }
    canvas.getContext("2d")?.putImageData(image, 0, 0);
    blit(area, canvas, grid);
  }

  #surface(width: number, height: number): { image: ImageData; canvas: HTMLCanvasElement } {
    this.#canvas ??= document.createElement("canvas");
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#image = new ImageData(width, height);
    }
    return { image: this.#image, canvas: this.#canvas };
  }

  #pixels(ground: Ground): Uint32Array {
    if (this.#ramp?.ground !== ground) this.#ramp = { ground, pixels: rampPixels(ground) };
    return this.#ramp.pixels;
  }
}

function paintRow(
  pixels: Uint32Array,
  offset: number,
  width: number,
  grid: Grid,
  row: number,
  ramp: Uint32Array,
  values: AxisRange,
): void {
  const buckets = grid.buckets(row);
  if (!buckets) return;
  const { low, high, gap } = buckets;
  let held = -1;
  for (let i = 0; i < width; i++) {
    if (Number.isNaN(low[i] as number)) {
      if (gap[i]) held = -1;
      continue;
    }
    if ((gap[i] as number) & GAP_BEFORE) held = -1;
    const upper = ramp[rampIndex(high[i] as number, values[0], values[1])] as number;
    const lower = ramp[rampIndex(low[i] as number, values[0], values[1])] as number;
    for (let k = held + 1; held >= 0 && k < i; k++) {
      pixels[offset + k] = pixels[offset + held] as number;
      pixels[offset + width + k] = pixels[offset + width + held] as number;
    }
    pixels[offset + i] = upper;
    pixels[offset + width + i] = lower;
    held = (gap[i] as number) & GAP_AFTER ? -1 : i;
  }
}

function blit(area: PlotArea, canvas: HTMLCanvasElement, grid: Grid): void {
  const { context, left, top, width, height } = area;
  const [origin, bucket] = grid.origin;
  const from = area.x(origin);
  const to = area.x(origin + bucket * grid.bucketCount);
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, from, top, to - from, height);
  context.restore();
}
