/** Ranges and ticks of the value axis. */

import type { Span } from "./view-state";

/** Headroom above the largest value, as a share of the range. */
const HEADROOM = 0.06;
/** Data that lies within this share of its distance from zero is drawn with zero in view. */
const NEAR_ZERO = 0.6;
/** Changes that are small beside the level itself are not blown up to the full height. */
const LEAST_SHARE = 0.02;

export interface YRule {
  readonly unit: string;
  /** Always show 0 to 1: shares of a whole. */
  readonly whole: boolean;
  /** A level that belongs in the picture (memory size, power limit); null when unknown. */
  readonly limit: number | null;
}

/**
 * The range of the value axis for data between `low` and `high` (null: no data in view).
 *
 * Zero is in view unless the data sits far from it and moves little (a clock at 1.9 GHz, a
 * temperature around 60 °C): then a flat line at the top edge would hide what changes.
 */
export function yRange(low: number | null, high: number | null, rule: YRule): Span {
  if (rule.whole) return [0, Math.max(1, (high ?? 0) * (1 + HEADROOM))];
  if (low === null || high === null) return [0, rule.limit ?? 1];
  const top = rule.limit === null ? high : Math.max(high, rule.limit);
  if (rule.unit === "degC") return around(low, high, LEAST_DEGREES);
  if (low >= 0 && (low <= top * NEAR_ZERO || AMOUNTS.has(rule.unit))) {
    return [0, top > 0 ? top * (1 + HEADROOM) : 1];
  }
  const pad = Math.max((top - low) * 0.12, Math.abs(top) * LEAST_SHARE, Number.MIN_VALUE);
  const bottom = low >= 0 ? Math.max(0, low - pad) : low - pad;
  return [bottom, high <= 0 ? Math.max(top + pad, 0) : top + pad];
}

/** Whether zero is in view: an area over another level would have no meaning. */
export function standsOnZero([bottom, top]: Span): boolean {
  return bottom <= 0 && top >= 0;
}

/** Amounts: their size against nothing at all is what matters. */
const AMOUNTS = new Set(["1", "B", "B/s", "W", "J", "cores", "count", "count/s"]);

/** A few degrees up and down are not worth a picture; 0 °C means nothing here. */
const LEAST_DEGREES = 12;

function around(low: number, high: number, least: number): Span {
  const half = Math.max(high - low, least) * 0.55;
  const middle = (low + high) / 2;
  return [middle - half, middle + half];
}

const BINARY = new Set(["B", "B/s"]);
const DECIMAL_STEPS = [1, 2, 2.5, 5, 10];
const BINARY_STEPS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
const CLOCK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600];
const DAY = 86_400;

/** Round values for `count` or fewer lines across `range`, in steps natural to the unit. */
export function yTicks(range: Span, unit: string, count: number): number[] {
  const raw = (range[1] - range[0]) / Math.max(1, count);
  if (!(raw > 0) || !Number.isFinite(raw)) return [];
  const step = Math.max(tickStep(raw, unit), unit === "count" ? 1 : 0);
  const first = Math.ceil(range[0] / step - 1e-9);
  const last = Math.floor(range[1] / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

function tickStep(raw: number, unit: string): number {
  if (unit === "s" && raw > DAY) return tickStep(raw / DAY, "") * DAY;
  if (unit === "s" && raw >= 1) return CLOCK_STEPS.find((step) => step >= raw) ?? DAY;
  if (BINARY.has(unit) && raw >= 1) {
    const size = 1024 ** Math.floor(Math.log(raw) / Math.log(1024) + 1e-9);
    return (BINARY_STEPS.find((step) => step * size >= raw) ?? 1024) * size;
  }
  const size = 10 ** Math.floor(Math.log10(raw) + 1e-9);
  return (DECIMAL_STEPS.find((step) => step * size >= raw * (1 - 1e-9)) ?? 10) * size;
}
