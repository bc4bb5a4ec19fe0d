/** Cells, spans, marks and events as lines and bands over the charts, and as text on hover. */

import type { Source, SpanWire } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import { withLabels } from "../vocabulary/entities";
import { Owners } from "../vocabulary/owners";
import type { PlotArea } from "./chart";
import type { Theme } from "./theme";

export interface Mark {
  readonly host: string;
  /** What the host is called. */
  readonly machine: string;
  readonly entity: string;
  readonly metric: string;
  readonly drawnAs: "moment" | "span";
  readonly start: number;
  /** Null: a moment, or a stretch that has not ended. */
  readonly end: number | null;
  readonly open: boolean;
  /** What it is called beside the name of its host. */
  readonly text: string;
  /** What it is called where nothing else says whose it is. */
  readonly label: string;
  /** It ended in an error. */
  readonly failed: boolean;
}

/** Moments and spans as marks in order of time; with several hosts each names its host. Pure. */
export function marksOf(source: Told): Mark[] {
  const hosts = source.catalog().map(({ host }) => host);
  const owners = new Owners(source.entities(), hosts);
  const labelled = (host: string, label: string) =>
    owners.several ? `${owners.host(host)} \u00b7 ${label}` : label;
  const moments = source.moments().map(({ facts, time, ...about }): Mark => {
    const text = withLabels(said(facts["label"] ?? facts["message"])) || about.metric;
    const names = { machine: owners.host(about.host), text, label: labelled(about.host, text) };
    return { ...about, ...names, drawnAs: "moment", start: time, end: null, ...MOMENT };
  });
  const spans = source.spans().map((span): Mark => {
    const { host, entity, metric, start, end } = span;
    const text = spanLabel(span);
    const names = { machine: owners.host(host), text, label: labelled(host, text) };
    const how = { drawnAs: "span", open: end === null, failed: statusOf(span) !== "" } as const;
    return { host, entity, metric, ...names, start, end, ...how };
  });
  return [...moments, ...spans].sort((a, b) => a.start - b.start);
}

const MOMENT = { open: false, failed: false } as const;

type Told = Pick<Source, "catalog" | "entities" | "moments" | "spans">;

/** How a span ended, where that is worth a word. */
function statusOf({ facts }: SpanWire): string {
  const status = said(facts["status"]);
  return status === "ok" ? "" : status;
}

function spanLabel(span: SpanWire): string {
  const { metric, entity, facts } = span;
  const status = statusOf(span);
  const failed = status && ` (${status})`;
  if (metric !== "cell") return `${said(facts["name"] ?? facts["label"]) || metric}${failed}`;
  const count = said(facts["count"]) || (entity.split(":")[1] ?? "");
  const line = typeof facts["line"] === "string" && facts["line"] ? ` ${facts["line"]}` : "";
  return `cell [${count}]${line}${failed}`;
}

function said(fact: unknown): string {
  return fact === undefined || fact === null ? "" : String(fact);
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

export function marksWithin(marks: readonly Mark[], range: AxisRange): Mark[] {
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
    .filter(({ drawnAs }) => drawnAs === "moment")
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

/** A time without a running cell or span is idle: what is shaded, from its start to its end. */
export function idleStretches(
  marks: readonly Mark[],
  [from, to]: AxisRange,
  now: number,
): AxisRange[] {
  const spans = marks.filter(({ drawnAs }) => drawnAs === "span");
  // Who runs no cells has no idle time either.
  if (spans.length === 0) return [];
  const idle: AxisRange[] = [];
  const last = Math.min(to, now);
  let known = from;
  for (const { start, end } of spans) {
    if (start > known) idle.push([known, Math.min(start, last)]);
    known = Math.max(known, end ?? now);
  }
  if (known < last) idle.push([known, last]);
  return idle.filter(([start, end]) => start < end);
}

/** Times in which nothing ran, very faint; below the lines of a chart. */
export function paintIdle(
  area: PlotArea,
  marks: readonly Mark[],
  range: AxisRange,
  theme: Theme,
  now: number,
): void {
  const { context, top, height, x } = area;
  const stretches = idleStretches(marks, range, now);
  if (stretches.length === 0) return;
  context.save();
  context.fillStyle = theme.idle;
  for (const [from, to] of stretches) {
    const left = Math.round(x(from));
    context.fillRect(left, top, Math.round(x(to)) - left, height);
  }
  context.restore();
}

/**
 * Moments whose lines would stand within `reach` pixels of one another as one with a count; what
 * was no moment is left out.
 */
export function mergedMoments(
  marks: readonly Mark[],
  x: (time: number) => number,
  reach: number,
): Mark[] {
  const groups: Mark[][] = [];
  let start = Number.NEGATIVE_INFINITY;
  for (const mark of marks) {
    if (mark.drawnAs !== "moment") continue;
    const at = x(mark.start);
    if (at - start <= reach) groups[groups.length - 1]?.push(mark);
    else {
      groups.push([mark]);
      start = at;
    }
  }
  return groups.map(merged);
}

function merged(group: readonly Mark[]): Mark {
  const first = group.find((mark) => !isUsers(mark)) ?? (group[0] as Mark);
  if (group.length === 1) return first;
  const own = group.filter(isUsers).length;
  const what = own === group.length ? "marks" : own === 0 ? "events" : "marks and events";
  const text = `${group.length} ${what}`;
  return { ...first, start: (group[0] as Mark).start, text, label: text };
}

/** What the user marked, and not what the monitor noticed. */
function isUsers(mark: Mark): boolean {
  return mark.metric === "mark";
}

export function momentColor(mark: Mark, theme: Theme): string {
  return isUsers(mark) ? theme.accent : theme.warn;
}

/** Lines of marks that are nearer to one another than this many CSS pixels are one. */
export const CLOSE = 6;

/** Marks and events as vertical lines; drawn above the lines of a chart. */
export function paintMoments(area: PlotArea, marks: readonly Mark[], theme: Theme): void {
  const { context, left, top, width, height, ratio } = area;
  context.save();
  context.lineWidth = ratio;
  for (const mark of mergedMoments(marks, area.x, CLOSE * ratio)) {
    const x = Math.round(area.x(mark.start)) + 0.5;
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
