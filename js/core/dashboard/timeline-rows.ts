/** The rows of the timeline, and the boxes in them. */

import { secondsOf } from "../charts/bands";
import type { PlotArea } from "../charts/chart";
import {
  type Box,
  boxesOf,
  countOf,
  failedIn,
  firstFrom,
  indexOf,
  KINDS_OF_ROWS,
  MOMENTS,
  type Spans,
  spansWithin,
} from "../charts/mark-index";
import type { Mark } from "../charts/marks";
import type { Scene } from "../charts/panel-view";
import type { Theme } from "../charts/theme";
import type { AxisRange } from "../vocabulary/axis-range";
import { compareNames, entityLabel } from "../vocabulary/entities";
import { formatValue } from "../vocabulary/format";
import { momentText } from "../vocabulary/time-text";

/** Letters that fit beside a row. */
const ROW_LETTERS = 9;
/** Pixels a label needs at least. */
const LEAST_LABEL = 24;
/** Opacity of the box of a cell that failed. */
const FAILED = 0.14;

/** One row of the timeline. */
export interface Row {
  readonly key: string;
  /** Stands beside it; empty where it goes on from the one above it. */
  readonly name: string;
  /** The name says whose its spans are. */
  readonly named: boolean;
  /** "cells", "spans", "marks". */
  readonly kind: string;
  /** Null for the row of moments. */
  readonly spans: Spans | null;
  /** Of the last row of a track: what lies too deep for a row. */
  readonly deeper: Spans | null;
}

/** A box as it was drawn: what a pointer may touch. */
export interface Drawn extends Box {
  readonly row: Row;
  readonly place: number;
}

/**
 * The rows there is anything for: moments share one; spans of each host have one for each depth.
 * Where several hosts or ranks have spans each has its name beside its first row. Pure.
 */
export function rowsOf(marks: readonly Mark[]): Row[] {
  const { tracks, moments } = indexOf(marks);
  const several = new Set(tracks.map(({ host }) => host)).size > 1;
  const place = (kind: string) => KINDS_OF_ROWS.indexOf(kind);
  const sorted = [...tracks].sort(
    (a, b) =>
      place(a.kind) - place(b.kind) || compareNames(a.host, b.host) || compareNames(a.rank, b.rank),
  );
  const rows = sorted.flatMap(({ kind, host, machine, rank, rows, deeper }) =>
    rows.map((spans, depth): Row => {
      const name = rank ? entityLabel(rank) : several ? shortName(machine) : kind;
      const isLast = depth === rows.length - 1 && deeper.marks.length > 0;
      return {
        ...{ key: JSON.stringify([kind, host, rank, depth]), name: depth === 0 ? name : "" },
        ...{ named: several || rank !== "", kind, spans, deeper: isLast ? deeper : null },
      };
    }),
  );
  const own = { key: MOMENTS, name: MOMENTS, named: false, kind: MOMENTS };
  return moments.length > 0 ? [...rows, { ...own, spans: null, deeper: null }] : rows;
}

/** A machine's own name without its domain; of a long one the end, where most differ. */
function shortName(machine: string): string {
  const [name = machine] = machine.split(".", 1);
  return name.length > ROW_LETTERS ? `\u2026${name.slice(1 - ROW_LETTERS)}` : name;
}

/** What stands beside a row: its name, or how many spans in view lie deeper. */
export function besideRow({ name, deeper }: Row, range: AxisRange): string {
  const count = deeper ? spansWithin(deeper, range).length : 0;
  return count > 0 ? `+${formatValue(count, "count")}` : name;
}

/** Where moments stand: no line of theirs goes through the name of a cell. */
export function momentsRow(area: PlotArea, rows: readonly Row[]): PlotArea {
  const height = area.height / rows.length;
  const place = rows.findIndex(({ key }) => key === MOMENTS);
  return { ...area, top: area.top + place * height, height };
}

/** Paint the spans in view; returns the boxes there are. */
export function paintRows(area: PlotArea, scene: Scene, rows: readonly Row[]): Drawn[] {
  const { context, left, top, width, height } = area;
  const pixel = secondsOf(area, scene.range);
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  const drawn = rows.flatMap((row, place) =>
    row.spans
      ? boxesOf(row.spans, scene.range, scene.now, pixel).map((one) => ({ ...one, row, place }))
      : [],
  );
  for (const one of drawn) paintBox(area, one, scene, rows.length);
  context.restore();
  return drawn;
}

/** The box at a time and a row. */
export function boxAt(
  drawn: readonly Drawn[],
  place: number,
  time: number,
  reach: number,
): Drawn | null {
  const near = drawn.filter(
    (one) => one.place === place && one.start - reach <= time && time <= one.end + reach,
  );
  // Where two are in reach, the one that is under the pointer.
  return near.find(({ start, end }) => start <= time && time <= end) ?? near[0] ?? null;
}

/** The span of a box; null where it stands for several. */
export function spanOf({ row, first, last }: Pick<Drawn, "row" | "first" | "last">): Mark | null {
  return first === last ? (row.spans?.marks[first] ?? null) : null;
}

