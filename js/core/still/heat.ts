/**
 * Many lines as rows of colours, in a small image inside the picture: each row has its largest
 * values above its smallest. The twin of `pulse_widgets/exchange/picture/heat.py`; it writes the
 * same bytes, without compression, which a page has only later.
 */

import { HEAT_BYTES, HEAT_COLUMNS, LEVELS, PX, RAMP } from "../vocabulary/shared.gen";
import { adler32 } from "../wire/adler";
import type { Scale } from "./curve";
import { toBase64 } from "./saved";
import type { Trace } from "./trace";

/** The ramp as the stops of a gradient, the highest first. */
export function rampStops(): string {
  const stops = [...RAMP].reverse().map((color, place) => {
    const offset = Math.floor((100 * place) / (RAMP.length - 1));
    return `<stop offset="${offset}%" stop-color="${color}"/>`;
  });
  return stops.join("");
}

/** An image of some traces, one row each, that fills a plot. */
export function heatImage(traces: readonly Trace[], scale: Scale): string {
  const most = Math.floor(HEAT_BYTES / traces.length);
  const columns = Math.min(scale.points, HEAT_COLUMNS, most);
  const lines = traces.flatMap((trace) => rowOf(trace, scale, columns));
  return (
    `<image width="${scale.width * PX}" height="${scale.height * PX}" ` +
    `preserveAspectRatio="none" image-rendering="pixelated" ` +
    `href="data:image/png;base64,${toBase64(png(lines, columns))}"/>`
  );
}

/** The colours of the largest and of the smallest values, column by column. */
function rowOf(trace: Trace, scale: Scale, columns: number): [number[], number[]] {
  const [top, bottom] = [0, 0].map(() => new Array<number>(columns).fill(0)) as [
    number[],
    number[],
  ];
  const [start, end] = scale.span;
  const within = (column: number) => Math.min(Math.max(column, 0), columns - 1);
  const place = (i: number, side: number) =>
    ((trace.time[i] as number) - start) / (end - start) +
    (side * ((trace.width[i] as number) / 2)) / (end - start);
  const firstOf = (i: number) => within(Math.floor(place(i, -1) * columns + 1e-6));
  for (const [i, high] of trace.high.entries()) {
    const first = firstOf(i);
    let last = within(Math.ceil(place(i, 1) * columns - 1e-6) - 1);
    // What is between two readings of which none is missing has the colour of the one before.
    const goes = i + 1 < trace.high.length && trace.segment[i + 1] === trace.segment[i];
    if (goes) last = Math.max(last, firstOf(i + 1) - 1);
    const [upper, lower] = [levelOf(high, scale), levelOf(trace.low[i] as number, scale)];
    for (let column = first; column <= Math.max(last, first); column++) {
      top[column] = Math.max(top[column] as number, upper);
      bottom[column] = Math.min(bottom[column] || lower, lower);
    }
  }
  return [top, bottom];
}

/** The colour of a value, 1 for the bottom of the axis. */
function levelOf(value: number, scale: Scale): number {
  const full = scale.height * PX;
  const height = full - scale.y(value);
  return 1 + Math.floor((height * (LEVELS - 1) + Math.floor(full / 2)) / full);
}

/** The colours of the image; the first is for what is missing. */
function palette(): number[] {
  const stops = RAMP.map((color) =>
    [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)),
  );
  const colors = [[255, 255, 255]];
  for (let level = 0; level < LEVELS; level++) {
    const along = level * (stops.length - 1);
    const [place, part] = [Math.floor(along / (LEVELS - 1)), along % (LEVELS - 1)];
    const low = stops[place] as number[];
    const high = stops[Math.min(place + 1, stops.length - 1)] as number[];
    colors.push(
      low.map((a, k) => a + Math.floor((((high[k] as number) - a) * part) / (LEVELS - 1))),
    );
  }
  return colors.flat();
}

/** An image of 16 colours. */
function png(lines: readonly (readonly number[])[], width: number): Uint8Array {
  const raw = lines.flatMap((line) => {
    const packed = [0];
    for (let x = 0; x < width; x += 2) packed.push(((line[x] as number) << 4) | (line[x + 1] ?? 0));
    return packed;
  });
  const stored = [1, ...little(raw.length), ...little(raw.length ^ 0xffff), ...raw];
  return Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk("IHDR", [...big(width), ...big(lines.length), 4, 3, 0, 0, 0]),
    ...chunk("PLTE", palette()),
    ...chunk("tRNS", [0]),
    ...chunk("IDAT", [0x78, 0x01, ...stored, ...big(adler32(raw))]),
    ...chunk("IEND", []),
  ]);
}

function chunk(name: string, data: readonly number[]): number[] {
  const body = [...[...name].map((letter) => letter.charCodeAt(0)), ...data];
  return [...big(data.length), ...body, ...big(crc(body))];
}

function big(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
}

function little(value: number): number[] {
  return [value & 255, (value >> 8) & 255];
}

function crc(bytes: readonly number[]): number {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return (rest ^ 0xffffffff) >>> 0;
}
