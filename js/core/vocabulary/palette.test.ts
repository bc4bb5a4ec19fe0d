import { describe, expect, test } from "vitest";
import {
  contrast,
  type Ground,
  lineColor,
  lineDash,
  rampGradient,
  rampIndex,
  rampPixels,
  textColor,
} from "./palette";

type Triple = readonly [number, number, number];
type Matrix = readonly [Triple, Triple, Triple];

/** Machado, Oliveira and Fernandes 2009, severity 1. */
const SIGHT: Record<string, Matrix> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function linear(hex: string): Triple {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return [r, g, b];
}

function dot(row: Triple, color: Triple): number {
  return row[0] * color[0] + row[1] * color[1] + row[2] * color[2];
}

function seen(color: Triple, sight: Matrix): Triple {
  const [r = 0, g = 0, b = 0] = sight.map((row) => Math.min(1, Math.max(0, dot(row, color))));
  return [r, g, b];
}

function lab(color: Triple): Triple {
  const f = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f(dot([0.4124, 0.3576, 0.1805], color) / 0.95047);
  const y = f(luminance(color));
  const z = f(dot([0.0193, 0.1192, 0.9505], color) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function luminance(color: Triple): number {
  return dot([0.2126, 0.7152, 0.0722], color);
}

const grounds: [Ground, string][] = [
  ["light", "#ffffff"],
  ["dark", "#12161b"],
];
const places = [0, 1, 2, 3, 4, 5, 6, 7];

describe.each(grounds)("line colours on %s ground", (ground, surface) => {
  test("stand out from the ground at 3:1 or more", () => {
    const base = luminance(linear(surface));
    for (const place of places) {
      const own = luminance(linear(lineColor(place, ground)));
      const ratio = (Math.max(own, base) + 0.05) / (Math.min(own, base) + 0.05);
      expect(ratio).toBeGreaterThan(3);
    }
  });

  test.each(Object.entries(SIGHT))("can be told apart with %s", (_name, sight) => {
    const colors = places.map((place) => lab(seen(linear(lineColor(place, ground)), sight)));
    for (const [i, a] of colors.entries()) {
      for (const b of colors.slice(0, i)) {
        expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])).toBeGreaterThan(18);
      }
    }
  });

  test("the heat ramp changes lightness in one direction", () => {
    const light = [...rampPixels(ground)].map((pixel) => {
      const [r, g, b] = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
      const hex = [r, g, b].map((c) => c.toString(16).padStart(2, "0")).join("");
      return lab(linear(`#${hex}`))[0];
    });
    const sign = ground === "dark" ? 1 : -1;
    for (let i = 8; i < light.length; i += 8) {
      expect(sign * ((light[i] ?? 0) - (light[i - 8] ?? 0))).toBeGreaterThan(0);
    }
  });
});

test("the ninth line differs from the first by its stroke", () => {
  expect(lineColor(8, "light")).toBe(lineColor(0, "light"));
  expect(lineDash(8)).not.toEqual(lineDash(0));
});

test("values beyond a ramp stay on its ends", () => {
  expect([-1, 0, 1, 2].map((value) => rampIndex(value, 0, 1))).toEqual([0, 0, 255, 255]);
});

test("values that are all the same are neither low nor high, unless they are nothing", () => {
  expect([rampIndex(61, 61, 61), rampIndex(-4, -4, -4), rampIndex(0, 0, 0)]).toEqual([128, 128, 0]);
  expect(rampGradient("light", 61, 61)).toMatch(/^linear-gradient\(rgb\((.*)\), rgb\(\1\)\)$/);
  expect(rampGradient("light", 60, 61)).toContain("rgb(233 240 246)");
  expect(rampGradient("light", 0, 0)).toContain("rgb(233 240 246)");
});

test.each(["light", "dark"] as const)("the name of a line on %s ground can be read", (ground) => {
  const inks = { light: [253, 241, 231], dark: [51, 35, 15] };
  for (let place = 0; place < 8; place++) {
    const parts = textColor(place, ground).match(/\d+/g)?.map(Number) as number[];
    expect(contrast(parts, inks[ground])).toBeGreaterThanOrEqual(4.5);
  }
});
