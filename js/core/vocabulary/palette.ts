/** Colours that stay apart for colour-blind readers, on light and on dark ground. */

export type Ground = "light" | "dark";

/**
 * Eight colours, found by search: any two of them differ by 19 or more (CIE76), the first four by
 * 27 or more, for normal sight and for simulated protanopia, deuteranopia and tritanopia (there a
 * fifth less); each has at least 3:1 against its ground.
 */
const LINES: Record<Ground, readonly string[]> = {
  light: ["#0065b3", "#cc7c4f", "#004313", "#d62a7a", "#009ccc", "#a68805", "#1b2dad", "#4e323a"],
  dark: ["#3fabf5", "#c17e3e", "#adf8af", "#da537c", "#5aeaff", "#e5e53a", "#af69aa", "#bbc9be"],
};

/** Beyond eight lines the hues repeat with another stroke. */
const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

export function lineColor(place: number, ground: Ground): string {
  const colors = LINES[ground];
  return colors[place % colors.length] as string;
}

/** Grounds that names of lines stand on: the darkest of the light ones, the lightest dark one. */
const GROUNDS: Record<Ground, readonly number[]> = {
  light: [253, 241, 231],
  dark: [51, 35, 15],
};
const INK: Record<Ground, readonly number[]> = { light: [28, 39, 51], dark: [229, 235, 241] };
/** What text needs to be read. */
const READABLE = 4.5;
const texts = new Map<string, string>();

/** The colour of a line's name: that of the line, with as much ink as it takes to be read. */
export function textColor(place: number, ground: Ground): string {
  const color = lineColor(place, ground);
  const known = texts.get(`${ground} ${color}`);
  if (known) return known;
  const line = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  let [mixed, ink] = [line, 0];
  while (contrast(mixed, GROUNDS[ground]) < READABLE && ink < 1) {
    ink += 0.05;
    mixed = line.map((part, i) => Math.round(part + ((INK[ground][i] as number) - part) * ink));
  }
  const text = `rgb(${mixed.join(" ")})`;
  texts.set(`${ground} ${color}`, text);
  return text;
}

/** How much two colours differ in lightness, as WCAG has it. */
export function contrast(a: readonly number[], b: readonly number[]): number {
  const [one, other] = [luminance(a), luminance(b)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

function luminance(color: readonly number[]): number {
  const [r, g, b] = color.map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function lineDash(place: number): readonly number[] {
  return DASHES[Math.floor(place / LINES.light.length) % DASHES.length] as readonly number[];
}

/**
 * Stops of the heat ramps (low to high). Low values recede into the ground and high ones stand
 * out; lightness changes in one direction, so the order survives any colour blindness and print.
 */
const RAMPS: Record<Ground, readonly (readonly [number, number, number])[]> = {
  light: [
    [233, 240, 246],
    [176, 208, 226],
    [94, 165, 200],
    [33, 112, 168],
    [20, 66, 126],
    [12, 28, 74],
  ],
  dark: [
    [30, 39, 54],
    [28, 66, 110],
    [20, 108, 148],
    [52, 156, 158],
    [150, 205, 130],
    [252, 240, 150],
  ],
};

const STEPS = 256;

/** A ramp as packed RGBA pixels (little endian), `STEPS` long. */
export function rampPixels(ground: Ground): Uint32Array {
  const stops = RAMPS[ground];
  return Uint32Array.from({ length: STEPS }, (_, i) => {
    const at = (i / (STEPS - 1)) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    const [a, b] = [stops[low], stops[low + 1]] as [readonly number[], readonly number[]];
    const mix = (k: number) => {
      const from = a[k] as number;
      return Math.round(from + ((b[k] as number) - from) * (at - low));
    };
    return ((255 << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0)) >>> 0;
  });
}

/**
 * The place of `value` on a ramp of `STEPS` pixels. Where all values are the same there is no high
 * and low, so they stand in the middle; nothing at all is the lowest anyway.
 */
export function rampIndex(value: number, low: number, high: number): number {
  if (!(high > low)) return value === 0 ? 0 : STEPS / 2;
  return Math.round(Math.min(Math.max((value - low) / (high - low), 0), 1) * (STEPS - 1));
}

/** The colour of one value, for a stylesheet. */
export function rampColor(ground: Ground, value: number, low: number, high: number): string {
  const pixel = rampPixels(ground)[rampIndex(value, low, high)] as number;
  return `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
}

/** The same ramp for a stylesheet; one colour where all values are the same. */
export function rampGradient(ground: Ground, low: number, high: number): string {
  if (!(high > low)) {
    const color = rampColor(ground, low, low, high);
    return `linear-gradient(${color}, ${color})`;
  }
  const stops = RAMPS[ground].map((stop) => `rgb(${stop.join(" ")})`);
  return `linear-gradient(to right, ${stops.join(", ")})`;
}
