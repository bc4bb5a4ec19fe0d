/** What a still picture draws and lists, and what is known along each line. */

import { entityLabel } from "./entities";
import { buildGroups, type EntityLabels, type Line, type Panel } from "./groups";
import { envelopeOf } from "./packet-parts";
import { headingsWith, titleOf } from "./panel-table";
import { PLURALS, WHOLES, WISHES } from "./shared.gen";
import type { KeyframePacket } from "./wire";
import { isLogged, isOwn } from "./wishes";

/** A point for each bucket that has a value. */
export interface Trace {
  readonly time: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Rises where readings were missing in between. */
  readonly segment: readonly number[];
  /** Readings were missing at the end. */
  readonly lost: boolean;
  /** The last value known, as the range it lies in; null for none. */
  readonly last: readonly [number, number] | null;
}

/** A line of a chart and a row of the table: one series, or the envelope of several. */
export interface StillLine {
  readonly title: string;
  readonly label: string;
  readonly owner: string;
  readonly group: string;
  readonly unit: string;
  readonly color: number;
  readonly series: number;
  readonly trace: Trace;
}

export interface StillChart {
  readonly title: string;
  readonly unit: string;
  readonly whole: boolean;
  readonly limit: number | null;
  readonly lines: readonly StillLine[];
  /** All lines as one, where they are of one metric and more than one. */
  readonly together: StillLine | null;
}

export interface Choice {
  readonly charts: readonly StillChart[];
  /** Every series that is a number stands in one of them, those of the charts first. */
  readonly lines: readonly StillLine[];
  /** What the lines stand under, in order. */
  readonly headings: readonly string[];
}

/** What can be chosen from: everything, or what has the names of `metrics`. */
export function candidates(
  packet: KeyframePacket,
  metrics: readonly string[] | null = null,
): Candidate[] {
  const groups = buildGroups(packet.series, packet.entities, metrics);
  return groups.flatMap(({ panels }) => panels).map((panel) => chartOf(panel, packet));
}

/** At most `most` charts, and all lines: those of the charts as about `rows` rows of a table. */
export function choose(all: readonly Candidate[], most: number, rows: number): Choice {
  const shown = wanted(all, most);
  const rest = all.filter((chart) => !shown.includes(chart));
  const charts = shown.map(({ chart }) => chart);
  const lines = [...within(charts, rows), ...rest.flatMap(({ chart }) => chart.lines)];
  return { charts, lines, headings: headingsWith(all.map(({ panel }) => panel.group)) };
}

/** The lines of the charts; the last charts' as one each until there is room. */
function within(charts: readonly StillChart[], rows: number): StillLine[] {
  const parts = charts.map(({ lines }) => lines);
  for (const [place, { together }] of [...charts.entries()].reverse()) {
    if (together && parts.flat().length > rows) parts[place] = [together];
  }
  return parts.flat();
}

export interface Candidate {
  readonly panel: Panel;
  readonly chart: StillChart;
}

/** The charts of the machine everybody looks for, the user's own, and as many others as fit. */
function wanted(all: readonly Candidate[], most: number): Candidate[] {
  const wishes = WISHES.flatMap((wish) => {
    const fits = all.filter(({ panel }) => answers(panel, wish.metrics));
    const kind = WHOLES.find((one) => fits.some(({ panel }) => panel.entityClass === one));
    return fits
      .filter(({ panel }) => panel.entityClass === kind)
      .map((candidate) => ({ candidate, first: wish.first }));
  });
  const own = all.filter(({ panel, chart }) => !isEmpty(chart) && isOwn(seriesOf(panel)));
  own.sort((a, b) => Number(isLogged(seriesOf(b.panel))) - Number(isLogged(seriesOf(a.panel))));
  const first = wishes.filter((wish) => wish.first).slice(0, most);
  const ours = own.slice(0, most - first.length);
  const room = most - first.length - ours.length;
  const later = wishes.filter((w) => !w.first && !isEmpty(w.candidate.chart)).slice(0, room);
  const machine = wishes.filter((wish) => first.includes(wish) || later.includes(wish));
  const chosen = [...machine.map(({ candidate }) => candidate), ...ours];
  if (chosen.some(({ chart }) => !isEmpty(chart))) return chosen;
  return all.filter(({ chart }) => !isEmpty(chart)).slice(0, most);
}

