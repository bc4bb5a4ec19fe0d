/**
 * The HTML of a saved output for viewers without our code: a picture and a table, without script,
 * style sheet or network. The twin of `pulse_widgets/exchange/picture/document.py`, for the outputs
 * that the browser saves.
 */

import type { Ending } from "../source";
import type { State } from "../state.gen";
import type { AxisRange } from "../vocabulary/axis-range";
import { endingSentence } from "../vocabulary/ending";
import { isGpu } from "../vocabulary/entities";
import { formatValue, MISSING } from "../vocabulary/format";
import { leftOutSentence } from "../vocabulary/left-out";
import {
  LEAST_POINTS,
  MOST_BYTES,
  MOST_CHARTS,
  MOST_POINTS,
  MOST_ROWS,
  MOST_SENTENCES,
  PHASE_WORDS,
  WIDTH,
} from "../vocabulary/shared.gen";
import { utcStretch } from "../vocabulary/utc-text";
import { readState } from "../wire/header";
import type { KeyframePacket } from "../wire/packet";
import { type Choice, candidates, choose, type StillLine, type Trace } from "./choice";
import { type Layout, toBase64 } from "./saved";
import { clean, drawSvg, shorten } from "./svg";

/** Rows for the lines of the charts; the others are for what has no chart. */
const CHART_ROWS = MOST_ROWS - MOST_ROWS / 5;

interface Size {
  readonly charts: number;
  readonly points: number;
  readonly rows: number;
  readonly said: number;
}

/** The view a picture is of: its selection of metrics, if it has one; a strip has no charts. */
export interface StillView {
  readonly layout: Layout;
  readonly metrics: readonly string[] | null;
}

const WHOLE: StillView = { layout: "dashboard", metrics: null };

/**
 * A keyframe as a `<figure>` of at most 60 kB. `ended` is how the kernel ended, if the
 * session did not report its own end.
 *
 * To fit, columns are dropped first, then rows of the table, then charts.
 */
export function stillHtml(
  packet: KeyframePacket,
  ended: Ending | null = null,
  { layout, metrics }: StillView = WHOLE,
): string {
  const charts = layout === "strip" ? 0 : MOST_CHARTS;
  let size: Size = { charts, points: MOST_POINTS, rows: MOST_ROWS, said: MOST_SENTENCES };
  const all = candidates(packet, metrics);
  for (;;) {
    const html = figure(packet, ended, choose(all, size.charts, CHART_ROWS), size);
    const bytes = new TextEncoder().encode(html).length;
    if (bytes <= MOST_BYTES || size.said === 0) return html;
    size = smaller(size, MOST_BYTES / bytes);
  }
}

/** The next size to try when only `share` of the bytes may stay. */
function smaller(size: Size, share: number): Size {
  if (size.points > LEAST_POINTS && size.charts > 0) {
    const points = Math.floor(size.points * Math.min(share * 0.95, 0.9));
    return { ...size, points: Math.max(LEAST_POINTS, points) };
  }
  if (size.rows > size.charts) return { ...size, rows: size.rows >> 1 };
  if (size.charts > 0) return { ...size, charts: size.charts >> 1, points: MOST_POINTS };
  return { ...size, rows: 0, said: 0 };
}

function figure(packet: KeyframePacket, ended: Ending | null, choice: Choice, size: Size): string {
  const state = packet.state ?? readState({});
  const span = spanOf(choice.lines, packet, state);
  const image = span && choice.charts.length > 0 ? imageOf(packet, choice, span, size) : "";
  const gone = [leftOutSentence(state)].filter(Boolean);
  const when = phase(state, span, ended);
  const said = [...simulatedOf(state), when, ...gone, ...sentencesOf(state, size.said)];
  const caption = said.map((sentence) => `<p>${clean(shorten(sentence, 400))}</p>`).join("");
  const table = choice.lines.length > 0 ? tableOf(choice, size.rows) : "";
  return `<figure>${image}<figcaption>${caption}</figcaption>${table}</figure>`;
}

function imageOf(
  packet: KeyframePacket,
  choice: Choice,
  span: AxisRange,
  { points }: Size,
): string {
  const title = packet.state?.title || "Pulse";
  const note = packet.state?.simulated ? "Simulated data" : "";
  const subtitle = [`${utcStretch(...span)} UTC`, devicesOf(packet)].filter(Boolean).join(" · ");
  const wide: AxisRange = span[1] - span[0] > 1e-3 ? span : [span[0] - 0.5, span[1] + 0.5];
  const svg = drawSvg(choice.charts, { title, subtitle, note }, wide, points);
  const data = toBase64(new TextEncoder().encode(svg));
  const names = choice.charts.map((chart) => shorten(chart.title, 40)).join(", ");
  const alt = clean(`${shorten(title, 80)}: charts of ${names}; ${subtitle}`);
  return `<img alt="${alt}" width="${WIDTH}" src="data:image/svg+xml;base64,${data}">`;
}

