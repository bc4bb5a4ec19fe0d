/** What every chart of the dashboard has in common: a heading, a plot, a text twin. */

import { h, setText } from "../dom";
import type { Fetch, Grid } from "../history/grid";
import type { Source } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import { Plot, type PlotEvents, type PlotOptions } from "./chart";
import type { Panel } from "./groups";
import type { Mark } from "./marks";
import type { Theme } from "./theme";

/** Everything a chart needs to know in order to draw. */
export interface Scene {
  readonly source: Source;
  readonly fetch: Fetch;
  readonly range: AxisRange;
  readonly hidden: ReadonlySet<string>;
  readonly theme: Theme;
  readonly marks: readonly Mark[];
  /** The newest moment there is: open stretches end here. */
  readonly now: number;
  /** Paused or zoomed: the newest values are then not those in view. */
  readonly still: boolean;
  /** Key of the line to be lifted above the others, which grow pale; null for none. */
  readonly lifted: string | null;
  /** Of the user's own metrics: weight of the past in the smoothed line, 0 for none, below 1. */
  readonly smooth: number;
  /** The user's own metrics stand on a logarithmic axis. */
  readonly log: boolean;
}

export interface ChartEvents extends PlotEvents {
  toggle(key: string, only: boolean, keys: readonly string[]): void;
  /** The same for charts over steps, which share a range and a cursor of their own. */
  readonly step: Pick<PlotEvents, "cursor" | "zoom" | "pan">;
}

/** A chart of the dashboard. */
export interface View {
  readonly el: HTMLElement;
  /** Drawn over steps instead of time. */
  readonly byStep: boolean;
  /** On screen; only then is it drawn. */
  seen: boolean;
  /** What it has drawn is older than the scene. */
  stale: boolean;
  draw(scene: Scene): void;
  /** Show the values at `x`, or the newest ones for null. */
  point(x: number | null, scene: Scene): void;
  /** Bring the text twin up to date; seldom called. */
  describe(scene: Scene): void;
  setTheme(theme: Theme): void;
  resize(): void;
  /** Show other lines in the same element; without it a view is made anew when its lines change. */
  take?(panel: Panel): void;
  destroy(): void;
}

/** How a chart stands on the page. */
export interface Place {
  /** Over the steps that the user logged instead of over time. */
  readonly byStep: boolean;
  /** It has the labels of the x axis below it; of charts above one another only the lowest has. */
  readonly axis: boolean;
}

/** A kind of chart, as `chart-kinds.ts` lists it. */
export interface ChartKind {
  readonly name: string;
  /** Whether it can draw a panel, and is what should. */
  fits(panel: Panel): boolean;
  make(panel: Panel, events: ChartEvents, place: Place): View;
}

/** The parts of a chart's element. */
export interface Shell {
  readonly el: HTMLElement;
  readonly value: HTMLElement;
  /** Which line the value is of, where a chart has one value for many. */
  readonly whose: HTMLElement;
  readonly host: HTMLElement;
  readonly tip: HTMLElement;
  readonly twin: HTMLTableElement;
}

export function shell(panel: Panel): Shell {
  const value = h("span", { class: "pulse-now" });
  const whose = h("span", { class: "pulse-whose" });
  const title = h("h4", { title: panel.help || panel.title }, panel.title);
  const host = h("div", { class: "pulse-plot", "aria-hidden": "true" });
  const tip = h("div", { class: "pulse-tip", hidden: true });
  const twin = h("table");
  host.append(tip);
  const el = h(
    "section",
    { class: "pulse-chart", role: "group", "aria-label": panel.title },
    h("header", {}, title, whose, value),
    host,
    hidden(twin),
  );
  el.dataset["panel"] = panel.key;
  return { el, value, whose, host, tip, twin };
}

/** For screen readers alone; a table by itself would not shrink to nothing. */
export function hidden(table: HTMLTableElement): HTMLElement {
  return h("div", { class: "pulse-sr" }, table);
}

/** Make the plot once its place has a width; uPlot cannot start without one. */
export function plotIn(
  host: HTMLElement,
  options: PlotOptions,
  events: PlotEvents,
  theme: Theme,
): Plot | null {
  const width = Math.floor(host.clientWidth);
  return width < 80 ? null : new Plot(host, width, options, events, theme);
}

/** Device pixels across a plot. */
export function pixelsOf(plot: Plot): number {
  return Math.max(40, Math.round(plot.span * (globalThis.devicePixelRatio || 1)));
}

/** Last, lowest and highest value of each line in view, as rows of text. */
interface TwinRow {
  readonly label: string;
  readonly last: string;
  readonly min: string;
  readonly max: string;
}

export function writeTwin(
  table: HTMLTableElement,
  caption: string,
  rows: readonly TwinRow[],
): void {
  const head = h("tr", {}, ...["series", "last", "lowest", "highest"].map(header));
  const body = rows.map((row) =>
    h(
      "tr",
      {},
      header(row.label),
      ...[row.last, row.min, row.max].map((text) => h("td", {}, text)),
    ),
  );
  table.replaceChildren(h("caption", {}, caption), h("thead", {}, head), h("tbody", {}, ...body));
}

function header(text: string): HTMLElement {
  return h("th", { scope: "col" }, text);
}

export function twinRows(
  panel: Panel,
  grid: Grid,
  source: Source,
  text: (value: number | null) => string,
): TwinRow[] {
  return panel.lines.map((line, i) => {
    const [min, max] = grid.extremes(i) ?? [null, null];
    const last = source.last(line.id)?.value ?? null;
    return { label: line.label, last: text(last), min: text(min), max: text(max) };
  });
}

/** Show the labels of the marks under the pointer beside it. */
export function showTip(tip: HTMLElement, left: number, lines: readonly string[]): void {
  tip.hidden = lines.length === 0;
  if (tip.hidden) return;
  setText(tip, lines.join("\n"));
  const width = (tip.parentElement?.clientWidth ?? 0) - 12;
  tip.style.maxWidth = `${Math.max(120, width * 0.6)}px`;
  const right = left > width / 2;
  tip.style.left = right ? "auto" : `${left + 10}px`;
  tip.style.right = right ? `${width + 12 - left + 10}px` : "auto";
}

/** The limit the lines share; null when there is none or they have different ones. */
export function limitValue(panel: Panel, scene: Scene): number | null {
  const values = new Set<number>();
  for (const id of panel.limits) {
    const value = scene.source.last(id)?.value;
    if (value !== undefined && Number.isFinite(value)) values.add(value);
  }
  return values.size === 1 ? ([...values][0] as number) : null;
}
