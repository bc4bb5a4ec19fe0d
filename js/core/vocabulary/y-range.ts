/**
 * Ranges and ticks of the value axis. The twin of `pulse_widgets/exchange/picture/axis.py`, which
 * has the numbers and says why; `tests/data/axis.json` holds both to the same examples.
 */

import type { AxisRange } from "./axis-range";
import {
  AMOUNTS,
  BINARY_STEPS,
  CLOCK_STEPS,
  DECIMAL_STEPS,
  HEADROOM,
  LEAST_DEGREES,
  LEAST_SHARE,
  NEAR_ZERO,
} from "./shared.gen";

const DAY = 86_400;

interface YRule {
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
export function yRange(low: number | null, high: number | null, rule: YRule): AxisRange {
  const [bottom, top] = wanted(low, high, rule);
  return apart(Math.max(bottom, -Number.MAX_VALUE), Math.min(top, Number.MAX_VALUE));
}

function wanted(low: number | null, high: number | null, rule: YRule): AxisRange {
  if (rule.whole) return [0, high !== null && high > 1 ? high * HEADROOM : 1];
  if (low === null || high === null) return [0, rule.limit ?? 1];
  const top = rule.limit === null ? high : Math.max(high, rule.limit);
  if (rule.unit === "degC") return around(low, high);
  if (low >= 0 && (low <= top * NEAR_ZERO || AMOUNTS.includes(rule.unit))) {
    return [0, top > 0 ? top * HEADROOM : 1];
  }
  const pad = Math.max((top - low) * 0.12, Math.abs(top) * LEAST_SHARE);
  const bottom = low >= 0 ? Math.max(0, low - pad) : low - pad;
  return [bottom, high <= 0 ? Math.max(top + pad, 0) : top + pad];
}

/** Two numbers that a double cannot tell apart make no axis. */
function apart(bottom: number, top: number): AxisRange {
  const least = Math.max(Math.abs(bottom), Math.abs(top)) * 1e-9 + 1e-300;
  if (top - bottom >= least) return [bottom, top];
  return [Math.max(bottom - least, -Number.MAX_VALUE), Math.min(top + least, Number.MAX_VALUE)];
}

function around(low: number, high: number): AxisRange {
  const half = Math.max(high - low, LEAST_DEGREES) * 0.55;
  const middle = low / 2 + high / 2;
  return [middle - half, middle + half];
}

/** Round values for `count` or fewer lines across `range`, in steps natural to the unit. */
export function yTicks(range: AxisRange, unit: string, count: number): number[] {
  const raw = (range[1] - range[0]) / Math.max(1, count);
  // Smaller steps have no logarithm to trust.
  if (!(raw > 1e-300) || !Number.isFinite(raw)) return [];
  const step = Math.max(tickStep(raw, unit), unit === "count" ? 1 : 0);
  const first = Math.ceil(range[0] / step - 1e-9);
  const last = Math.floor(range[1] / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

/** The round step at or above `raw`. */
export function tickStep(raw: number, unit: string): number {
  if (unit === "s" && raw > DAY) return tickStep(raw / DAY, "") * DAY;
  if (unit === "s" && raw >= 1) return CLOCK_STEPS.find((step) => step >= raw) as number;
  if ((unit === "B" || unit === "B/s") && raw >= 1) {
    const size = 1024 ** Math.floor(Math.log(raw) / Math.log(1024) + 1e-9);
    return (BINARY_STEPS.find((step) => step * size >= raw) ?? 1024) * size;
  }
  const size = 10 ** Math.floor(Math.log10(raw) + 1e-9);
  return (DECIMAL_STEPS.find((step) => step * size >= raw * (1 - 1e-9)) ?? 10) * size;
}
