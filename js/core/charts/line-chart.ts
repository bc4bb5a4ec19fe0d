/** A chart of up to eight lines: their bands, their values in the title, the names of the lines. */

import { h, setAttribute, setText } from "../dom";
import { byStep, Grid, type Reading, type ValueAt } from "../history/grid";
import { smoothed } from "../history/smoothed";
import { formatValue } from "../vocabulary/format";
import { kindStoredAs } from "../vocabulary/kinds";
import { lineColor, textColor } from "../vocabulary/palette";
import { axisTimes, momentText } from "../vocabulary/time-text";
import { type YAxis, yAxis } from "../vocabulary/y-axis";
import { yRange } from "../vocabulary/y-range";
import { type Alarm, Alarms, isAlarm } from "./alarm";
import { notesAt, paintOver, paintUnder } from "./bands";
import { bestText } from "./best";
import { GUTTER, type Plot, type PlotArea, type PlotOptions } from "./chart";
import type { Line, Panel } from "./groups";
import { inksOf, PALE } from "./inks";
import { fitsBeside, fitsTitle, Legend } from "./legend";
import { fitsLog, logAxisOf, logNote, unplaced } from "./log-scale";
import { BEYOND, isBeyond, readingAt, twinOf } from "./moment";
import { oddText, paintOdd } from "./odd";
import { paintAlarms, paintLimit } from "./over-lines";
import { USER_GROUP } from "./panel-table";
import {
  type ChartEvents,
  type ChartKind,
  emptyText,
  isOfGpus,
  limitValue,
  type Place,
  pixelsOf,
  plotIn,
  reserve,
  type Scene,
  type Shell,
  shell,
  type View,
  writeTwin,
} from "./panel-view";
import { placeText, tickText, valueTick } from "./place-text";
import { readingText, single, spanText, tipText } from "./reading-text";
import type { Theme } from "./theme";
import type { TipLine } from "./tip";
import { clipped, type Ink, paintBand, paintLine, paintSpikes } from "./trace";

export const LINES: ChartKind = {
  name: "lines",
  fits: () => true,
  make: (panel, events, place) => new LineChart(panel, events, place),
};

/** CSS pixels of the plotting area. */
const HEIGHT = 74;
/** The tooltip beyond the last reading. */
const NO_READING = { lines: [], notes: [BEYOND] };
/** Runs of steps before the newest one that are drawn behind it. */
const MOST_OLDER = 3;

export class LineChart implements View {
  readonly el: HTMLElement;
  readonly byStep: boolean;
  seen = false;
  stale = true;
  readonly #panel: Panel;
  readonly #place: Place;
  readonly #shell: Shell;
  readonly #legend: Legend | null;
  readonly #grid = new Grid();
  /** One for each run of steps before the newest. */
  readonly #older: Grid[] = [];
  readonly #smooth: Float64Array[] = [];
  readonly #alarms = new Alarms();
  readonly #events: ChartEvents;
  #plot: Plot | null = null;
  #scene: Scene | null = null;
  #limit: number | null = null;
  #axis: YAxis = { range: [0, 1], ticks: [] };
  #log = false;
  /** Why nothing is drawn; empty where something is. */
  #empty = "";
  #inks: readonly Ink[] = [];
  #alarmOf: readonly (Alarm | null)[] = [];
  /** The pointer is on this chart, so many pixels from the top of the plot; null: elsewhere. */
  #pointer: number | null = null;

  constructor(panel: Panel, events: ChartEvents, place: Place) {
    this.#panel = panel;
    this.#place = place;
    this.byStep = place.byStep;
    const own = place.byStep ? { ...events, ...events.step } : events;
    this.#events = {
      ...own,
      cursor: (x, top) => {
        this.#pointer = x === null ? null : top;
        own.cursor(x, top);
        this.#tip(x);
      },
    };
    this.#shell = shell(panel);
    this.el = this.#shell.el;
    reserve(this.#shell.host, { height: HEIGHT, xAxis: place.axis });
    const keys = panel.lines.map((line) => line.key);
    const toggle = (key: string, only: boolean) => events.toggle(key, only, keys);
    this.#legend = panel.lines.length > 1 ? new Legend(panel.lines, toggle) : null;
    this.#placeLegend();
  }

