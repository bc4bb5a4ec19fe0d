/** A chart of up to eight lines, with a legend that is also the table of their values. */

import { setAttribute, setText } from "../dom";
import { Grid, type ValueAt } from "../history/grid";
import { formatValue } from "../vocabulary/format";
import { kindStoredAs } from "../vocabulary/kinds";
import { lineColor, lineDash } from "../vocabulary/palette";
import { axisTimes, momentText } from "../vocabulary/time-text";
import { yRange, yTicks } from "../vocabulary/y-range";
import { GUTTER, type Plot, type PlotArea, type PlotOptions } from "./chart";
import type { Line, Panel } from "./groups";
import { Legend } from "./legend";
import { marksAt, paintBands, paintMoments } from "./marks";
import {
  type ChartEvents,
  type ChartKind,
  limitValue,
  type Place,
  pixelsOf,
  plotIn,
  type Scene,
  type Shell,
  shell,
  showTip,
  twinRows,
  type View,
  writeTwin,
} from "./panel-view";
import { readingText } from "./reading-text";
import type { Theme } from "./theme";
import { clipped, type Ink, paintBand, paintInfinities, paintLine, paintSpikes } from "./trace";

export const LINES: ChartKind = {
  name: "lines",
  fits: () => true,
  make: (panel, events, place) => new LineChart(panel, events, place),
};

const HEIGHT = 132;
const PIXELS_PER_TICK = 30;

export class LineChart implements View {
  readonly el: HTMLElement;
  readonly byStep: boolean;
  seen = false;
  stale = true;
  readonly #panel: Panel;
  readonly #axis: boolean;
  readonly #shell: Shell;
  readonly #legend: Legend | null;
  readonly #grid = new Grid();
  readonly #events: ChartEvents;
  #plot: Plot | null = null;
  #scene: Scene | null = null;
  #limit: number | null = null;
  #inks: readonly Ink[] = [];
  #top = 0;

  constructor(panel: Panel, events: ChartEvents, { byStep, axis }: Place) {
    this.#panel = panel;
    this.#axis = axis;
    this.byStep = byStep;
    const own = byStep ? { ...events, ...events.step } : events;
    this.#events = {
      ...own,
      cursor: (x, top) => {
        this.#top = top;
        own.cursor(x, top);
        this.#tip(x);
      },
    };
    this.#shell = shell(panel);
    this.el = this.#shell.el;
    const keys = panel.lines.map((line) => line.key);
    this.#legend =
      panel.lines.length > 1
        ? new Legend(panel.lines, (key, only) => events.toggle(key, only, keys))
        : null;
    if (this.#legend) this.#shell.host.after(this.#legend.el);
  }

