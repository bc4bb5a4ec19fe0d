/** Cells, spans, marks and events as lines and bands over the charts, and as text on hover. */

import type { PulseEvent, SeriesWire } from "../source";
import { kindOf, kindOfEvent } from "../vocabulary/kinds";
import type { Span } from "../vocabulary/span";
import type { Frame } from "./chart";
import type { Theme } from "./theme";

export interface Mark {
  readonly metric: string;
  readonly look: "moment" | "span";
  readonly start: number;
  /** Null: a moment, or a stretch that has not ended. */
  readonly end: number | null;
  readonly open: boolean;
  readonly label: string;
}

/**
 * Pair the start and end rows of cells and spans; moments stay as they are, and what is neither
 * is left out. The catalog of the source says what its events are. Pure.
 */
export function marksOf(events: readonly PulseEvent[], catalog: readonly SeriesWire[]): Mark[] {
  const kinds = new Map(catalog.map((one) => [`${one.metric}/${one.entity}`, kindOf(one)]));
  const spans = new Map<string, PulseEvent[]>();
  const marks: Mark[] = [];
  for (const event of events) {
    const { metric, time } = event;
    const series = `${metric}/${event.entity}`;
    const { look, paired } = kinds.get(series) ?? kindOfEvent(metric);
    if (look === "span") {
      const key = `${series}/${paired ? (event.id ?? time) : time}`;
      spans.set(key, [...(spans.get(key) ?? []), event]);
    } else if (look === "moment") {
      const label = event.label ?? event.message ?? metric;
      marks.push({ metric, look, start: time, end: null, open: false, label });
    }
  }
  for (const rows of spans.values()) marks.push(spanOf(rows));
  return marks.sort((a, b) => a.start - b.start);
}

function spanOf(rows: readonly PulseEvent[]): Mark {
  const first = rows[0] as PulseEvent;
  const begun = rows.find((row) => row.value === null);
  const ended = rows.find((row) => row.value !== null);
  const seconds = ended?.value ?? null;
  // An end row alone (its start left the list) stands at the end of the stretch, and lacks the
  // details that only a start has.
  const named = "count" in first || "line" in first || "name" in first;
  const start = begun?.time ?? (named ? first.time : first.time - (seconds ?? 0));
  return {
    metric: first.metric,
    look: "span",
    start,
    end: seconds === null ? null : start + seconds,
    open: seconds === null,
    label: spanLabel(begun ?? first, ended),
  };
}

function spanLabel(start: PulseEvent, end: PulseEvent | undefined): string {
  const failed = end?.status && end.status !== "ok" ? ` (${end.status})` : "";
  if (start.metric !== "cell") return `${start["name"] ?? start.label ?? start.metric}${failed}`;
  const count = start["count"] ?? start.entity.split(":")[1] ?? "";
  const line = typeof start.line === "string" ? ` ${start.line}` : "";
  return `cell [${count}]${line}${failed}`;
}

/**
 * What the cursor touches at `time`: stretches that hold it, moments within `reach` seconds.
 * An open stretch reaches to `now`.
 */
export function marksAt(marks: readonly Mark[], time: number, reach: number, now: number): Mark[] {
  return marks.filter((mark) =>
    mark.end === null && !mark.open
      ? Math.abs(mark.start - time) <= reach
      : mark.start <= time && (mark.end ?? now) >= time,
  );
}

export function marksWithin(marks: readonly Mark[], range: Span): Mark[] {
  return marks.filter((mark) => {
    const end = mark.open ? Number.POSITIVE_INFINITY : (mark.end ?? mark.start);
    return end >= range[0] && mark.start <= range[1];
  });
}

/** A stretch of pixels for labels: `gap` from a line to its label, `least` for a shortened one. */
interface Row {
  readonly left: number;
  readonly right: number;
  readonly gap: number;
  readonly least: number;
}

/** Where the label of a moment begins, and the room it has. */
interface Spot {
  readonly mark: Mark;
  readonly from: number;
  readonly room: number;
}

/**
 * Places for the labels of marks and events, none over another or over a line: right of their own
 * line, or left of it where that has more room. Pure.
 */
export function labelSpots(
  marks: readonly Mark[],
  { left, right, gap, least }: Row,
  x: (time: number) => number,
  width: (text: string) => number,
): Spot[] {
  const moments = marks
    .filter(({ look }) => look === "moment")
    .map((mark) => ({ mark, at: x(mark.start) }))
    .filter(({ at }) => at >= left && at <= right);
  const spots: Spot[] = [];
  let taken = left;
  for (const [i, { mark, at }] of moments.entries()) {
    const wanted = width(mark.label);
    const next = moments[i + 1];
    const [before, after] = [at - taken - gap, (next ? next.at - gap : right) - at - gap];
    const onRight = wanted <= after || after >= before;
    const room = Math.min(wanted, onRight ? after : before);
    const shown = room >= Math.min(wanted, least);
    const from = onRight ? at + gap : at - gap - room;
    if (shown) spots.push({ mark, from, room });
    taken = (shown && onRight ? from + room : at) + gap;
  }
  return spots;
}

/** Cells and spans as faint bands; drawn below the lines of a chart. */
export function paintBands(frame: Frame, marks: readonly Mark[], theme: Theme, now: number): void {
  const { context, left, top, width, height } = frame;
  context.save();
  context.fillStyle = theme.band;
  for (const mark of marks) {
    if (mark.look !== "span") continue;
    const from = Math.max(frame.x(mark.start), left);
    const to = Math.min(frame.x(mark.end ?? now), left + width);
    if (to > from) context.fillRect(from, top, to - from, height);
  }
  context.restore();
}

/** What the user marked, and not what the monitor noticed. */
function isUsers(mark: Mark): boolean {
  return mark.metric === "mark";
}

export function momentColor(mark: Mark, theme: Theme): string {
  return isUsers(mark) ? theme.accent : theme.warn;
}

/** Marks and events as vertical lines; drawn above the lines of a chart. */
export function paintMoments(frame: Frame, marks: readonly Mark[], theme: Theme): void {
  const { context, left, top, width, height, ratio } = frame;
  context.save();
  context.lineWidth = ratio;
  for (const mark of marks) {
    if (mark.look !== "moment") continue;
    const x = Math.round(frame.x(mark.start)) + 0.5;
    if (x < left || x > left + width) continue;
    context.strokeStyle = momentColor(mark, theme);
    context.setLineDash(isUsers(mark) ? [4 * ratio, 3 * ratio] : [ratio, 2 * ratio]);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, top + height);
    context.stroke();
  }
  context.restore();
}
