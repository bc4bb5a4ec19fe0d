/** Chooses what a still picture draws and lists, and makes the points of each line. */

import { buildGroups, type Line, type Panel } from "../charts/groups";
import { headingsWith, titleOf } from "../charts/panel-table";
import { asDefined } from "../vocabulary/defined";
import { entityClass } from "../vocabulary/entities";
import { globTest } from "../vocabulary/globs";
import { isDrawn } from "../vocabulary/kinds";
import { compareOwners, Owners } from "../vocabulary/owners";
import {
  COLUMNS,
  HEAT_ROWS,
  LIMIT_OF,
  MOST_LINES,
  OWN_ROWS,
  PLURALS,
  PREFERRED_CHARTS,
  type PreferredChart,
  WATCHED,
  WHOLES,
} from "../vocabulary/shared.gen";
import type { KeyframePacket } from "../wire/packet";
import { type Envelope, envelopeOf } from "../wire/parts";
import { alarmsOf, type StillAlarm, type Traces } from "./alarms";
import { isLogged, isOwn, PLACES } from "./priorities";
import { extent, type Trace } from "./trace";

/** A line of a chart and a row of the table: one series, or the envelope of several. */
export interface StillLine {
  readonly metric: string;
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
  /** Of a chart of too many lines each of them, which are drawn as rows of colours. */
  readonly rows: readonly StillLine[];
}

export interface Choice {
  readonly charts: readonly StillChart[];
  /** Every series that is a number stands in one of them, those of the charts first. */
  readonly lines: readonly StillLine[];
  /** What the lines stand under, in order. */
  readonly headings: readonly string[];
  /** What is alarming of the GPUs, the gravest first. */
  readonly alarms: readonly StillAlarm[];
}

/** What can be chosen from: everything, or what has the names of `metrics`. */
export function candidates(
  kept: KeyframePacket,
  metrics: readonly string[] | null = null,
): Candidates {
  const packet = { ...kept, series: asDefined(kept.series, kept.entities) };
  const groups = buildGroups(packet.series, packet.entities, metrics, true);
  const hosts = packet.series.filter(isDrawn).map(({ host }) => host);
  const about = { packet, owners: new Owners(packet.entities, hosts) };
  const all = groups.flatMap(({ panels }) => panels).map((panel) => chartOf(panel, about));
  const wished = PREFERRED_CHARTS.flatMap((wish) => wishedOf(wish, all, about));
  return { all, wished, alarms: alarmsOf(watched(about, globTest(metrics))) };
}

/** What alarms are made of, by what each GPU is called and then by metric. */
function watched({ packet, owners }: About, wanted: (metric: string) => boolean): Traces {
  const found = new Map<string, Map<string, Trace>>();
  const ones = packet.series.filter(
    (one) =>
      entityClass(one.entity) === "gpu" && WATCHED.includes(one.metric) && wanted(one.metric),
  );
  for (const one of ones.sort(compareOwners)) {
    if (isOwn(one)) continue;
    const name = owners.label(one);
    const traces = found.get(name) ?? new Map<string, Trace>();
    found.set(name, traces.set(one.metric, traceOf(packet, [one.id])));
  }
  return found;
}

/** At most `most` charts, and all lines: those of the charts as about `rows` rows of a table. */
export function choose(from: Candidates, most: number, rows: number): Choice {
  const shown = wanted(from, most);
  const panels = new Set(shown.flatMap((candidate) => candidate.panels));
  const rest = from.all.filter(({ panels: [panel] }) => !panels.has(panel as Panel));
  const charts = shown.map(({ chart }) => chart);
  const lines = [...within(charts, rows), ...sorted(rest.flatMap(({ chart }) => chart.lines))];
  return { charts, lines, headings: headingsOf(from.all), alarms: from.alarms };
}

function headingsOf(all: readonly Candidate[]): readonly string[] {
  return headingsWith(all.map(({ panels: [panel] }) => (panel as Panel).group));
}

const LIMITS = new Set(Object.values(LIMIT_OF));

/** Lines without a chart: those without a value last, limits before them. */
function sorted(lines: readonly StillLine[]): StillLine[] {
  const rank = ({ metric, trace }: StillLine) =>
    Number(trace.time.length === 0) * 2 + Number(LIMITS.has(metric));
  const place = ({ metric }: StillLine) => PLACES.get(metric) ?? -1;
  return [...lines].sort((a, b) => rank(a) - rank(b) || place(a) - place(b));
}

