/**
 * The charts of a still picture as one SVG text, as `pulse_widgets/exchange/picture/svg.py` draws
 * them.
 */

import type { AxisRange } from "../vocabulary/axis-range";
import { formatValue, MISSING } from "../vocabulary/format";
import {
  AXIS,
  BOTTOM,
  COLORS,
  COLUMNS,
  EDGE,
  FLAT_ROWS,
  FONT,
  GAP,
  GRID,
  HEADER,
  IDLE,
  INK,
  LEFT,
  LEGEND_COLUMNS,
  LEGEND_ROW,
  LONG,
  MOST_BANDS,
  PAPER,
  PLOT,
  PX,
  RAISED,
  RIGHT,
  SOFT,
  TALL_PLOT,
  TOP,
  WARN,
  WIDTH,
} from "../vocabulary/shared.gen";
import { utcTicks } from "../vocabulary/utc-text";
import { yRange, yTicks } from "../vocabulary/y-range";
import type { StillAlarm } from "./alarms";
import { isEmpty, type StillChart, type StillLine } from "./choice";
import { bandOf, Scale, shapeOf } from "./curve";
import { heatImage, rampStops } from "./heat";
import { idlePath, markPaths, type Story } from "./story";
import { clean, shorten, text, textWidth } from "./text";
import { extent, newest } from "./trace";

interface Heading {
  readonly title: string;
  readonly subtitle: string;
  /** A warning beside the title; empty for none. */
  readonly note: string;
  /** What the legend says of the GPUs. */
  readonly alarms: readonly StillAlarm[];
}

