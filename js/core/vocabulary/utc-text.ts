/**
 * Moments as text by the UTC clock: a saved picture is read where the clock may be another. The
 * twin of `pulse_widgets/exchange/picture/axis.py`; `tests/data/axis.json` holds both to it.
 */

import { formatValue } from "./format";
import { CLOCK_STEPS, MONTHS } from "./shared.gen";
import { tickStep } from "./y-range";

const MINUTE = 60;
const DAY = 86_400;

/** Round moments between two unix times, `most` or about as many. */
export function utcTicks(from: number, to: number, most: number): { time: number; text: string }[] {
  const raw = (to - from) / most;
  if (!(raw > 0) || !Number.isFinite(raw)) return [];
  const step = raw < 1 ? tickStep(raw, "") : clockStep(raw);
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const time = (first + i) * step;
    return { time, text: utcClock(time, step) };
  });
}

function clockStep(raw: number): number {
  return CLOCK_STEPS.find((one) => one >= raw) ?? DAY * Math.ceil(raw / DAY);
}

/** "21 Nov 2026, 10:02:03 to 10:14:03 (12 min)" */
export function utcStretch(from: number, to: number): string {
  const [first, last] = [dateOf(from), dateOf(to)];
  if (!first || !last) return moment(first ?? last);
  const [begins, ends] = [moment(first), moment(last)];
  if (begins === ends) return begins;
  const length = to - from >= 1 ? ` (${formatValue(Math.floor(to - from + 0.5), "s")})` : "";
  const end = day(first) === day(last) ? last.toISOString().slice(11, 19) : ends;
  return `${begins} to ${end}${length}`;
}

/** A moment as a clock shows it, exact enough for marks `step` seconds apart. */
export function utcClock(time: number, step: number): string {
  const date = dateOf(time);
  if (!date) return "";
  const midnight = step >= MINUTE && time % DAY === 0;
  if (step >= DAY || midnight) return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  return date.toISOString().slice(11, step >= MINUTE ? 16 : step >= 1 ? 19 : 23);
}

function day(date: Date): string {
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

function moment(date: Date | null): string {
  return date ? `${day(date)}, ${date.toISOString().slice(11, 19)}` : "";
}

/** A moment of the years 1 to 9999. A clock gone wild is no reason to lose the picture. */
function dateOf(time: number): Date | null {
  const date = new Date(Math.floor(time * 1000 + 0.5));
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999 ? date : null;
}
