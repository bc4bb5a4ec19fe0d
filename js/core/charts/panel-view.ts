/** What every chart of the dashboard has in common: a heading, a plot, a text twin. */

import { h } from "../dom";
import type { Fetch } from "../history/grid";
import { isOver, type Source } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import { outerHeight, Plot, type PlotEvents, type PlotOptions } from "./chart";
import type { Panel } from "./groups";
import type { Mark } from "./marks";
import type { Theme } from "./theme";
import { Tip } from "./tip";

/** Everything a chart needs to know in order to draw. */
export interface Scene {
  readonly source: Source;
  readonly fetch: Fetch;
  readonly range: AxisRange;
  readonly hidden: ReadonlySet<string>;
  readonly theme: Theme;
  readonly marks: readonly Mark[];
  /** The stretch of the cell that is pointed at on the timeline; null for none. */
  readonly band?: AxisRange | null;
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
  /** The metric that stands in the place of steps; absent where steps themselves do. */
  readonly along?: string | undefined;
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
  readonly header: HTMLElement;
  readonly title: HTMLElement;
  readonly value: HTMLElement;
  /** Which line the value is of, where that is not clear. */
  readonly whose: HTMLElement;
  /** The best value so far, of the user's own. */
  readonly best: HTMLElement;
  /** What the picture leaves out. */
  readonly note: HTMLElement;
  readonly host: HTMLElement;
  readonly tip: Tip;
  readonly twin: HTMLTableElement;
}

export function shell(panel: Panel): Shell {
  const value = h("span", { class: "pulse-now" });
  const whose = h("span", { class: "pulse-whose" });
  const title = h("h4", { title: panel.help || panel.title }, panel.title);
  const note = h("span", { class: "pulse-unshown" });
  const host = h("div", { class: "pulse-plot", "aria-hidden": "true" });
  const best = h("span", { class: "pulse-unshown pulse-best" });
  const header = h("header", {}, title, note, best, whose, value);
  const twin = h("table");
  const el = h(
    "section",
    { class: "pulse-chart", role: "group", "aria-label": panel.title },
    header,
    host,
    hidden(twin),
  );
  el.dataset["panel"] = panel.key;
  if (isOfGpus(panel)) el.dataset["gpus"] = "";
  return { el, header, title, value, whose, best, note, host, tip: new Tip(host), twin };
}

/** Each line is one of several GPUs: their cards are the legend of such charts. */
export function isOfGpus({ entityClass, lines }: Panel): boolean {
  return entityClass === "gpu" && lines.every(({ named }) => named);
}

/** For screen readers alone; a table by itself would not shrink to nothing. */
export function hidden(table: HTMLTableElement): HTMLElement {
  return h("div", { class: "pulse-sr" }, table);
}

/** Keep the room of a plot before it is drawn: nothing moves when it is. */
export function reserve(host: HTMLElement, plot: Pick<PlotOptions, "height" | "xAxis">): void {
  host.style.minHeight = `${outerHeight(plot)}px`;
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

/** A text twin: a header for each column, and rows of a name and what stands beside it. */
export interface Twin {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly [name: string, ...cells: string[]])[];
}

export function writeTwin(table: HTMLTableElement, { caption, head, rows }: Twin): void {
  const top = h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)));
  const body = rows.map(([name, ...cells]) =>
    h("tr", {}, h("th", { scope: "row" }, name), ...cells.map((text) => h("td", {}, text))),
  );
  table.replaceChildren(h("caption", {}, caption), h("thead", {}, top), h("tbody", {}, ...body));
}

/**
 * Why a chart is empty, where nothing is to come: a finished recording has nothing in view, or
 * nothing at all. Empty while there is something, or may be soon.
 */
export function emptyText({ lines }: Panel, { source, hidden: out }: Scene, any: boolean): string {
  const shown = lines.filter(({ key }) => !out.has(key));
  if (any || shown.length === 0 || !isOver(source)) return "";
  const known = shown.some(({ id }) => Number.isFinite(source.last(id)?.value));
  return known ? "no readings in view" : "no readings";
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