/** The lines of the charts; the last charts' as one each until there is room. */
function within(charts: readonly StillChart[], rows: number): StillLine[] {
  const parts = charts.map(({ lines }) => lines);
  for (const [place, { together }] of [...charts.entries()].reverse()) {
    if (together && parts.flat().length > rows) parts[place] = [together];
  }
  return parts.flat();
}

/** What is shown, and what its things are called. */
interface About {
  readonly packet: KeyframePacket;
  readonly owners: Owners;
}

interface Candidate {
  /** The charts of the dashboard that it shows, one or more. */
  readonly panels: readonly Panel[];
  readonly chart: StillChart;
}

interface Candidates {
  /** Every panel of the dashboard. */
  readonly all: readonly Candidate[];
  /** What readers look for first, in order. */
  readonly wished: readonly (Candidate & { readonly first: boolean })[];
  readonly alarms: readonly StillAlarm[];
}

/** The charts of the machine everybody looks for, the user's own, and as many others as fit. */
function wanted({ all, wished }: Candidates, most: number): Candidate[] {
  const own = all.filter(({ panels, chart }) => !isEmpty(chart) && isOwn(seriesOf(panels)));
  const logged = ({ panels }: Candidate) => isLogged(seriesOf(panels));
  own.sort((a, b) => Number(logged(b)) - Number(logged(a)));
  // The user's own leave the GPUs a row, what other readers measure leaves all but one.
  const rows = Math.trunc(most / COLUMNS);
  const logs = Math.min(own.filter(logged).length, rows * OWN_ROWS);
  const reserved = Math.max(logs, Math.min(own.length, rows));
  const first = wished.filter((wish) => wish.first).slice(0, most - reserved);
  const ours = own.slice(0, most - first.length);
  const room = most - first.length - ours.length;
  const later = wished.filter((wish) => !wish.first && !isEmpty(wish.chart)).slice(0, room);
  const machine = wished.filter((wish) => first.includes(wish) || later.includes(wish));
  const foreign = ours.filter((one) => !logged(one));
  const chosen = [...ours.filter(logged), ...machine, ...foreign];
  if (chosen.some(({ chart }) => !isEmpty(chart))) return chosen;
  return all.filter(({ chart }) => !isEmpty(chart)).slice(0, most);
}

/** The chart that is wished for, as far as there are readings of it: of the whole, else of parts. */
function wishedOf(
  wish: PreferredChart,
  all: readonly Candidate[],
  about: About,
): (Candidate & { first: boolean })[] {
  const fits = all.filter(({ panels }) => answers(seriesOf(panels), wish.metrics));
  const kinds = WHOLES.map((kind) => fits.filter(({ panels: [p] }) => p?.entityClass === kind));
  const [one, ...others] = kinds.find((found) => found.length > 0) ?? [];
  if (!one) return [];
  const panels = [one, ...others].flatMap((candidate) => candidate.panels);
  const chart = wish.words ? sharedChart(wish, panels, about) : one.chart;
  return [{ panels, chart, first: wish.first }];
}

function answers(own: Line["series"], metrics: readonly string[]): boolean {
  return !isOwn(own) && metrics.includes(own.metric);
}

/** Metrics that share a chart: a line each, or one each and owner. */
function sharedChart(wish: PreferredChart, panels: readonly Panel[], about: About): StillChart {
  const [panel] = panels as readonly [Panel];
  const all = panels.flatMap(({ lines }) => lines);
  const groups = wish.metrics
    .map((metric, i) => ({
      word: wish.words?.[i] ?? metric,
      lines: all.filter(({ series }) => series.metric === metric),
    }))
    .filter(({ lines }) => lines.length > 0);
  const single = groups.every(({ lines }) => lines.length === 1);
  const lines =
    single || all.length > MOST_LINES
      ? groups.map((one, i) => stillLine(panel, one.lines, one.word, i, about))
      : groups
          .flatMap((one) => one.lines.map((line) => ({ line, word: one.word })))
          .map(({ line, word }, i) => {
            const label = `${about.owners.label(line.series)} ${word}`;
            return stillLine(panel, [line], label, i, about);
          });
  const { unit, whole } = panel;
  return {
    title: wish.title ?? panel.title,
    unit,
    whole,
    limit: null,
    lines,
    together: null,
    rows: [],
  };
}

function seriesOf([panel]: readonly Panel[]): Line["series"] {
  return ((panel as Panel).lines[0] as Line).series;
}