  draw(scene: Scene): void {
    this.#scene = scene;
    if (!this.#plotted(scene)) return;
    const { lines } = this.#panel;
    this.#fill(scene, pixelsOf(this.#plot as Plot));
    this.#fitAxis(scene);
    const plot = this.#plotted(scene);
    // An axis without anything beside it would say what there is none of.
    this.#limit = this.#empty ? null : limitValue(this.#panel, scene);
    this.#axis = this.#empty ? { range: [0, 1], ticks: [] } : this.#axisNow();
    this.#inks = inksOf(lines, scene, this.#stepped);
    this.#alarmOf = this.#alarms.of(lines, scene.source);
    plot?.draw(this.#grid.xs, this.#grid.ys, scene.range);
    this.#legend?.setHidden(scene.hidden, scene.theme.ground);
    this.stale = false;
  }

  point(x: number | null, scene: Scene): void {
    this.#plot?.setCursor(x);
    const { lines } = this.#panel;
    const shown = lines.flatMap((line, i) =>
      scene.hidden.has(line.key) ? [] : [this.#valueOf(line, i, x, scene)],
    );
    // Beside names a title has room for one value a line; the tooltip has the ranges.
    if (this.#isNamed) this.#writeEach(shown.map((one) => one && single(one)));
    else setText(this.#shell.value, together(shown, this.#panel.unit));
    this.#writeWhose(scene);
    if (this.#isOwn) this.#writeBest(scene);
    if (x === null) this.#pointer = null;
    this.#tip(x);
  }

  describe(scene: Scene): void {
    const { title } = this.#panel;
    const twin = twinOf(this.#panel, this.#grid, scene, this.byStep);
    writeTwin(this.#shell.twin, twin);
    const [, last, min, max] = twin.rows[0] ?? [];
    const one = twin.rows.length === 1;
    const summary = one ? `${last}, from ${min} to ${max}` : `${twin.rows.length} series`;
    setAttribute(this.el, "aria-label", `${title}: ${summary}`);
  }

  setTheme(theme: Theme): void {
    this.#plot?.setTheme(theme);
  }

  resize(): void {
    const width = Math.floor(this.#shell.host.clientWidth);
    if (width < 80) return;
    this.#plot?.setWidth(width);
    this.#placeLegend();
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#shell.tip.destroy();
    this.el.remove();
  }

  /** Names stand in the title row where they fit, otherwise below the plot. */
  #placeLegend(): void {
    const { title, host, note, best } = this.#shell;
    const names = this.#panel.lines.map(({ label }) => label);
    const fits =
      fitsBeside(host.clientWidth, this.#panel.title, names) &&
      !note.textContent &&
      !best.textContent;
    const place = this.#isNamed && fits ? title : host;
    if (this.#legend && place.nextSibling !== this.#legend.el) place.after(this.#legend.el);
  }

  /** A state holds until the next reading, which is a matter of time. */
  get #stepped(): boolean {
    return kindStoredAs(this.#panel.kind).drawnAs === "step" && !this.byStep;
  }

  /** The names of the lines stand in the title row, with a value each. */
  get #isNamed(): boolean {
    return !isOfGpus(this.#panel) && fitsTitle(this.#panel.lines);
  }

  /** The user's own metrics are smoothed and stand on a logarithmic axis where that is wanted. */
  get #isOwn(): boolean {
    return this.#panel.group === USER_GROUP;
  }

  #plotted(scene: Scene): Plot | null {
    this.#plot ??= plotIn(this.#shell.host, this.#options(), this.#events, scene.theme);
    // A chart that was out of sight has not been given a new theme.
    this.#plot?.setTheme(scene.theme);
    return this.#plot;
  }

  /** Logarithmic where that is wanted and most values have a place on such an axis. */
  #fitAxis(scene: Scene): void {
    const wanted = scene.log && this.#isOwn;
    const found = wanted ? unplaced(this.#grid, this.#panel.lines.length) : null;
    const any = this.#grid.reach() !== null || this.#older.some((one) => one.reach() !== null);
    this.#empty = emptyText(this.#panel, scene, any);
    setText(this.#shell.note, this.#empty || (found ? logNote(found) : ""));
    setAttribute(this.#shell.note, "title", this.#shell.note.textContent || null);
    this.#placeLegend();
    const log = found !== null && fitsLog(found);
    if (log === this.#log) return;
    this.#log = log;
    this.#plot?.destroy();
    this.#plot = null;
  }

  #fill(scene: Scene, pixels: number): void {
    const { lines } = this.#panel;
    const ids = lines.map((line) => (scene.hidden.has(line.key) ? null : line.id));
    const valueAt: ValueAt = (id, x) => scene.source.at?.(id, x)?.value ?? Number.NaN;
    this.#grid.fill(scene.fetch, ids, scene.range, pixels, this.#stepped, valueAt);
    const weight = this.#isOwn ? scene.smooth : 0;
    this.#smooth.length = 0;
    if (weight > 0) {
      for (const ys of this.#grid.ys) this.#smooth.push(smoothed(ys, weight));
    }
    this.#fillOlder(scene, pixels);
  }

  /** Earlier runs of the same steps: each line has as many as its own steps began anew. */
  #fillOlder(scene: Scene, pixels: number): void {
    const { lines } = this.#panel;
    const runs = lines.map(({ id }) => (this.byStep ? (scene.source.stepRuns?.(id) ?? 1) : 1));
    const older = Math.min(MOST_OLDER, Math.max(...runs) - 1);
    this.#older.length = Math.max(older, 0);
    for (let back = 1; back <= older; back++) {
      this.#older[back - 1] ??= new Grid();
      const fetch: Scene["fetch"] = (id, from, to, points, out) => {
        const run = (scene.source.stepRuns?.(id) ?? 1) - 1 - back;
        byStep(scene.source, run)(id, from, to, points, out);
      };
      const ids = lines.map(({ id, key }, i) =>
        scene.hidden.has(key) || (runs[i] as number) <= back ? null : id,
      );
      this.#older[back - 1]?.fill(fetch, ids, scene.range, pixels, false);
    }
  }

  #axisNow(): YAxis {
    const { unit, whole } = this.#panel;
    let [low, high] = this.#grid.reach() ?? [null, null];
    for (const grid of this.#older) {
      const [from, to] = grid.reach() ?? [low, high];
      if (from !== null && (low === null || from < low)) low = from;
      if (to !== null && (high === null || to > high)) high = to;
    }
    if (this.#log) return logAxisOf(this.#grid, this.#panel.lines.length, high, HEIGHT);
    if (whole && !((high ?? 0) > 1)) return yAxis([0, 1], unit, HEIGHT);
    const limit = this.#limit;
    const range = yRange(low, high, { unit, whole, limit });
    // The axis ends at a tick, mostly beyond this: of the room above the data a little will do.
    const top = high === null ? range[1] : high + (range[1] - high) * 0.1;
    const isTop = limit !== null && range[0] === 0 && (high ?? 0) <= limit;
    return isTop ? yAxis([0, limit], unit, HEIGHT, limit) : yAxis([range[0], top], unit, HEIGHT);
  }

  #options(): PlotOptions {
    const { lines, unit } = this.#panel;
    const stepped = this.#stepped;
    return {
      lines: lines.map((line) => ({ color: line.color, stepped })),
      height: HEIGHT,
      xAxis: this.#place.axis,
      time: !this.byStep,
      log: this.#log,
      yRange: () => this.#axis.range,
      yTicks: () => this.#axis.ticks,
      yText: (values) => values.map((value) => valueTick(value, unit)),
      xText: this.byStep ? (places) => places.map(tickText) : axisTimes,
      under: (area) => this.#under(area),
      over: (area) => this.#over(area),
    };
  }

  #under(area: PlotArea): void {
    const scene = this.#scene;
    if (!scene) return;
    if (!this.byStep) paintUnder(area, scene, this.#panel.lines);
    clipped(area, () => this.#paint(area, scene));
  }

  #paint(area: PlotArea, scene: Scene): void {
    const grid = this.#grid;
    for (const older of this.#older) {
      for (const [i, ink] of this.#inks.entries()) {
        paintLine(area, older.xs, older.ys[i] as Float64Array, { ...ink, line: ink.line * PALE });
      }
    }
    for (const [i, ink] of this.#inks.entries()) paintBand(area, grid, i, ink);
    // The one that is lifted lies above the others.
    const order = [...this.#inks.entries()].sort(([, a], [, b]) => a.width - b.width);
    for (const [i, ink] of order) {
      const smooth = this.#smooth[i];
      const raw = smooth ? { ...ink, line: ink.line * PALE } : ink;
      paintLine(area, grid.xs, grid.ys[i] as Float64Array, raw);
      paintSpikes(area, grid, i, raw);
      if (smooth) paintLine(area, grid.xs, smooth, ink);
      const { id, key } = this.#panel.lines[i] as Line;
      const odd = scene.hidden.has(key) ? [] : (scene.source.odd?.(id) ?? []);
      paintOdd(area, odd, this.byStep, ink);
    }
  }

  #over(area: PlotArea): void {
    const scene = this.#scene;
    if (!scene) return;
    if (this.#limit !== null) paintLimit(area, this.#limit, scene.theme);
    if (this.byStep) return;
    paintAlarms(area, this.#grid, this.#alarmOf, scene.theme);
    paintOver(area, scene, this.#panel.lines);
  }

  #valueOf(line: Line, i: number, x: number | null, scene: Scene): Reading | null {
    return readingAt(this.#grid, line, i, x, scene, this.byStep);
  }

  #writeEach(shown: readonly (Reading | null)[]): void {
    const texts = shown.map((one) => readingText(one, this.#panel.unit));
    if (this.#shell.value.textContent === texts.join("\u00b7")) return;
    const parts = texts.flatMap((text, i) => (i > 0 ? [h("i", {}, "\u00b7"), text] : [text]));
    this.#shell.value.replaceChildren(...parts);
  }

  /** A lone line of one of several things of its kind is called by its name, in its colour. */
  #writeWhose(scene: Scene): void {
    const [line, ...others] = this.#panel.lines;
    if (!line?.named || others.length > 0) return;
    setText(this.#shell.whose, line.label);
    const color = textColor(line.color, scene.theme.ground);
    if (this.#shell.whose.style.getPropertyValue("--line") !== color) {
      this.#shell.whose.style.setProperty("--line", color);
    }
  }

  /** Beside several values there is no room for it: it stands beside their names. */
  #writeBest(scene: Scene): void {
    const text = bestText(this.#panel, scene);
    const { best } = this.#shell;
    if (text === best.title) return;
    setText(best, text);
    best.title = text;
    if (text) this.#legend?.el.append(best);
    this.#placeLegend();
  }

  #tip(x: number | null): void {
    const scene = this.#scene;
    const plot = this.#plot;
    if (!scene || !plot || x === null || this.#pointer === null) {
      this.#shell.tip.hide();
      return;
    }
    const wide = scene.range[1] - scene.range[0];
    const pixel = wide / Math.max(plot.span, 1);
    const head = this.byStep ? placeText(x, wide, scene.along) : momentText(x, wide);
    const beyond = isBeyond(x, scene, this.byStep);
    const { lines, notes } = beyond ? NO_READING : this.#tipLines(x, pixel, scene);
    const marks = this.byStep ? [] : notesAt(scene, this.#panel.lines, x, pixel);
    const content = { head, lines, notes: [...notes, ...marks] };
    this.#shell.tip.show((x - scene.range[0]) / pixel + GUTTER, this.#pointer, content);
  }

  #tipLines(x: number, pixel: number, scene: Scene): { lines: TipLine[]; notes: string[] } {
    const lines: TipLine[] = [];
    const notes: string[] = [];
    for (const [i, line] of this.#panel.lines.entries()) {
      if (scene.hidden.has(line.key)) continue;
      const value = this.#valueOf(line, i, x, scene);
      const since = value?.min === null ? value.time : null;
      const odd = oddText(scene.source.odd?.(line.id) ?? [], x, pixel, this.byStep, since);
      const text = tipText(value, this.#panel.unit, odd);
      const color = lineColor(line.color, scene.theme.ground);
      lines.push({ name: line.label, text, color, value: value?.max ?? Number.NaN });
      const alarm = this.#alarmOf[i];
      if (alarm && isAlarm(alarm, value?.max ?? Number.NaN)) {
        notes.push(`\u25b2 ${line.label}: ${alarm.words}`);
      }
    }
    return { lines, notes };
  }
}

/** The values of all lines as one: from the smallest to the largest. */
function together(values: readonly (Reading | null)[], unit: string): string {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const one of values) {
    if (one?.min == null || one.max === null) continue;
    low = Math.min(low, one.min);
    high = Math.max(high, one.max);
  }
  return low > high ? formatValue(null, unit) : spanText(low, high, unit);
}