/** What a box says: its span and how long it took, or how many spans it stands for. */
export function boxText(box: Drawn): string {
  const span = spanOf(box);
  if (span) return `${span.label}, ${lengthText(span)}`;
  const failed = box.row.spans ? failedIn(box.row.spans, box) : 0;
  const many = `${formatValue(countOf(box), "count")} ${box.row.kind}`;
  return failed > 0 ? `${many}, ${failed} failed` : many;
}

/** "12.3 s", or since when it runs. */
export function lengthText({ start, end }: Mark): string {
  return end === null ? `running since ${momentText(start, 3600)}` : formatValue(end - start, "s");
}

function paintBox(area: PlotArea, box: Drawn, scene: Scene, count: number): void {
  const { context, left, width, height, ratio } = area;
  const { theme, now } = scene;
  const span = spanOf(box);
  const from = Math.max(area.x(box.start), left - 8 * ratio);
  const to = Math.min(area.x(Math.min(box.end, now)), left + width + 8 * ratio);
  const tall = height / count - 4 * ratio;
  const y = area.top + (box.place * height) / count + 2 * ratio;
  // A pixel lies between neighbours; of what is narrower than that one is left.
  const wide = Math.max(to - from - ratio, ratio);
  const failed = span?.failed ?? false;
  const round = Math.min(3 * ratio, wide / 2);
  context.beginPath();
  // What runs still has no end.
  context.roundRect(from, y, wide, tall, span?.open ? [round, 0, 0, round] : round);
  context.fillStyle = failed ? theme.warn : theme.chip;
  context.globalAlpha = failed ? FAILED : 1;
  context.fill();
  context.globalAlpha = 1;
  if (failed) context.fillRect(from, y, Math.min(3 * ratio, wide), tall);
  if (span?.open) paintOpenEnd(area, to, y, tall, theme);
  if (!span && box.row.spans) paintFailures(area, box, box.row.spans, { y, tall }, scene);
  const { band } = scene;
  if (band && band[0] === box.start && (span?.open || band[1] === box.end)) {
    context.strokeStyle = theme.accent;
    context.lineWidth = 1.5 * ratio;
    context.stroke();
  }
  writeBox(area, box, { from, to, y, tall }, theme);
}

/** It goes on: its end is a row of dots. */
function paintOpenEnd(area: PlotArea, to: number, y: number, tall: number, theme: Theme): void {
  const { context, ratio } = area;
  context.fillStyle = theme.accent;
  for (let at = y; at < y + tall; at += 4 * ratio) {
    context.fillRect(to - 2 * ratio, at, 2 * ratio, 2 * ratio);
  }
}

/** In a box that stands for many those that failed, as far as they can be told apart. */
function paintFailures(
  area: PlotArea,
  box: Drawn,
  { failed, starts }: Spans,
  { y, tall }: Pick<Frame, "y" | "tall">,
  { theme, range }: Scene,
): void {
  const { context, ratio, x } = area;
  const apart = 2 * secondsOf(area, range);
  context.fillStyle = theme.warn;
  let i = firstFrom(failed, Math.max(box.first, firstFrom(starts, range[0])));
  while (i < failed.length && (failed[i] as number) <= box.last) {
    const start = starts[failed[i] as number] as number;
    if (start > range[1]) return;
    context.fillRect(Math.round(x(start)), y + tall - 3 * ratio, 2 * ratio, 3 * ratio);
    i = Math.max(i + 1, firstFrom(failed, firstFrom(starts, start + apart)));
  }
}

interface Frame {
  readonly from: number;
  readonly to: number;
  readonly y: number;
  readonly tall: number;
}

function writeBox(area: PlotArea, box: Drawn, { from, to, y, tall }: Frame, theme: Theme): void {
  const { context, left, width, ratio } = area;
  const seen = Math.max(from, left);
  const room = Math.min(to, left + width) - seen - 8 * ratio;
  if (room < LEAST_LABEL * ratio) return;
  const span = spanOf(box);
  context.fillStyle = span?.failed ? theme.warn : theme.text;
  write(context, theme, ratio);
  const name = span ? (box.row.named ? span.text : span.label) : boxText(box);
  context.fillText(clipped(context, name, room), seen + 6 * ratio, y + tall / 2 + ratio * 0.5);
}

export function write(context: CanvasRenderingContext2D, theme: Theme, ratio: number): void {
  context.font = theme.font.replace("11px", `${10.5 * ratio}px`);
  context.textBaseline = "middle";
  context.textAlign = "left";
}

export function clipped(context: CanvasRenderingContext2D, text: string, room: number): string {
  const whole = context.measureText(text).width;
  if (whole <= room) return text;
  let length = Math.floor((text.length * room) / whole);
  while (length > 0 && context.measureText(`${text.slice(0, length)}\u2026`).width > room) length--;
  return length > 1 ? `${text.slice(0, length)}\u2026` : "";
}