  draw(scene: Scene): void {
    this.#scene = scene;
    this.#plot ??= plotIn(this.#shell.host, this.#options(), this.#events, scene.theme);
    const plot = this.#plot;
    if (!plot) return;
    // A chart that was out of sight has not been given a new theme.
    plot.setTheme(scene.theme);
    const { lines } = this.#panel;
    const ids = lines.map((line) => (scene.hidden.has(line.key) ? null : line.id));
    const valueAt: ValueAt = (id, x) => scene.source.at?.(id, x)?.value ?? Number.NaN;
    const pixels = pixelsOf(plot);
    this.#grid.fill(scene.fetch, ids, scene.range, pixels, this.#stepped, valueAt);
    this.#limit = limitValue(this.#panel, scene);
    this.#inks = inksOf(lines, scene, this.#stepped);
    plot.draw(this.#grid.xs, this.#grid.ys, scene.range);
    this.#legend?.setHidden(scene.hidden, scene.theme.ground);
    this.stale = false;
  }

  point(x: number | null, scene: Scene): void {
    this.#plot?.setCursor(x);
    const at = x ?? (scene.still ? scene.range[1] : null);
    const texts = this.#panel.lines.map((line, i) => {
      if (at !== null) return readingText(this.#grid.at(i, at), this.#panel.unit);
      return formatValue(scene.source.last(line.id)?.value ?? null, this.#panel.unit);
    });
    if (this.#legend) this.#legend.setValues(texts);
    else setText(this.#shell.value, texts[0] ?? "");
    if (x === null) this.#tip(null);
  }

  describe(scene: Scene): void {
    const text = (value: number | null) => formatValue(value, this.#panel.unit);
    const rows = twinRows(this.#panel, this.#grid, scene.source, text);
    writeTwin(this.#shell.twin, `${this.#panel.title}, values in view`, rows);
    const one = rows.length === 1 ? rows[0] : undefined;
    const summary = one ? `${one.last}, from ${one.min} to ${one.max}` : `${rows.length} series`;
    setAttribute(this.el, "aria-label", `${this.#panel.title}: ${summary}`);
  }

  setTheme(theme: Theme): void {
    this.#plot?.setTheme(theme);
  }

  resize(): void {
    const width = Math.floor(this.#shell.host.clientWidth);
    if (width >= 80) this.#plot?.setWidth(width);
  }

  destroy(): void {
    this.#plot?.destroy();
    this.el.remove();
  }

  /** A state holds until the next reading, which is a matter of time. */
  get #stepped(): boolean {
    return kindStoredAs(this.#panel.kind).drawnAs === "step" && !this.byStep;
  }

  #options(): PlotOptions {
    const { lines, unit, whole } = this.#panel;
    const stepped = this.#stepped;
    return {
      lines: lines.map((line) => ({ color: line.color, stepped })),
      height: HEIGHT,
      xAxis: this.#axis,
      time: !this.byStep,
      yRange: () => {
        const [low, high] = this.#grid.reach() ?? [null, null];
        return yRange(low, high, { unit, whole, limit: this.#limit });
      },
      yTicks: (range, height) => yTicks(range, unit, height / PIXELS_PER_TICK),
      yText: (values) => values.map((value) => formatValue(value, unit)),
      xText: this.byStep ? (steps) => steps.map((step) => formatValue(step, "count")) : axisTimes,
      under: (area) => this.#under(area),
      over: (area) => this.#over(area),
    };
  }

  #under(area: PlotArea): void {
    const scene = this.#scene;
    if (scene && !this.byStep) paintBands(area, scene.marks, scene.theme, scene.now);
    clipped(area, () => this.#paint(area));
  }

  #paint(area: PlotArea): void {
    const grid = this.#grid;
    const inks = [...this.#inks.entries()];
    for (const [i, ink] of inks) paintBand(area, grid, i, ink);
    for (const [i, ink] of inks) {
      paintLine(area, grid.xs, grid.ys[i] as Float64Array, ink);
      paintSpikes(area, grid, i, ink);
      paintInfinities(area, grid, i, ink);
    }
  }

  #over(area: PlotArea): void {
    const scene = this.#scene;
    if (!scene) return;
    if (this.#limit !== null) paintLimit(area, this.#limit, scene.theme);
    if (!this.byStep) paintMoments(area, scene.marks, scene.theme);
  }

  #tip(x: number | null): void {
    const scene = this.#scene;
    const plot = this.#plot;
    if (!scene || !plot || x === null) {
      this.#shell.tip.hidden = true;
      return;
    }
    const pixel = (scene.range[1] - scene.range[0]) / Math.max(plot.span, 1);
    this.#shell.tip.style.top = `${Math.max(0, this.#top - 10)}px`;
    const lines = this.byStep
      ? [`step ${formatValue(Math.round(x), "count")}`]
      : [momentText(x, scene.range[1] - scene.range[0]), ...labelsAt(scene, x, pixel)];
    showTip(this.#shell.tip, (x - scene.range[0]) / pixel + GUTTER, lines);
  }
}

/** Opacity of the band of a lone line; many bands over one another are paler. */
const BAND = 0.3;

/** How the lines are painted. */
function inksOf(lines: readonly Line[], scene: Scene, stepped: boolean): Ink[] {
  const shown = lines.filter((line) => !scene.hidden.has(line.key)).length;
  const band = BAND / Math.sqrt(Math.max(shown, 1));
  return lines.map(({ color }) => ({
    color: lineColor(color, scene.theme.ground),
    dash: lineDash(color),
    line: 1,
    band,
    width: 1,
    stepped,
  }));
}

/** The newest few of what the pointer touches, give or take some pixels. */
function labelsAt(scene: Scene, x: number, pixel: number): string[] {
  return marksAt(scene.marks, x, pixel * 4, scene.now)
    .map((mark) => mark.label)
    .slice(-4);
}

function paintLimit(area: PlotArea, limit: number, theme: Theme): void {
  const { context, left, top, width, height, ratio } = area;
  const y = Math.round(area.y(limit)) + 0.5;
  if (y < top || y > top + height) return;
  context.save();
  context.strokeStyle = theme.axis;
  context.lineWidth = ratio;
  context.setLineDash([2 * ratio, 3 * ratio]);
  context.beginPath();
  context.moveTo(left, y);
  context.lineTo(left + width, y);
  context.stroke();
  context.restore();
}
