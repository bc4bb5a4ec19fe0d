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
import { globTest } from "../vocabulary/globs";
import { LEFT_OUT_NAME, leftOutSentence } from "../vocabulary/left-out";
import {
  LEAST_POINTS,
  MOST_BYTES,
  MOST_CHARTS,
  MOST_POINTS,
  MOST_ROWS,
  MOST_SENTENCES,
  OPEN_SENTENCES,
  PHASE_WORDS,
  WIDTH,
} from "../vocabulary/shared.gen";
import { utcStretch } from "../vocabulary/utc-text";
import { readState } from "../wire/header";
import type { KeyframePacket } from "../wire/packet";
import { alarmWords } from "./alarms";
import { type Choice, candidates, choose, type StillLine } from "./choice";
import { figuresSvg } from "./figures";
import { type Layout, toBase64 } from "./saved";
import { markSentence } from "./story";
import { drawSvg } from "./svg";
import { knownLines, seriesIn, tableOf } from "./table";
import { clean, shorten } from "./text";

/** Rows by which no lines are put together. */
const EACH = Number.POSITIVE_INFINITY;
/** Rows for the lines of the charts; the others are for what has no chart. */
const CHART_ROWS = MOST_ROWS - MOST_ROWS / 5;

interface Size {
  readonly charts: number;
  readonly points: number;
  readonly rows: number;
  readonly said: number;
}

