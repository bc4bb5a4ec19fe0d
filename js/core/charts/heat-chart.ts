/** Many entities of one metric: a row each, colour for value, both ends of every bucket shown. */

import { h, setAttribute, setText } from "../dom";
import { Grid, type Reading } from "../history/grid";
import type { AxisRange } from "../vocabulary/axis-range";
import { CATALOG } from "../vocabulary/catalog.gen";
import { entityLabel } from "../vocabulary/entities";
import { formatValue } from "../vocabulary/format";
import { rampColor, rampGradient } from "../vocabulary/palette";
import { axisTimes, momentText } from "../vocabulary/time-text";
import { yRange } from "../vocabulary/y-range";
import { notesAt, paintOver } from "./bands";
import { GUTTER, type Plot, type PlotArea, type PlotOptions } from "./chart";
import type { Line, Panel } from "./groups";
import { HeatPainter, rowHeight } from "./heat";
import { sharedStart } from "./legend";
import { BEYOND, isBeyond, readingAt, twinOf } from "./moment";
import {
  type ChartEvents,
  type ChartKind,
  emptyText,
  limitValue,
  type Place,
  plotIn,
  reserve,
  type Scene,
  type Shell,
  shell,
  type View,
  writeTwin,
} from "./panel-view";
import { readingText, spanText } from "./reading-text";
import type { Theme } from "./theme";

export const HEAT: ChartKind = {
  name: "heat",
  fits: (panel) => panel.crowded,
  make: (panel, events, place) => new HeatChart(panel, events, place),
};

/** Columns are never narrower than a pixel: none is left out. */
const COLUMNS_PER_PIXEL = 0.78;
/** What fits in front of a row. */
const ROW_LETTERS = 9;

export class HeatChart implements View {
  readonly el: HTMLElement;
  readonly byStep = false;
  seen = false;
  stale = true;
  readonly #panel: Panel;
  readonly #axis: boolean;
  readonly #shell: Shell;
  readonly #grid = new Grid();
  readonly #events: ChartEvents;
  readonly #painter = new HeatPainter();
  readonly #scale: Record<"ends" | "low" | "ramp" | "high", HTMLElement>;
  #plot: Plot | null = null;
  #scene: Scene | null = null;
  #values: AxisRange = [0, 1];
  #row: number | null = null;
  #top = 0;

  constructor(panel: Panel, events: ChartEvents, { axis }: Place) {
    this.#panel = panel;
    this.#axis = axis;
    this.#events = {
      ...events,
      cursor: (x, top) => {
        const row = Math.floor(top / rowHeight(panel.lines.length));
        this.#row = x === null ? null : Math.min(Math.max(row, 0), panel.lines.length - 1);
        this.#top = top;
        events.cursor(x, top);
      },
    };
    this.#shell = shell(panel);
    this.el = this.#shell.el;
    this.el.classList.add("pulse-heat");
    const rows = panel.lines.length;
    reserve(this.#shell.host, { height: rows * rowHeight(rows), xAxis: axis });
    this.#scale = {
      ends: h("span", { class: "pulse-ends" }),
      low: h("span"),
      ramp: h("span", { class: "pulse-ramp", "aria-hidden": "true" }),
      high: h("span"),
    };
    const scale = h("div", { class: "pulse-scale" });
    scale.append(this.#scale.ends, this.#scale.low, this.#scale.ramp, this.#scale.high);
    this.#shell.host.after(scale);
  }

