/** Cells, spans, marks and events as lines and bands over the charts, and as text on hover. */

import type { MomentWire, Source, SpanWire } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import { entityLabel, withLabels } from "../vocabulary/entities";
import { Owners } from "../vocabulary/owners";
import type { PlotArea } from "./chart";
import type { Facts, Mark } from "./mark";
import { firstAfter, firstFrom, indexOf, rankOf, spansWithin } from "./mark-index";
import type { Theme } from "./theme";

export type { Mark } from "./mark";

/** What stands before what is alarming: its colour alone says nothing. */
export const SIGN = "\u25b2";

/**
 * Moments and spans as marks in order of time; with several hosts each names its host, and that of
 * a rank its rank. What has not changed is the same mark as before.
 */
export function marksOf(source: Told): Mark[] {
  const hosts = source.catalog().map(({ host }) => host);
  const owners = new Owners(source.entities(), hosts);
  const kept = <T extends Wire>(wire: T, make: Make<T>): Mark => {
    const [machine, known] = [owners.host(wire.host), made.get(wire)];
    const rank = rankOf(wire);
    const host = owners.several ? `${machine} \u00b7 ` : "";
    const whose = rank ? `${host}${entityLabel(rank)} \u00b7 ` : host;
    if (known?.machine === machine && known.label === whose + known.text) return known;
    const mark = make(wire, machine, whose);
    made.set(wire, mark);
    return mark;
  };
  const moments = source.moments().map((one) => kept(one, ofMoment));
  const spans = source.spans().map((one) => kept(one, ofSpan));
  return [...moments, ...spans].sort((a, b) => a.start - b.start);
}

type Wire = MomentWire | SpanWire;
type Make<T> = (wire: T, machine: string, whose: string) => Mark;
const made = new WeakMap<Wire, Mark>();

function ofMoment(moment: MomentWire, machine: string, whose: string): Mark {
  const { host, entity, metric, time: start, facts } = moment;
  const text = momentText(metric, facts);
  const failed = isFailure(metric, facts);
  const [drawnAs, label, end, open] = ["moment", whose + text, null, false] as const;
  return { host, machine, entity, metric, drawnAs, start, end, open, text, label, failed, facts };
}

function ofSpan(span: SpanWire, machine: string, whose: string): Mark {
  const { host, entity, metric, start, end, facts } = span;
  const text = spanLabel(span);
  const failed = statusOf(span) !== "";
  const [drawnAs, label, open] = ["span", whose + text, end === null] as const;
  return { host, machine, entity, metric, drawnAs, start, end, open, text, label, failed, facts };
}

/** What stands before something that failed. */
const FAILED = "\u2715";

/** The first line of what a moment says. */
function momentText(metric: string, facts: Facts): string {
  const text = withLabels(said(facts["label"] ?? facts["message"]).split("\n", 1)[0] ?? "");
  if (metric === "alert") return alertText(facts, text);
  if (!isFailure(metric, facts)) return text || metric;
  return `${facts["kind"] === "oom" ? SIGN : FAILED} ${text || said(facts["kind"])}`;
}

/** A cell or a run that failed, or ran out of memory. */
function isFailure(metric: string, facts: Facts): boolean {
  return metric === "event" && (facts["kind"] === "error" || facts["kind"] === "oom");
}

function alertText(facts: Facts, label: string): string {
  const text = label || said(facts["text"]) || "alert";
  return facts["phase"] === "quiet" ? text : `${SIGN} ${text}`;
}

/** The end of a firing: it is told on hover, and has no line. */
function isQuiet({ metric, facts }: Mark): boolean {
  return metric === "alert" && facts?.["phase"] === "quiet";
}

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
  const { moments, times, tracks } = indexOf(marks);
  const near = moments.slice(firstFrom(times, time - reach), firstAfter(times, time + reach));
  const spans = tracks.flatMap(({ rows, deeper }) =>
    [...rows, deeper].flatMap((row) => spansWithin(row, [time, time])),
  );
  const running = spans.filter(({ end }) => (end ?? now) >= time);
  return [...near, ...running].sort((a, b) => a.start - b.start);
}

/** What touches a range; of many the newest `most`. */
export function marksWithin(
  marks: readonly Mark[],
  range: AxisRange,
  most: number = Number.POSITIVE_INFINITY,
): Mark[] {
  const { moments, times, tracks } = indexOf(marks);
  const seen = moments.slice(firstFrom(times, range[0]), firstAfter(times, range[1]));
  const spans = tracks.flatMap(({ rows, deeper }) =>
    [...rows, deeper].flatMap((row) => spansWithin(row, range, most)),
  );
  const all = [...seen, ...spans].sort((a, b) => a.start - b.start);
  return all.slice(Math.max(all.length - most, 0));
}

/** Of a pixel: what stands at the very end of the axis may be computed to lie behind it. */
const ROUNDING = 0.01;

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
    .filter(({ at }) => at >= left && at <= right + ROUNDING);
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

/** Of many marks the bare count, where there is no room for more before the next line. Pure. */
export function countsOnly(
  merged: readonly Mark[],
  gap: number,
  x: (time: number) => number,
  width: (text: string) => number,
): Mark[] {
  return merged.map((mark, i) => {
    const next = merged[i + 1];
    const room = next ? x(next.start) - x(mark.start) - 2 * gap : Number.POSITIVE_INFINITY;
    return mark.count && width(mark.label) > room ? { ...mark, label: `${mark.count}` } : mark;
  });
}

