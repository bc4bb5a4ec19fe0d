/**
 * The charts of a still picture as one SVG text, as `pulse_widgets/exchange/picture/svg.py` draws
 * them. A line is the band from the smallest to the largest value of every column, so a spike of
 * one sample is as high as it was; where readings were missing nothing is drawn.
 */

import type { AxisRange } from "../vocabulary/axis-range";
import { formatValue } from "../vocabulary/format";
import {
  BOTTOM,
  CARD,
  COLORS,
  EDGE,
  GAP,
  GRID,
  HEADER,
  INK,
  LEFT,
  PAPER,
  PX,
  RIGHT,
  SOFT,
  TOP,
  WARN,
  WIDTH,
} from "../vocabulary/shared.gen";
import { utcTicks } from "../vocabulary/utc-text";
import { yRange, yTicks } from "../vocabulary/y-range";
import { extent, isEmpty, type StillChart, type StillLine, type Trace } from "./choice";

/** Coordinates are whole numbers of half pixels, which keeps paths short. */
const PLOT_HEIGHT = CARD - TOP - BOTTOM;

interface Heading {
  readonly title: string;
  readonly subtitle: string;
  /** A warning beside the title; empty for none. */
  readonly note: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot hold.
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#x27;",
};

/** A foreign text as markup that shows it and nothing else. */
export function clean(text: string): string {
  const plain = text.replace(NOT_XML, "\ufffd").replace(TURNING, "");
  return plain.replace(/[&<>"']/g, (letter) => ESCAPES[letter] ?? letter);
}

/** A text of at most `most` characters, its end given up for an ellipsis. */
export function shorten(text: string, most: number): string {
  const flat = text.split(/\s+/).join(" ").trim();
  return flat.length <= most ? flat : `${flat.slice(0, Math.max(most, 1) - 1)}…`;
}

/** The picture, every chart with at most `points` columns over `span`. */
export function drawSvg(
  charts: readonly StillChart[],
  heading: Heading,
  span: AxisRange,
  points: number,
): string {
  const across = columnsFor(charts.length);
  const width = Math.floor((WIDTH - GAP * (across + 1)) / across);
  const height = HEADER + Math.ceil(charts.length / across) * (CARD + GAP);
  const cards = charts.map((chart, i) => {
    const x = GAP + (i % across) * (width + GAP);
    const y = HEADER + Math.floor(i / across) * (CARD + GAP);
    return new Card(chart, width, span, points).draw(x, y);
  });
  const font = "system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif";
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
    `viewBox="0 0 ${WIDTH} ${height}" font-family="${font}" font-size="11" fill="${SOFT}">` +
    `<rect width="${WIDTH}" height="${height}" rx="10" fill="${PAPER}"/>` +
    `${headingOf(heading)}${cards.join("")}</svg>`
  );
}

function columnsFor(charts: number): number {
  if (charts <= 2) return charts;
  return charts === 4 ? 2 : 3;
}

function headingOf({ title, subtitle, note }: Heading): string {
  const warning = note
    ? text(WIDTH - 16, 24, note, `text-anchor="end" fill="${WARN}" font-weight="600"`)
    : "";
  const large = `font-size="16" font-weight="600" fill="${INK}"`;
  return text(16, 25, shorten(title, 60), large) + text(16, 43, shorten(subtitle, 150)) + warning;
}

function text(x: number, y: number, words: string, style = ""): string {
  return `<text x="${x}" y="${y}"${style && ` ${style}`}>${clean(words)}</text>`;
}

function textWidth(words: string): number {
  return [...words].reduce((sum, letter) => sum + (/\p{Lu}/u.test(letter) ? 7.5 : 6), 0);
}

/** One chart with its title, legend and axes. */
class Card {
  readonly #chart: StillChart;
  readonly #width: number;
  readonly #plot: number;
  readonly #span: AxisRange;
  readonly #points: number;
  readonly #range: AxisRange;

  constructor(chart: StillChart, width: number, span: AxisRange, points: number) {
    this.#chart = chart;
    this.#width = width;
    this.#plot = width - LEFT - RIGHT;
    this.#span = span;
    this.#points = Math.min(points, this.#plot);
    const [low, high] = extent(chart.lines.map(({ trace }) => trace)) ?? [null, null];
    this.#range = yRange(low, high, chart);
  }

  draw(x: number, y: number): string {
    const nothing = text(this.#width >> 1, 90, "No reading", 'text-anchor="middle"');
    const body = isEmpty(this.#chart) ? nothing : this.#drawing();
    const paper = `<rect width="${this.#width}" height="${CARD}" rx="6" fill="#fff" stroke="${EDGE}"/>`;
    return `<g transform="translate(${x} ${y})">${paper}${this.#title()}${body}</g>`;
  }

  #title(): string {
    const style = `font-size="12" font-weight="600" fill="${INK}"`;
    const last = shorten(this.#last(), 18);
    const title = shorten(this.#chart.title, Math.floor((this.#width - 24) / 7.5) - last.length);
    const right = text(this.#width - 12, 19, last, `text-anchor="end" ${style}`);
    return text(12, 19, title, style) + (last && right);
  }

  /** The last value, where the chart has one. */
  #last(): string {
    const [line, other] = this.#chart.lines;
    if (!line || other || line.series > 1 || line.trace.lost || !line.trace.last) return "";
    const [low, high] = line.trace.last;
    const words = formatValue(high, line.unit);
    return formatValue(low, line.unit) === words ? words : "";
  }

  #drawing(): string {
    const curves = this.#chart.lines.map((line) => this.#curve(line)).join("");
    return (
      `${this.#legend()}${this.#labels()}` +
      `<g transform="translate(${LEFT} ${TOP}) scale(${1 / PX})" fill="none" ` +
      `stroke-linejoin="round" stroke-linecap="round">${this.#grid()}${curves}</g>`
    );
  }

  #legend(): string {
    const { lines, unit } = this.#chart;
    const [line] = lines;
    if (lines.length === 1 && line) {
      const [low, high] = (extent([line.trace]) ?? []).map((value) => formatValue(value, unit));
      const words = `${low} to ${high}`;
      const plain = ["host", "kernel", "user"].includes(line.label);
      const label = line.series > 1 ? `${line.label}, lowest to highest` : line.label;
      const said = plain ? words : `${label}: ${words}`;
      return text(12, 36, shorten(said, Math.floor(this.#width / 6)));
    }
    return this.#manyLegend();
  }

  #manyLegend(): string {
    const { lines } = this.#chart;
    const [prefix, names] = common(lines.map(({ label }) => label));
    const parts = prefix ? [text(12, 36, prefix)] : [];
    let x = prefix ? 20 + textWidth(prefix) : 12;
    for (const [place, line] of lines.entries()) {
      const name = shorten(names[place] as string, 18);
      const needed = textWidth(name) + 23;
      if (x + needed > this.#width - 24 && place < lines.length - 1) {
        parts.push(text(Math.round(x), 36, `+${lines.length - place} more`));
        break;
      }
      const key = `width="9" height="9" rx="2" fill="${colorOf(line)}"`;
      parts.push(`<rect x="${Math.round(x)}" y="28" ${key}/>${text(Math.round(x) + 13, 36, name)}`);
      x += needed;
    }
    return parts.join("");
  }

  #labels(): string {
    const values = this.#ticks().map((value) => {
      const words = shorten(formatValue(value, this.#chart.unit), 12);
      const y = (TOP + this.#y(value) / PX + 3.5).toFixed(1);
      return text(LEFT - 6, Number(y), words, 'text-anchor="end" font-size="10"');
    });
    const times = utcTicks(...this.#span, this.#plot < 400 ? 4 : 8).map(({ time, text: words }) => {
      const x = LEFT + this.#x(time) / PX;
      if (x < LEFT || x > this.#width - RIGHT) return "";
      // A label at the edge leans inwards.
      const end = x + textWidth(words) / 2 > this.#width - 4;
      const style = `text-anchor="${end ? "end" : "middle"}" font-size="10"`;
      return text(end ? this.#width - 4 : Math.round(x), CARD - 8, words, style);
    });
    return [...values, ...times].join("");
  }

  #ticks(): number[] {
    return yTicks(this.#range, this.#chart.unit, 4);
  }

  #grid(): string {
    const across = this.#plot * PX;
    const lines = this.#ticks().map((value) => `M0 ${this.#y(value)}h${across}`);
    const { limit } = this.#chart;
    const shown = limit !== null && limit >= this.#range[0] && limit <= this.#range[1];
    const level = shown
      ? `<path stroke="${SOFT}" stroke-width="2" stroke-dasharray="6 6" ` +
        `d="M0 ${this.#y(limit)}h${across}"/>`
      : "";
    return `<path stroke="${GRID}" stroke-width="2" d="${lines.join("")}"/>${level}`;
  }

  #curve(line: StillLine): string {
    const alone = this.#chart.lines.length === 1;
    // Many bands on top of each other would hide one another.
    const tint = (0.24 / this.#chart.lines.length).toFixed(2);
    const looks = {
      band: `fill="${colorOf(line)}" fill-opacity="${tint}" stroke-width="${alone ? 2.4 : 2}"`,
      thin: 'stroke-width="3"',
      dot: 'stroke-width="8"',
    };
    const paths: Record<keyof typeof looks, string> = { band: "", thin: "", dot: "" };
    for (const stretch of this.#stretches(line.trace)) {
      const thin = stretch.every(({ top, bottom }) => top === bottom);
      const kind = !thin ? "band" : stretch.length > 1 ? "thin" : "dot";
      paths[kind] += pathOf(stretch, thin);
    }
    return (Object.keys(looks) as (keyof typeof looks)[])
      .filter((kind) => paths[kind])
      .map((kind) => `<path stroke="${colorOf(line)}" ${looks[kind]} d="${paths[kind]}"/>`)
      .join("");
  }

  /** What lies between two gaps, a point for every column that has something. */
  #stretches({ time, low, high, segment }: Trace): Point[][] {
    const [start, end] = this.#span;
    // The middle of the first bucket may lie before the session, that of the last after it.
    const elapsed = time.map((moment) => Math.min(Math.max(moment - start, 0), end - start));
    const column = elapsed.map((seconds) => Math.floor((seconds / (end - start)) * this.#points));
    const stretches: Point[][] = [];
    for (let i = 0; i < time.length; ) {
      const [own, place] = [segment[i], column[i]];
      let [sum, count] = [0, 0];
      let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      const from = i;
      for (; segment[i] === own && column[i] === place; i++) {
        sum += elapsed[i] as number;
        count++;
        least = Math.min(least, low[i] as number);
        most = Math.max(most, high[i] as number);
      }
      const x = Math.round((sum / count / (end - start)) * this.#plot * PX);
      if (from === 0 || segment[from - 1] !== own) stretches.push([]);
      stretches.at(-1)?.push({ x, top: this.#y(most), bottom: this.#y(least) });
    }
    return stretches.map(withoutMiddles);
  }

  #x(time: number): number {
    const [start, end] = this.#span;
    return ((time - start) / (end - start)) * this.#plot * PX;
  }

  #y(value: number): number {
    const [bottom, top] = this.#range;
    const share = (value / 2 - bottom / 2) / (top / 2 - bottom / 2);
    return Math.round((1 - Math.min(Math.max(share, 0), 1)) * PLOT_HEIGHT * PX);
  }
}

interface Point {
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
}

/** Without the points of a level stretch that lie between two equal ones. */
function withoutMiddles(points: readonly Point[]): Point[] {
  const level = (a: Point | undefined, b: Point) => a?.top === b.top && a.bottom === b.bottom;
  return points.filter((one, i) => !(level(points[i - 1], one) && level(points[i + 1], one)));
}

/** The outline of a band as relative steps; a thin band is a line. */
function pathOf(points: readonly Point[], thin: boolean): string {
  const [first] = points;
  if (!first) return "";
  if (points.length === 1) {
    return thin ? `M${first.x} ${first.top}h0` : `M${first.x} ${first.top}V${first.bottom}`;
  }
  const upper = points.map(({ x, top }) => [x, top] as const);
  if (thin) return steps(upper);
  const lower = points.map(({ x, bottom }) => [x, bottom] as const).reverse();
  return `${steps([...upper, ...lower])}z`;
}

function steps(points: readonly (readonly [number, number])[]): string {
  const moves = points.slice(1).flatMap(([x, y], i) => {
    const [fromX, fromY] = points[i] as readonly [number, number];
    return [x - fromX, y - fromY];
  });
  const [x, y] = points[0] as readonly [number, number];
  return `M${x} ${y}l${moves.join(" ").replaceAll(" -", "-")}`;
}

/** The word that all labels begin with, and the labels without it. */
function common(labels: readonly string[]): readonly [string, readonly string[]] {
  const words = new Set(labels.map((label) => label.split(" ", 1)[0]));
  const [word = ""] = words;
  const rests = labels.map((label) => label.slice(word.length + 1));
  return words.size === 1 && rests.every(Boolean) ? [word, rests] : ["", labels];
}

function colorOf({ color }: StillLine): string {
  return COLORS[color % COLORS.length] as string;
}