/** The picture, every chart with at most `points` columns over `span`. */
export function drawSvg(
  charts: readonly StillChart[],
  heading: Heading,
  span: AxisRange,
  points: number,
  story: Story,
): string {
  const across = columnsFor(charts.length);
  const rows = Math.ceil(charts.length / across);
  const width = Math.floor((WIDTH - GAP * (across + 1)) / across);
  const most = Math.max(0, ...charts.map((chart) => chart.rows.length));
  const plot = rows > 1 && most <= FLAT_ROWS ? PLOT : TALL_PLOT;
  const shared = sharedNames(charts);
  const top = HEADER + Math.ceil(shared.length / LEGEND_COLUMNS) * LEGEND_ROW;
  const height = top + rows * (TOP + plot + BOTTOM + GAP) + AXIS;
  const frame = new Frame(width, plot, span, points, most > 0);
  const cards = charts.map((chart, i) => {
    const x = GAP + (i % across) * (width + GAP);
    const y = top + Math.floor(i / across) * (TOP + plot + BOTTOM + GAP);
    return new Card(chart, frame, shared, i + across >= charts.length).draw(x, y);
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
    `viewBox="0 0 ${WIDTH} ${height}" font-family="${FONT}" font-size="11" fill="${SOFT}">` +
    frame.backdrop(story) +
    `<rect width="${WIDTH}" height="${height}" rx="10" fill="${PAPER}"/>` +
    `${headingOf(heading, most > 0)}${legend(charts, shared, heading.alarms)}${cards.join("")}</svg>`
  );
}

function columnsFor(charts: number): number {
  if (charts <= 2) return charts;
  return charts === 4 ? 2 : COLUMNS;
}

function headingOf({ title, subtitle, note }: Heading, heat: boolean): string {
  const below = heat ? `${subtitle} \u00b7 in rows of colours the first is at the top` : subtitle;
  const warning = note
    ? text(
        WIDTH - 16,
        24,
        shorten(note, LONG + LONG / 3),
        `text-anchor="end" fill="${WARN}" font-weight="600"`,
      )
    : "";
  const large = `font-size="16" font-weight="600" fill="${INK}"`;
  const room = note.length <= LONG / 2 ? LONG : LONG / 2;
  return text(16, 25, shorten(title, room), large) + text(16, 43, shorten(below, 150)) + warning;
}

/** The names that the lines of several charts have; none where there are no such charts. */
function sharedNames(charts: readonly StillChart[]): readonly string[] {
  const alike = (names: readonly string[]) => charts.filter((one) => hasNames(one, names)).length;
  return charts.map(namesOf).find((names) => names.length > 1 && alike(names) > 1) ?? [];
}

/** What the lines are called, where that is what they belong to. */
function namesOf({ lines }: StillChart): readonly string[] {
  return lines.every(({ label, owner }) => label === owner) ? lines.map(({ label }) => label) : [];
}

function hasNames(chart: StillChart, names: readonly string[]): boolean {
  return JSON.stringify(namesOf(chart)) === JSON.stringify(names);
}

/** A key for each name, with the last values of its lines, chart by chart. */
function legend(
  charts: readonly StillChart[],
  shared: readonly string[],
  alarms: readonly StillAlarm[],
): string {
  const of = charts.filter((chart) => hasNames(chart, shared));
  const room = Math.floor((WIDTH - 32) / LEGEND_COLUMNS);
  const keys = shared.map((name, place) => {
    const lines = of.map((chart) => chart.lines[place] as StillLine);
    const x = 16 + (place % LEGEND_COLUMNS) * room;
    const y = HEADER + 8 + Math.floor(place / LEGEND_COLUMNS) * LEGEND_ROW;
    const label = shorten(name, 20);
    const wrong = alarms.filter(({ owner }) => owner === name).map(({ metric }) => metric);
    const said = lines.map(
      (line) => lastText([line]) + (wrong.includes(line.metric) ? RAISED : ""),
    );
    const values = wrong.includes("") ? "lost" : said.join(" \u00b7 ");
    const warning = wrong.length > 0 ? ` fill="${WARN}"` : "";
    const most = Math.max(Math.trunc((room - 24 - textWidth(label)) / 5.2), 0);
    const color = colorOf(lines[0] as StillLine);
    return (
      `<rect x="${x}" y="${y - 9}" width="10" height="10" rx="2" fill="${color}"/>` +
      `<text x="${x + 15}" y="${y}"><tspan font-weight="600" fill="${INK}">${clean(label)}` +
      `</tspan> <tspan font-size="10"${warning}>${clean(shorten(values, most))}</tspan></text>`
    );
  });
  return keys.join("");
}

/** The last value of some lines of one unit, as the range they lie in. */
export function lastText(lines: readonly StillLine[]): string {
  const ends = lines.map(({ trace }) => newest(trace)).filter((end) => end !== null);
  if (ends.length === 0) return MISSING;
  const { unit } = lines[0] as StillLine;
  const low = formatValue(Math.min(...ends.map(([least]) => least)), unit);
  const high = formatValue(Math.max(...ends.map(([, most]) => most)), unit);
  return low === high ? low : `${low} to ${high}`;
}

/** What all charts of a picture have in common. */
class Frame {
  readonly plot: number;

  constructor(
    readonly width: number,
    readonly height: number,
    readonly span: AxisRange,
    readonly points: number,
    /** There are rows of colours. */
    readonly heat: boolean,
  ) {
    this.plot = width - LEFT - RIGHT;
  }

  /** The scale of a chart whose axis goes over some values. */
  scale(values: AxisRange = [0, 1]): Scale {
    return new Scale(this.span, values, this.plot, this.height, Math.min(this.points, this.plot));
  }

  times(): readonly { readonly time: number; readonly text: string }[] {
    return utcTicks(...this.span, this.plot < 400 ? 4 : 8);
  }

  /** What lies behind every plot: what is idle, the grid of time, marks. */
  backdrop(story: Story): string {
    const scale = this.scale();
    const lines = this.times().map(({ time }) => `M${scale.x(time)} 0v${this.height * PX}`);
    const [marks, events] = markPaths(story, scale);
    const parts = [
      path(idlePath(story, scale), `fill="${IDLE}"`),
      path(lines.join(""), `stroke="${GRID}" stroke-width="2"`),
      path(marks, `stroke="${SOFT}" stroke-width="2" stroke-dasharray="8 6"`),
      path(events, `stroke="${WARN}" stroke-width="2" stroke-dasharray="2 6"`),
    ];
    // Where readings are missing a row of colours is hatched: its lowest colour is pale.
    const missing =
      `<pattern id="m" width="8" height="8" patternUnits="userSpaceOnUse">` +
      `<path stroke="${SOFT}" d="M0 8L8 0"/></pattern>`;
    const ramp = `<linearGradient id="h" x2="0" y2="1">${rampStops()}</linearGradient>`;
    return `<defs><g id="t">${parts.join("")}</g>${this.heat ? missing + ramp : ""}</defs>`;
  }
}

/** One chart with its title, legend and axes. */
class Card {
  readonly #chart: StillChart;
  readonly #frame: Frame;
  /** The legend of the picture has the names of its lines. */
  readonly #named: boolean;
  /** The lowest of its column has the labels of time. */
  readonly #last: boolean;
  readonly #scale: Scale;

  constructor(chart: StillChart, frame: Frame, shared: readonly string[], last: boolean) {
    this.#chart = chart;
    this.#frame = frame;
    this.#named = shared.length > 0 && hasNames(chart, shared);
    this.#last = last;
    const [low, high] = extent(chart.lines.map(({ trace }) => trace)) ?? [null, null];
    this.#scale = frame.scale(yRange(low, high, chart));
  }

  draw(x: number, y: number): string {
    const { width, height } = this.#frame;
    const middle = TOP + (height >> 1);
    const nothing = text(width >> 1, middle, "No reading", 'text-anchor="middle"');
    const body = isEmpty(this.#chart) ? nothing : this.#drawing();
    const tall = TOP + height + BOTTOM + (this.#last ? AXIS : 0);
    const paper = `<rect width="${width}" height="${tall}" rx="6" fill="#fff" stroke="${EDGE}"/>`;
    return `<g transform="translate(${x} ${y})">${paper}${this.#title()}${body}</g>`;
  }

  /** The title, what the lines are called, and the last value. */
  #title(): string {
    const { width } = this.#frame;
    const style = `font-size="12" font-weight="600" fill="${INK}"`;
    const { lines } = this.#chart;
    let value = isEmpty(this.#chart) ? "" : shorten(lastText(lines), 22);
    let room = width - 24 - textWidth(value, true);
    // What the lines are called matters more than where they ended.
    const needed = 22 + textWidth(this.#chart.title, true) + namesWidth(lines);
    if (value && !this.#named && lines.length > 1 && needed > room) {
      [value, room] = ["", width - 24];
    }
    const title = shorten(this.#chart.title, Math.trunc(room / 7.5));
    const names = this.#named ? "" : this.#names(22 + textWidth(title, true), room);
    const right = value && text(width - 12, 19, value, `text-anchor="end" ${style}`);
    return text(12, 19, title, style) + names + right;
  }

  /** What the lines are called, as far as there is room up to `end`. */
  #names(from: number, end: number): string {
    const { lines } = this.#chart;
    const [line] = lines;
    if (lines.length === 1 && line) return singleName(line, from, end);
    const [, names] = common(lines.map(({ label }) => label));
    const parts: string[] = [];
    let x = from;
    for (const [place, one] of lines.entries()) {
      const name = shorten(names[place] as string, 14);
      const needed = textWidth(name) + 20;
      if (x + needed > end) {
        parts.push(text(Math.round(x), 19, `+${lines.length - place}`));
        break;
      }
      const key = `width="9" height="9" rx="2" fill="${colorOf(one)}"`;
      parts.push(`<rect x="${Math.round(x)}" y="10" ${key}/>${text(Math.round(x) + 13, 19, name)}`);
      x += needed;
    }
    return parts.join("");
  }

  /** The grid and the curves share one group in half pixels with its origin in the plot. */
  #drawing(): string {
    const drawn =
      this.#chart.rows.length > 0
        ? this.#heat()
        : `<use href="#t"/>${this.#grid()}${this.#curves()}`;
    return (
      `${this.#labels()}<g transform="translate(${LEFT} ${TOP}) scale(${1 / PX})" fill="none" ` +
      `stroke-linejoin="round" stroke-linecap="round">${drawn}</g>`
    );
  }

  /** A row of colours for each line, and what the colours mean beside the labels. */
  #heat(): string {
    const bar = `<rect x="-10" width="6" height="${this.#frame.height * PX}" fill="url(#h)"/>`;
    const traces = this.#chart.rows.map(({ trace }) => trace);
    const size = `width="${this.#frame.plot * PX}" height="${this.#frame.height * PX}"`;
    return `${bar}<rect ${size} fill="url(#m)"/>${heatImage(traces, this.#scale)}`;
  }

  #labels(): string {
    // The bar that says what colours mean stands between the labels and the plot.
    const edge = LEFT - (this.#chart.rows.length > 0 ? 10 : 6);
    const values = this.#ticks().map((value) => {
      const words = shorten(formatValue(value, this.#chart.unit), 12);
      const y = TOP + this.#scale.y(value) / PX + 3.5;
      return text(edge, y, words, 'text-anchor="end" font-size="10"');
    });
    const right = this.#frame.width - 4;
    const times = this.#frame.times().map(({ time, text: words }) => {
      const x = LEFT + this.#scale.x(time) / PX;
      // A label at the edge leans inwards.
      const end = x + textWidth(words) / 2 > right;
      const style = `text-anchor="${end ? "end" : "middle"}" font-size="10"`;
      return text(end ? right : Math.round(x), TOP + this.#frame.height + 16, words, style);
    });
    return [...values, ...(this.#last ? times : [])].join("");
  }

  #ticks(): number[] {
    return yTicks(this.#scale.values, this.#chart.unit, 4);
  }

  #grid(): string {
    const across = this.#frame.plot * PX;
    const lines = this.#ticks().map((value) => `M0 ${this.#scale.y(value)}h${across}`);
    const { limit } = this.#chart;
    const [bottom, top] = this.#scale.values;
    const level =
      limit !== null && limit >= bottom && limit <= top
        ? `<path stroke="${SOFT}" stroke-width="2" stroke-dasharray="6 6" ` +
          `d="M0 ${this.#scale.y(limit)}h${across}"/>`
        : "";
    return path(lines.join(""), `stroke="${GRID}" stroke-width="2"`) + level;
  }

  /** The bands, and above them the lines. */
  #curves(): string {
    const { lines, together } = this.#chart;
    const shapes = lines.map((line) => [colorOf(line), shapeOf(line.trace, this.#scale)] as const);
    const tint = (0.26 / lines.length ** 0.5).toFixed(2);
    // The bands of many lines would hide one another.
    const bands =
      together && lines.length > MOST_BANDS
        ? [path(bandOf(together.trace, this.#scale), `fill="${SOFT}" fill-opacity="0.16"`)]
        : shapes.map(([color, { band }]) => path(band, `fill="${color}" fill-opacity="${tint}"`));
    const above = shapes.map(([color, { line }]) =>
      path(line, `stroke="${color}" stroke-width="2.6"`),
    );
    // No line hides what stands out.
    const out = shapes.map(
      ([color, { spikes, dots }]) =>
        path(spikes, `stroke="${color}" stroke-width="2"`) +
        path(dots, `stroke="${color}" stroke-width="7"`),
    );
    return [...bands, ...above, ...out].join("");
  }
}

function namesWidth(lines: readonly StillLine[]): number {
  const [, names] = common(lines.map(({ label }) => label));
  return names.reduce((sum, name) => sum + 20 + textWidth(shorten(name, 14)), 0);
}

function singleName({ label }: StillLine, from: number, end: number): string {
  const name = ["host", "kernel", "user"].includes(label) ? "" : label;
  const short = shorten(name, Math.max(Math.trunc((end - from) / 6), 0));
  return short.length > 1 ? text(Math.round(from), 19, short) : "";
}

function path(d: string, look: string): string {
  return d ? `<path ${look} d="${d}"/>` : "";
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
