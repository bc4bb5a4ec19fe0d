/**
 * Moments as text by the UTC clock: a saved picture is read where the clock may be another. The
 * twin of `pulse_widgets/exchange/picture_axis.py`.
 */

import { formatValue } from "./format";

const MINUTE = 60;
const DAY = 86_400;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800],
  ...[3600, 7200, 10_800, 21_600, 43_200, DAY],
];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Round moments between two unix times, `most` or about as many. */
export function utcTicks(from: number, to: number, most: number): { time: number; text: string }[] {
  const raw = (to - from) / most;
  if (!(raw > 0) || !Number.isFinite(raw)) return [];
  const step = STEPS.find((one) => one >= raw) ?? DAY * Math.ceil(raw / DAY);
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const time = (first + i) * step;
    return { time, text: clock(time, step) };
  });
}

/** "21 Nov 2026, 10:02:03 to 10:14:03 (12 min)" */
export function utcStretch(from: number, to: number): string {
  const [first, last] = [moment(from), moment(to)];
  const sameDay = first.day === last.day;
  if (sameDay && first.clock === last.clock) return `${first.day}, ${first.clock}`;
  const length = to - from >= 1 ? ` (${formatValue(Math.round(to - from), "s")})` : "";
  const end = sameDay ? last.clock : `${last.day}, ${last.clock}`;
  return `${first.day}, ${first.clock} to ${end}${length}`;
}

function clock(time: number, step: number): string {
  const date = new Date(time * 1000);
  if (Number.isNaN(date.getTime())) return "";
  const midnight = step >= MINUTE && time % DAY === 0;
  if (step >= DAY || midnight) return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  return date.toISOString().slice(11, step >= MINUTE ? 16 : 19);
}

function moment(time: number): { day: string; clock: string } {
  const date = new Date(time * 1000);
  // A clock gone wild is no reason to lose the picture.
  if (Number.isNaN(date.getTime())) return { day: "", clock: "" };
  const month = MONTHS[date.getUTCMonth()];
  const day = `${date.getUTCDate()} ${month} ${date.getUTCFullYear()}`;
  return { day, clock: date.toISOString().slice(11, 19) };
}