/** The view a picture is of: its selection of metrics, if it has one; a strip has figures alone. */
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
  const all = candidates(packet, metrics);
  // Figures alone ask for no metric in particular.
  const asked = layout === "strip" && !metrics?.length ? () => false : globTest(metrics);
  if (layout === "strip") return stripFigure(packet, ended, choose(all, MOST_CHARTS, EACH), asked);
  let size: Size = {
    charts: MOST_CHARTS,
    points: MOST_POINTS,
    rows: MOST_ROWS,
    said: MOST_SENTENCES,
  };
  for (;;) {
    const html = figure(packet, ended, choose(all, size.charts, CHART_ROWS), size, asked);
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

/** Whether a metric is asked for. */
type Asked = (metric: string) => boolean;

function figure(
  packet: KeyframePacket,
  ended: Ending | null,
  choice: Choice,
  size: Size,
  asked: Asked,
): string {
  const state = packet.state ?? readState({});
  const span = spanOf(choice.lines, packet, state);
  const image = span && choice.charts.length > 0 ? imageOf(packet, choice, span, size) : "";
  const [said, more] = sentencesOf(state, phase(state, span, ended), size.said, asked);
  const marks = [markSentence(packet)].filter(Boolean);
  const table = choice.lines.length > 0 ? tableOf(choice, size.rows) : "";
  const summary = table ? `Values (${seriesIn(knownLines(choice))} series)` : "More";
  return figureOf(image, said, summary, table + paragraphs([...marks, ...more]));
}

/** The figure of a strip: the newest values, and what there is to say of them. */
function stripFigure(
  packet: KeyframePacket,
  ended: Ending | null,
  choice: Choice,
  asked: Asked,
): string {
  const state = packet.state ?? readState({});
  const span = spanOf(choice.lines, packet, state);
  const title = state.title || "Pulse";
  const figures = figuresSvg(choice, title, noteOf(state, choice));
  const image =
    figures && span ? imageTag(figures.svg, `${shorten(title, 80)}: ${figures.words}`) : "";
  const [said, more] = sentencesOf(state, phase(state, span, ended), MOST_SENTENCES, asked);
  return figureOf(image, said, "More", paragraphs(more));
}

/** A picture with what is said below it, and what folds. */
function figureOf(image: string, said: string[], summary: string, folded: string): string {
  const rest = folded && `<details><summary>${summary}</summary>${folded}</details>`;
  return `<figure>${image}<figcaption>${paragraphs(said)}</figcaption>${rest}</figure>`;
}

function paragraphs(sentences: readonly string[]): string {
  return sentences.map((sentence) => `<p>${clean(shorten(sentence, 400))}</p>`).join("");
}

function imageOf(
  packet: KeyframePacket,
  choice: Choice,
  span: AxisRange,
  { points }: Size,
): string {
  const title = packet.state?.title || "Pulse";
  const note = noteOf(packet.state, choice);
  const { alarms } = choice;
  const subtitle = [`${utcStretch(...span)} UTC`, devicesOf(packet)].filter(Boolean).join(" · ");
  const wide: AxisRange = span[1] - span[0] > 1e-3 ? span : [span[0] - 0.5, span[1] + 0.5];
  const svg = drawSvg(choice.charts, { title, subtitle, note, alarms }, wide, points, packet);
  const names = choice.charts.map((chart) => shorten(chart.title, 40)).join(", ");
  const said = [names, subtitle, ...alarmWords(alarms)].join("; ");
  return imageTag(svg, `${shorten(title, 80)}: charts of ${said}`);
}

function imageTag(svg: string, alt: string): string {
  const data = toBase64(new TextEncoder().encode(svg));
  const source = `data:image/svg+xml;base64,${data}`;
  return `<img alt="${clean(alt)}" width="${WIDTH}" src="${source}">`;
}

/** The warnings of a picture. */
function noteOf(state: State | null, { alarms }: Choice): string {
  const simulated = state?.simulated ? ["Simulated data"] : [];
  return [...simulated, ...alarmWords(alarms)].join(" \u00b7 ");
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

/** The sentences below a picture, and those of the part that folds. */
function sentencesOf(
  state: State,
  when: string,
  most: number,
  asked: Asked,
): readonly [string[], string[]] {
  const left = leftOutSentence(state);
  const plain = [...simulatedOf(state), when, left].filter(Boolean);
  const wrong = problemsOf(state);
  const shown = wrong.slice(0, Math.min(OPEN_SENTENCES, most));
  const folded = [...wrong.slice(shown.length), ...unavailable(state, asked)];
  const room = most - shown.length;
  const rest = folded.length - room;
  const more = rest > 0 ? [`and ${rest} more things that could not be read`] : [];
  return [
    [plain.join(" "), ...shown],
    [...folded.slice(0, room), ...more],
  ];
}

/** What is wrong, and what to do about it. */
function problemsOf({ sources, recording }: State): string[] {
  const others = sources.filter(({ name }) => name !== LEFT_OUT_NAME);
  const reasons = others.map(({ name, state, problem, remedy }) => {
    const quiet = ["ok", "starting", "off"].includes(state);
    return problem ? `${name}: ${problem} ${remedy}` : quiet ? "" : `${name}: ${state}`;
  });
  const { problem, remedy } = recording;
  return [problem ? `${problem} ${remedy ?? ""}` : "", ...reasons].filter(Boolean);
}

/** What there is no reading of and why, of the metrics that are asked for. */
function unavailable({ sources }: State, asked: Asked): string[] {
  return sources.flatMap(({ name, missing }) =>
    missing
      .filter(({ what }) => namesOf(what).some(asked))
      .map(({ what, why }) => `${name}, ${what}: ${why}`),
  );
}

/**
 * The names that a metric may have whose reading is called so. A reader calls it as its driver does:
 * "gpu:0 fan.speed" is of `gpu.fan`.
 */
function namesOf(what: string): string[] {
  const parts = what.split(" ");
  const [owner = ""] = parts;
  const name = parts.at(-1) ?? "";
  const kind = parts.length > 1 ? (owner.split("/").at(-1)?.split(":", 1)[0] ?? "") : "";
  const words = name.split(".");
  const shorter = words.map((_, i) => [kind, ...words.slice(0, words.length - i)]);
  return [name, ...shorter.map((each) => each.filter(Boolean).join("."))];
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
