/** Moments and durations as text, in the viewer's local time. */

const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
const MINUTES = new Intl.DateTimeFormat(undefined, parts);
const SECONDS = new Intl.DateTimeFormat(undefined, { ...parts, second: "2-digit" });
const MILLIS = new Intl.DateTimeFormat(undefined, {
  ...parts,
  second: "2-digit",
  fractionalSecondDigits: 3,
});
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** Labels of a time axis whose ticks are `step` seconds apart. */
export function axisTimes(times: readonly number[], step: number): string[] {
  const format = step < 1 ? MILLIS : step < 60 ? SECONDS : step < 86_400 ? MINUTES : DAY;
  return times.map((time) => {
    const date = new Date(time * 1000);
    const midnight = date.getHours() + date.getMinutes() + date.getSeconds() === 0;
    return (midnight && step >= 60 ? DAY : format).format(date);
  });
}

/** A moment as exactly as a picture of `width` seconds can show it. */
export function momentText(time: number, width: number): string {
  const date = new Date(time * 1000);
  const clock = (width < 60 ? MILLIS : SECONDS).format(date);
  return isToday(date) ? clock : `${DAY.format(date)} ${clock}`;
}

/** "12 May 2026, 14:03:10": a moment of any day. */
export function dateText(time: number): string {
  const date = new Date(time * 1000);
  return `${DATE.format(date)}, ${SECONDS.format(date)}`;
}

/** "12 May 2026, 14:03 to 14:31": the stretch a finished recording covers. */
export function stretchText(from: number, to: number): string {
  const [start, end] = [new Date(from * 1000), new Date(to * 1000)];
  const sameDay = start.toDateString() === end.toDateString();
  const tail = sameDay ? SECONDS.format(end) : `${DATE.format(end)}, ${SECONDS.format(end)}`;
  return `${DATE.format(start)}, ${SECONDS.format(start)} to ${tail}`;
}

/** "0:07", "12:34", "3:02:09": a running time. */
export function elapsedText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function isToday(date: Date): boolean {
  return date.toDateString() === new Date().toDateString();
}

/** "14:02:10", with the day where that is another one than that of `beside`. */
export function clockText(time: number, beside = Date.now() / 1000): string {
  const [date, other] = [new Date(time * 1000), new Date(beside * 1000)];
  const clock = SECONDS.format(date);
  return date.toDateString() === other.toDateString() ? clock : `${DAY.format(date)} ${clock}`;
}