/** The time range that has values, cut to that of the session; null without any. */
function spanOf(
  lines: readonly StillLine[],
  { edges }: KeyframePacket,
  { t0, t1 }: State,
): AxisRange | null {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { trace } of lines) {
    first = Math.min(first, trace.time[0] ?? first);
    last = Math.max(last, trace.time.at(-1) ?? last);
  }
  if (first > last) return null;
  const start = edges.findLast((edge) => edge <= first) ?? first;
  const end = edges.find((edge) => edge >= last) ?? last;
  return [start < t0 && t0 < last ? t0 : start, t1 !== null && first < t1 && t1 < end ? t1 : end];
}

function phase(state: State, span: AxisRange | null, ended: Ending | null): string {
  const word = ended ? `${endingSentence(ended)}. The last heard before` : PHASE_WORDS[state.phase];
  const { path } = state.recording;
  const kept = path === null ? "" : ` Recording: ${path.replace(/\.pulse$/, "")}.`;
  if (span === null) return `${word}. There was no reading to show yet.${kept}`;
  return `${word}: ${utcStretch(...span)} UTC.${kept}`;
}

function simulatedOf({ simulated }: State): string[] {
  return simulated ? ["Simulated data: no device was read for it."] : [];
}

/** Sentences about what is wrong, and why. */
function sentencesOf({ recording, sources }: State, most: number): string[] {
  const left = leftOutSentence({ sources });
  const others = sources.filter(({ problem }) => problem === "" || problem !== left);
  const reasons = others.flatMap(({ name, state, problem, remedy, missing }) => {
    const quiet = ["ok", "starting", "off"].includes(state);
    const own = problem ? `${name}: ${problem} ${remedy}` : quiet ? "" : `${name}: ${state}`;
    return [own, ...missing.map(({ what, why }) => `${name}, ${what}: ${why}`)].filter(Boolean);
  });
  const more = reasons.length - most;
  return [
    recording.problem ? `${recording.problem} ${recording.remedy ?? ""}` : "",
    ...reasons.slice(0, most),
    more > 0 ? `and ${more} more things that could not be read` : "",
  ].filter(Boolean);
}

/** The GPUs' models with their number. */
function devicesOf({ entities }: KeyframePacket): string {
  const counts = new Map<string, number>();
  for (const { entity, labels } of entities) {
    const { name } = labels;
    if (isGpu(entity) && name) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(", ");
}

function tableOf({ lines, headings }: Choice, most: number): string {
  // A series without a reading yet is not listed; one whose reading is missing is.
  const known = lines.filter(({ trace }) => trace.time.length > 0 || trace.lost);
  const shown = known.slice(0, most);
  const rows = headings.flatMap((group) => {
    const own = shown.filter((line) => line.group === group);
    const heading = `<tr><th>${clean(shorten(group, 60))}</th><td colspan="4"></td></tr>`;
    return own.length > 0 ? [heading, ...own.map(rowOf)] : [];
  });
  const left = count(known.slice(most));
  if (left > 0) rows.push(`<tr><td colspan="5">and ${left} more series</td></tr>`);
  const waiting = count(lines) - count(known);
  const late = `<tr><td colspan="5">${waiting} series without a reading so far</td></tr>`;
  if (waiting > 0) rows.push(late);
  const names = ["Reading", "Of", "Min", "Max", "Last known"];
  const head = names.map((name) => `<th>${name}</th>`).join("");
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function count(lines: readonly StillLine[]): number {
  return lines.reduce((sum, { series }) => sum + series, 0);
}

function rowOf({ title, owner, unit, trace }: StillLine): string {
  const some = trace.low.length > 0;
  const low = some ? trace.low.reduce((a, b) => Math.min(a, b)) : null;
  const high = some ? trace.high.reduce((a, b) => Math.max(a, b)) : null;
  const values = [formatValue(low, unit), formatValue(high, unit), lastOf(trace, unit)];
  const cells = [shorten(title, 60), shorten(owner, 40), ...values];
  return `<tr>${cells.map((cell) => `<td>${clean(cell)}</td>`).join("")}</tr>`;
}

/** The last known value: a range where only a range is known, a dash where none is. */
function lastOf({ last, lost }: Trace, unit: string): string {
  if (last === null) return MISSING;
  const [from, to] = [formatValue(last[0], unit), formatValue(last[1], unit)];
  const known = from === to ? from : `${from} to ${to}`;
  return lost ? `${MISSING} (${known} before)` : known;
}