function answers(panel: Panel, metrics: readonly string[]): boolean {
  const own = seriesOf(panel);
  return WHOLES.includes(panel.entityClass) && !isOwn(own) && metrics.includes(own.metric);
}

function seriesOf(panel: Panel): Line["series"] {
  return (panel.lines[0] as Line).series;
}

export function isEmpty(chart: StillChart): boolean {
  return chart.lines.every(({ trace }) => trace.time.length === 0);
}

function chartOf(panel: Panel, packet: KeyframePacket): Candidate {
  const { title, unit, whole, limits } = panel;
  const limit = extent([traceOf(packet, limits)])?.[1] ?? null;
  const alike = new Set(panel.lines.map(({ series }) => series.metric)).size === 1;
  const together = alike && panel.lines.length > 1 ? merged(panel, packet) : null;
  const lines = panel.heat && together ? [together] : separate(panel, packet);
  return { panel, chart: { title, unit, whole, limit, lines, together } };
}

function separate(panel: Panel, packet: KeyframePacket): StillLine[] {
  return panel.lines.map((line) => ({
    title: titleOf(line.series),
    label: line.label,
    owner: ownerOf(line, packet.entities),
    group: panel.group,
    unit: panel.unit,
    color: line.color,
    series: 1,
    trace: traceOf(packet, [line.id]),
  }));
}

function ownerOf({ series }: Line, entities: EntityLabels): string {
  return entityLabel(series.entity, { ...entities[series.entity], ...series.labels });
}

/** Many lines are a tangle; their common envelope tells more. */
function merged(panel: Panel, packet: KeyframePacket): StillLine {
  const count = panel.lines.length;
  const name = `${count} ${PLURALS[panel.entityClass] ?? "series"}`;
  const ids = panel.lines.map(({ id }) => id);
  return {
    title: titleOf(seriesOf(panel)),
    label: `${name}, lowest to highest`,
    owner: name,
    group: panel.group,
    unit: panel.unit,
    color: 0,
    series: count,
    trace: traceOf(packet, ids),
  };
}

function traceOf(packet: KeyframePacket, ids: readonly number[]): Trace {
  const rows = ids.map((id) => packet.ids.indexOf(id)).filter((row) => row >= 0);
  const envelopes = rows.map((row) => envelopeOf(packet, row));
  const trace = { time: [], low: [], high: [], segment: [] } as Record<string, number[]>;
  let [segment, lost] = [0, false];
  for (let i = 0; i < packet.buckets; i++) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { min, max } of envelopes) {
      if ((min[i] as number) < low) low = min[i] as number;
      if ((max[i] as number) > high) high = max[i] as number;
    }
    if (low <= high) {
      trace["time"]?.push(((packet.edges[i] as number) + (packet.edges[i + 1] as number)) / 2);
      trace["low"]?.push(low);
      trace["high"]?.push(high);
      trace["segment"]?.push(segment);
      lost = false;
    } else if (envelopes.some(({ missing }) => missing[i])) {
      segment++;
      lost = true;
    }
  }
  const { time, low, high } = trace as unknown as Trace;
  const between = time.length > 0 ? ([low.at(-1), high.at(-1)] as [number, number]) : null;
  return { ...(trace as unknown as Trace), ...ending(packet, rows, between, lost) };
}

/** What is known of the end: exactly where the packet tells it of one series, else by bucket. */
function ending(
  { last }: KeyframePacket,
  rows: readonly number[],
  between: readonly [number, number] | null,
  lost: boolean,
): Pick<Trace, "lost" | "last"> {
  const [row, other] = rows;
  if (last === null || row === undefined || other !== undefined) return { lost, last: between };
  const exact = last[row] ?? null;
  if (exact === null) return { lost: lost || between !== null, last: between };
  return { lost: false, last: [exact, exact] };
}

/** Smallest and largest value of some traces; null without any. */
export function extent(traces: readonly Trace[]): readonly [number, number] | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const trace of traces) {
    for (const value of trace.low) low = Math.min(low, value);
    for (const value of trace.high) high = Math.max(high, value);
  }
  return low <= high ? [low, high] : null;
}
