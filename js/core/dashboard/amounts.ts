/** Numbers shortened for lines in which room is scarce. Pure. */

import { formatValue } from "../vocabulary/format";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** "66/80 GiB": both in the unit of the total. */
export function ofText(used: number | null, total: number | null): string {
  if (total === null || total <= 0) return formatValue(used, "B");
  const [, , unit = ""] = /^(\S+) (.*)$/.exec(formatValue(total, "B")) ?? [];
  const size = 1024 ** Math.max(UNITS.indexOf(unit), 0);
  if (used === null) return `\u2013/${formatValue(whole(total, size), "B")}`;
  const [a, b] = [formatValue(whole(used, size), "B"), formatValue(whole(total, size), "B")];
  return a.endsWith(` ${unit}`) ? `${a.slice(0, -unit.length - 1)}/${b}` : `${a} of ${b}`;
}

/** Tens of GiB need no decimals. */
function whole(bytes: number, size: number): number {
  return bytes < 10 * size ? bytes : Math.round(bytes / size) * size;
}

/** Watts as whole numbers, as far as they would be read as such. */
export function wattsText(watts: number | null): string {
  return formatValue(watts !== null && watts < 1000 ? Math.round(watts) : watts, "W");
}

export function degreesText(degrees: number | null): string {
  return formatValue(degrees === null ? null : Math.round(degrees), "degC");
}

export function sum(values: readonly number[]): number | null {
  return values.length > 0 ? values.reduce((a, b) => a + b, 0) : null;
}

export function mean(values: readonly number[]): number | null {
  const all = sum(values);
  return all === null ? null : all / values.length;
}