/** Some moments that have one line, at the first of them that is in view. */
interface Cluster {
  readonly at: number;
  readonly marks: readonly Mark[];
}

/**
 * Moments from `left` on whose lines would stand within `reach` pixels of one another as one with
 * a count; what was no moment is left out, and so is the end of an alert. Which belong together does not change as they move.
 */
export function mergedMoments(
  marks: readonly Mark[],
  x: (time: number) => number,
  reach: number,
  left: number = Number.NEGATIVE_INFINITY,
): Mark[] {
  const groups: { at: number; marks: Mark[] }[] = [];
  for (const mark of indexOf(marks).moments) {
    // The stretch of an alert shows its end.
    if (isQuiet(mark)) continue;
    const at = x(mark.start);
    const group = groups.at(-1);
    if (group && at - group.at <= reach) group.marks.push(mark);
    else groups.push({ at, marks: [mark] });
  }
  return fromEdge(groups, x, reach, left).map((group) => merged(group.marks));
}

/** Of a group that the left edge parts only what is in view, with the next one if that is near. */
function fromEdge(
  groups: readonly Cluster[],
  x: (time: number) => number,
  reach: number,
  left: number,
): readonly Cluster[] {
  const inView = groups.findIndex(({ at }) => at >= left);
  const rest = inView < 0 ? [] : groups.slice(inView);
  const parted = inView < 0 ? groups.at(-1) : groups[inView - 1];
  const seen = (parted?.marks ?? []).filter(({ start }) => x(start) >= left);
  const [first] = seen;
  if (!first) return rest;
  const at = x(first.start);
  const [next, ...others] = rest;
  if (!next || next.at - at > reach) return [{ at, marks: seen }, ...rest];
  return [{ at, marks: [...seen, ...next.marks] }, ...others];
}

function merged(group: readonly Mark[]): Mark {
  const first = group.find((mark) => !isUsers(mark)) ?? (group[0] as Mark);
  if (group.length === 1) return first;
  const text = countText(group);
  return { ...first, start: (group[0] as Mark).start, text, label: text, count: group.length };
}

function countText(group: readonly Mark[]): string {
  const own = group.filter(isUsers).length;
  const what = own === group.length ? "marks" : own === 0 ? "events" : "marks and events";
  return `${group.length} ${what}`;
}

/** What the user marked, and not what the monitor noticed. */
function isUsers(mark: Mark): boolean {
  return mark.metric === "mark";
}

export function momentColor(mark: Mark, theme: Theme): string {
  return isUsers(mark) ? theme.accent : theme.warn;
}

/** Lines of marks that are nearer to one another than this many CSS pixels are one. */
export const CLOSE = 24;
/** Labels that a tooltip has room for. */
const MOST_LABELS = 4;

/** Marks and events as vertical lines; drawn above the lines of a chart, with their counts. */
export function paintMoments(
  area: PlotArea,
  marks: readonly Mark[],
  theme: Theme,
  counts = true,
): void {
  const { context, left, top, width, height, ratio } = area;
  context.save();
  context.lineWidth = ratio;
  context.font = theme.font.replace("11px", `${9 * ratio}px`);
  context.textBaseline = "top";
  for (const mark of mergedMoments(marks, area.x, CLOSE * ratio, left)) {
    const at = area.x(mark.start);
    if (at < left || at > left + width + ROUNDING) continue;
    // On the last pixel, a mark at the very edge would be rounded out of the plot.
    const x = Math.min(Math.round(at) + 0.5, left + width - 0.5);
    context.strokeStyle = momentColor(mark, theme);
    context.setLineDash(isUsers(mark) ? [4 * ratio, 3 * ratio] : [ratio, 2 * ratio]);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, top + height);
    context.stroke();
    if (counts && mark.count) paintCount(area, `${mark.count}`, x, context.strokeStyle);
  }
  context.restore();
}

/** How many a line stands for, beside its upper end and within the plot. */
function paintCount(area: PlotArea, text: string, x: number, color: string): void {
  const { context, left, top, width, ratio } = area;
  const gap = 2 * ratio;
  const fits = x + gap + context.measureText(text).width <= left + width;
  context.textAlign = fits ? "left" : "right";
  context.fillStyle = color;
  context.fillText(text, fits ? x + gap : x - gap, top + ratio);
}

/**
 * What a pointer touches, `reach` seconds around: the cells first, and of many marks their count
 * and the newest.
 */
export function labelsAt(
  marks: readonly Mark[],
  time: number,
  reach: number,
  now: number,
): string[] {
  const found = marksAt(marks, time, reach, now);
  const moments = found.filter(({ drawnAs }) => drawnAs === "moment");
  const more = moments.length > MOST_LABELS ? [countText(moments)] : [];
  const cells = found.filter(isCell).slice(-MOST_LABELS);
  const others = found.filter((mark) => !isCell(mark)).slice(-MOST_LABELS);
  return [...cells.map(({ label }) => label), ...more, ...others.map(({ label }) => label)];
}

export function isCell({ drawnAs, metric }: Mark): boolean {
  return drawnAs === "span" && metric === "cell";
}
