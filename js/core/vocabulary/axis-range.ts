/** Ranges of an axis, and how panning, zooming and selecting change them. */

/** A range of an axis, `[start, end]`, in the units of that axis. */
export type AxisRange = readonly [number, number];

/** A session that has just begun is drawn this many seconds wide, or its lines would race. */
export const FIRST_SECONDS = 30;
/** The narrowest range, in seconds or steps. */
export const NARROWEST = 0.01;

/** `range` moved by a fraction of its width: not to before the data, and hardly beyond it. */
export function panned(range: AxisRange, fraction: number, extent: AxisRange): AxisRange {
  const width = range[1] - range[0];
  const lowest = Math.min(extent[0], range[0]);
  const highest = Math.max(extent[1] - width * 0.1, lowest);
  const start = Math.min(Math.max(range[0] + width * fraction, lowest), highest);
  return [start, start + width];
}

/** `range` with its width multiplied by `factor`; the point `anchor` stays where it is. */
export function scaled(
  range: AxisRange,
  factor: number,
  anchor: number,
  extent: AxisRange,
): AxisRange {
  const width = range[1] - range[0];
  const widest = Math.max((extent[1] - extent[0]) * 1.5, FIRST_SECONDS, width);
  const next = Math.min(Math.max(width * factor, NARROWEST), widest);
  const share = width > 0 ? (anchor - range[0]) / width : 0.5;
  const start = anchor - share * next;
  return [start, start + next];
}

/** A dragged selection as a range, or null when it is too narrow to be meant. */
export function selected(a: number, b: number): AxisRange | null {
  return Math.abs(b - a) < NARROWEST ? null : [Math.min(a, b), Math.max(a, b)];
}

/** A stretch with a little room on both sides. */
export function roomy([from, to]: AxisRange): AxisRange {
  const room = Math.max((to - from) * 0.06, NARROWEST * 5);
  return [from - room, to + room];
}

/** `range`, moved without being made wider until it has the stretch, or the stretch's start. */
export function having([from, to]: AxisRange, stretch: AxisRange): AxisRange {
  const width = to - from;
  if (stretch[0] < from || stretch[1] - stretch[0] > width) return [stretch[0], stretch[0] + width];
  return stretch[1] > to ? [stretch[1] - width, stretch[1]] : [from, to];
}