export function isEmpty(chart: StillChart): boolean {
  return chart.lines.every(({ trace }) => trace.time.length === 0);
}

function chartOf(panel: Panel, about: About): Candidate {
  const { unit, whole, limits } = panel;
  const limit = extent([traceOf(about.packet, limits)])?.[1] ?? null;
  const alike = new Set(panel.lines.map(({ series }) => series.metric)).size === 1;
  const together = alike && panel.lines.length > 1 ? merged(panel, about) : null;
  const alone = panel.lines.length === 1 && isLogged(seriesOf([panel]));
  const separate = panel.lines.map((line) => {
    // The dashboard calls a lone line of the user's by its key, which is the title here.
    const label = alone ? about.owners.label(line.series) : line.label;
    return stillLine(panel, [line], label, line.color, about);
  });
  const lines = panel.crowded && together ? [together] : separate;
  const rows = panel.crowded && together && separate.length <= HEAT_ROWS ? separate : [];
  // The lines say whose they are: a title that tells the parts from the whole is not needed.
  const first = seriesOf([panel]);
  const title = alike ? (first.labels["defined.title"] ?? titleOf(first)) : panel.title;
  return { panels: [panel], chart: { title, unit, whole, limit, lines, together, rows } };
}

/** Too many lines cannot be told apart: their common envelope says more. */
function merged(panel: Panel, about: About): StillLine {
  return stillLine(panel, panel.lines, plural(panel, panel.lines.length), 0, about);
}

function plural({ entityClass }: Panel, count: number): string {
  return `${count} ${PLURALS[entityClass] ?? "series"}`;
}

/** Lines of one metric as one; what many belong to is their number. */
function stillLine(
  panel: Panel,
  lines: readonly Line[],
  label: string,
  color: number,
  { packet, owners }: About,
): StillLine {
  const [{ series }] = lines as readonly [Line];
  const ids = lines.map(({ id }) => id);
  return {
    metric: series.metric,
    title: titleOf(series),
    label,
    owner: lines.length === 1 ? owners.label(series) : plural(panel, lines.length),
    group: panel.group,
    unit: panel.unit,
    color,
    series: lines.length,
    trace: traceOf(packet, ids),
  };
}

function traceOf(packet: KeyframePacket, ids: readonly number[]): Trace {
  const rows = ids.map((id) => packet.ids.indexOf(id)).filter((row) => row >= 0);
  const envelopes = rows.map((row) => envelopeOf(packet, row));
  const [time, width, lows, highs, means, segments] = [[], [], [], [], [], []] as number[][] &
    [number[], number[], number[], number[], number[], number[]];
  let [segment, lost] = [0, false];
  // Of each whether it has readings, as far as is known. One that is lost is no gap of the others.
  const alive: (boolean | undefined)[] = envelopes.map(() => undefined);
  for (let i = 0; i < packet.buckets; i++) {
    for (const [row, { min, missing }] of envelopes.entries()) {
      if (!Number.isNaN(min[i] as number)) alive[row] = true;
      else if (missing[i]) alive[row] = false;
    }
    const [low, high, mean] = together(envelopes, i);
    if (low <= high) {
      const [from, to] = [packet.edges[i] as number, packet.edges[i + 1] as number];
      time.push((from + to) / 2);
      width.push(to - from);
      lows.push(low);
      highs.push(high);
      means.push(mean);
      segments.push(segment);
      lost = false;
    } else if (alive.includes(false) && !alive.includes(true)) {
      segment++;
      lost = true;
    }
  }
  const some = time.length > 0;
  const between = some ? ([lows.at(-1), highs.at(-1)] as [number, number]) : null;
  const points = { time, width, low: lows, high: highs, mean: means, segment: segments };
  return { ...points, ...ending(packet, rows, between, lost) };
}

/** Smallest and largest value of some series in a bucket, and the mean of their means. */
function together(envelopes: readonly Envelope[], i: number): [number, number, number] {
  let [low, high, seen] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const { min, max } of envelopes) {
    const least = min[i] as number;
    if (Number.isNaN(least)) continue;
    low = Math.min(low, least);
    high = Math.max(high, max[i] as number);
    seen++;
  }
  let mean = 0;
  for (const one of envelopes) {
    const least = one.min[i] as number;
    if (Number.isNaN(least)) continue;
    const known = one.mean[i] as number;
    mean += (Number.isNaN(known) && least === one.max[i] ? least : known) / seen;
  }
  return [low, high, mean];
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