  draw(scene: Scene): void {
    this.#scene = scene;
    this.#plot ??= plotIn(this.#shell.host, this.#options(), this.#events, scene.theme);
    const plot = this.#plot;
    if (!plot) return;
    plot.setTheme(scene.theme);
    const { lines, unit } = this.#panel;
    const ids = lines.map((line) => (scene.hidden.has(line.key) ? null : line.id));
    this.#grid.fill(scene.fetch, ids, scene.range, plot.span * COLUMNS_PER_PIXEL, true);
    this.#values = this.#valueRange();
    const [low, high] = this.#values;
    const empty = emptyText(this.#panel, scene, this.#grid.reach() !== null);
    setText(this.#shell.note, empty);
    setText(this.#scale.low, low < high && !empty ? formatValue(low, unit) : "");
    setText(this.#scale.high, empty ? "" : formatValue(high, unit));
    this.#scale.ramp.hidden = empty !== "";
    this.#scale.ramp.style.backgroundImage = rampGradient(scene.theme.ground, low, high);
    plot.draw([...scene.range], [[0, 0]], scene.range);
    this.stale = false;
  }

  point(x: number | null, scene: Scene): void {
    this.#plot?.setCursor(x);
    if (x === null) this.#row = null;
    const { lines, unit } = this.#panel;
    const row = this.#row;
    const line = row === null ? undefined : lines[row];
    const { values, ends } = this.#summary(x, scene);
    const reading = row === null || !line ? null : this.#readingAt(row, line, x, scene);
    setText(this.#shell.whose, line?.label ?? "");
    setText(this.#shell.value, line ? readingText(reading, unit) : values);
    setText(this.#scale.ends, line ? values : ends);
    this.#tip(line ? x : null, scene);
  }

  describe(scene: Scene): void {
    writeTwin(this.#shell.twin, twinOf(this.#panel, this.#grid, scene));
    const { values, ends } = this.#summary(null, scene);
    const label = `${this.#panel.title}: ${values}, ${ends}`;
    setAttribute(this.el, "aria-label", label);
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
    this.#shell.tip.destroy();
    this.el.remove();
  }

  #tip(x: number | null, scene: Scene): void {
    const plot = this.#plot;
    const line = this.#row === null ? undefined : this.#panel.lines[this.#row];
    if (x === null || !plot || !line || this.#row === null) {
      this.#shell.tip.hide();
      return;
    }
    const width = scene.range[1] - scene.range[0];
    const beyond = isBeyond(x, scene, false);
    const reading = beyond ? null : this.#readingAt(this.#row, line, x, scene);
    const isMissing = reading !== null && reading.min === null;
    const text = isMissing ? "missing" : readingText(reading, this.#panel.unit);
    const [low, high] = this.#values;
    const value = reading?.max ?? Number.NaN;
    const color = Number.isNaN(value) ? "none" : rampColor(scene.theme.ground, value, low, high);
    const { values, ends } = this.#summary(x, scene);
    const notes = beyond ? [BEYOND] : [`all: ${values}`, ends].filter(Boolean);
    const marks = notesAt(scene, this.#panel.lines, x, width / plot.span);
    const content = {
      head: momentText(x, width),
      lines: beyond ? [] : [{ name: line.label, text, color, value }],
      notes: [...notes, ...marks],
    };
    this.#shell.tip.show(((x - scene.range[0]) / width) * plot.span + GUTTER, this.#top, content);
  }

  #readingAt(row: number, line: Line, x: number | null, scene: Scene): Reading | null {
    return readingAt(this.#grid, line, row, x, scene, false);
  }

  /** The lowest and the highest of all rows, at `x` or now, and whose they are. */
  #summary(x: number | null, scene: Scene): { values: string; ends: string } {
    const { lines, unit } = this.#panel;
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let [lowest, highest] = ["", ""];
    const shared = sharedStart(lines.map(({ label }) => label));
    lines.forEach((line, i) => {
      const at = this.#readingAt(i, line, x, scene);
      const [min, max] = [at?.min ?? Number.NaN, at?.max ?? Number.NaN];
      if (min < low) [low, lowest] = [min, line.label.slice(shared.length)];
      if (max > high) [high, highest] = [max, line.label.slice(shared.length)];
    });
    if (low > high) return { values: formatValue(null, unit), ends: "" };
    const ends = low === high ? "" : `${shared}${lowest} low \u00b7 ${highest} high`;
    return { values: spanText(low, high, unit), ends };
  }

  #valueRange(): AxisRange {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    this.#panel.lines.forEach((_, i) => {
      const ends = this.#grid.extremes(i);
      if (!ends) return;
      low = Math.min(low, ends[0]);
      high = Math.max(high, ends[1]);
    });
    const { unit, whole, lines } = this.#panel;
    // Also of a share that is mostly small: 5 % are not much.
    const isShare = whole || (unit === "1" && (lines[0]?.series.metric ?? "") in CATALOG);
    if (isShare) return [0, Math.max(1, high)];
    if (low > high) return [0, 1];
    const limit = this.#scene ? limitValue(this.#panel, this.#scene) : null;
    const [bottom] = yRange(low, high, { unit, whole, limit });
    return [bottom === 0 ? 0 : low, Math.max(high, limit ?? high)];
  }

  #options(): PlotOptions {
    const rows = this.#panel.lines.length;
    const height = rows * rowHeight(rows);
    const every = Math.max(1, Math.ceil(14 / rowHeight(rows)));
    const step = [1, 2, 4, 8, 16, 32, 64].find((n) => n >= every) ?? 128;
    return {
      lines: [{ color: 0, stepped: true }],
      rows,
      height,
      xAxis: this.#axis,
      time: true,
      yRange: () => [0, rows],
      yTicks: () => Array.from({ length: Math.ceil(rows / step) }, (_, i) => i * step + 0.5),
      yText: (values) => values.map((value) => this.#rowLabel(Math.floor(value))),
      xText: axisTimes,
      under: (area) => this.#paint(area),
      over: (area) => {
        const scene = this.#scene;
        if (scene) paintOver(area, scene, this.#panel.lines, true);
      },
    };
  }

  #rowLabel(row: number): string {
    return rowName(this.#panel.lines, row);
  }

  #paint(area: PlotArea): void {
    const scene = this.#scene;
    if (!scene) return;
    const { lines } = this.#panel;
    this.#painter.paint(area, this.#grid, lines.length, this.#values, scene.theme);
  }
}

/** There is little room: with several hosts the end of a name tells them apart, not its start. */
function rowName(lines: readonly Line[], row: number): string {
  const line = lines[row];
  if (!line) return "";
  const name = entityLabel(line.series.entity, line.series.labels);
  const alone = lines.every(({ series }) => series.host === line.series.host);
  return alone
    ? name.slice(0, ROW_LETTERS)
    : line.label.replaceAll(" \u00b7 ", "\u00b7").slice(-ROW_LETTERS);
}
