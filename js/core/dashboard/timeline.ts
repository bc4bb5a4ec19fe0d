/** The lane over all charts: cells and spans as boxes, marks and events as lines with labels. */

import { GUTTER, type Plot, type PlotArea, type PlotOptions } from "../charts/chart";
import {
  CLOSE,
  countsOnly,
  labelSpots,
  labelsAt,
  type Mark,
  marksWithin,
  mergedMoments,
  momentColor,
  paintMoments,
} from "../charts/marks";
import {
  type ChartEvents,
  hidden,
  plotIn,
  type Scene,
  type View,
  writeTwin,
} from "../charts/panel-view";
import type { Theme } from "../charts/theme";
import { Tip } from "../charts/tip";
import { h } from "../dom";
import { CATALOG, KINDS } from "../vocabulary/catalog.gen";
import { compareNames } from "../vocabulary/entities";
import { axisTimes, momentText } from "../vocabulary/time-text";

const ROW = 16;
/** The row of all moments. */
const MOMENTS = "marks";
/** The row of spans that the catalog does not know. */
const OTHER_SPANS = "spans";
/** The kinds of rows, in order: one for each metric of spans, and the moments. */
const ROWS: readonly string[] = [
  ...Object.keys(CATALOG).flatMap((metric) => spanRow(metric) ?? []),
  MOMENTS,
];
/** Letters that fit beside a row. */
const ROW_LETTERS = 9;
/** Pixels a label needs at least. */
const LEAST_LABEL = 24;
/** Opacity of the box of a cell that failed. */
const FAILED = 0.14;

/** One row of the timeline. */
interface Row {
  readonly key: string;
  /** Stands beside it. */
  readonly name: string;
  /** The name is that of the host of its spans. */
  readonly ofHost: boolean;
}

export class Timeline implements View {
  readonly el: HTMLElement;
  readonly byStep = false;
  seen = false;
  stale = true;
  readonly #host = h("div", { class: "pulse-plot", "aria-hidden": "true" });
  readonly #tip = new Tip(this.#host);
  readonly #twin = h("table");
  readonly #events: ChartEvents;
  #plot: Plot | null = null;
  #rows: readonly Row[] = [];
  #scene: Scene | null = null;

  constructor(events: ChartEvents) {
    this.#events = {
      ...events,
      cursor: (x, top) => {
        events.cursor(x, top);
        this.#point(x, top);
      },
    };
    this.el = h(
      "section",
      {
        class: "pulse-timeline",
        role: "group",
        "aria-label": "Timeline of cells and marks",
        hidden: true,
      },
      this.#host,
      hidden(this.#twin),
    );
  }

  draw(scene: Scene): void {
    this.#scene = scene;
    const rows = rowsOf(scene.marks);
    if (JSON.stringify(rows) !== JSON.stringify(this.#rows)) {
      this.#plot?.destroy();
      this.#plot = null;
      this.#rows = rows;
    }
    this.#plot ??= plotIn(this.#host, this.#options(), this.#events, scene.theme);
    this.#plot?.draw([...scene.range], [[0, 0]], scene.range);
    this.stale = false;
  }

  point(x: number | null): void {
    this.#plot?.setCursor(x);
    if (x === null) this.#tip.hide();
  }

  describe(scene: Scene): void {
    const end = ({ end, open }: Mark) =>
      (end === null ? "" : momentText(end, 3600)) || (open ? "running" : "");
    const rows = marksWithin(scene.marks, scene.range).map(
      (mark) => [mark.label, mark.metric, momentText(mark.start, 3600), end(mark)] as const,
    );
    const head = ["name", "kind", "start", "end"];
    writeTwin(this.#twin, { caption: "Cells, spans, marks and events in view", head, rows });
  }

  setTheme(theme: Theme): void {
    this.#plot?.setTheme(theme);
  }

  resize(): void {
    const width = Math.floor(this.#host.clientWidth);
    if (width >= 80) this.#plot?.setWidth(width);
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#tip.destroy();
    this.el.remove();
  }

  #point(x: number | null, top: number): void {
    const scene = this.#scene;
    if (x === null || !scene || !this.#plot) return;
    const second = (scene.range[1] - scene.range[0]) / Math.max(this.#plot.span, 1);
    const notes = labelsAt(scene.marks, x, second * 5, scene.now);
    const width = scene.range[1] - scene.range[0];
    const left = (x - scene.range[0]) / second + GUTTER;
    this.#tip.show(left, top, { head: momentText(x, width), lines: [], notes });
  }

  #options(): PlotOptions {
    const rows = this.#rows;
    return {
      lines: [{ color: 0, stepped: true }],
      rows: rows.length,
      height: rows.length * ROW,
      // It is as wide as all charts together: their times stand elsewhere in it.
      xAxis: rows.length > 0,
      lane: true,
      time: true,
      yRange: () => [0, rows.length],
      yTicks: () => rows.map((_, row) => row + 0.5),
      yText: () => rows.map(({ name }) => name),
      xText: axisTimes,
      under: (area) => this.#paint(area),
      over: (area) => {
        const scene = this.#scene;
        if (!scene) return;
        const row = momentsRow(area, rows);
        paintMoments(row, scene.marks, scene.theme, false);
        paintLabels(row, scene);
      },
    };
  }

  #paint(area: PlotArea): void {
    const scene = this.#scene;
    if (!scene) return;
    const { context, left, top, width, height } = area;
    context.save();
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    for (const mark of marksWithin(scene.marks, scene.range)) {
      if (mark.drawnAs === "span") box(area, mark, scene, this.#rows);
    }
    context.restore();
  }
}

function spanRow(metric: string): string | undefined {
  const kind = Object.hasOwn(CATALOG, metric) ? CATALOG[metric]?.kind : undefined;
  return kind && KINDS[kind].drawnAs === "span" ? `${metric}s` : undefined;
}

/** What kind of row a mark is in. */
function kindOfRow({ drawnAs, metric }: Mark): string {
  return drawnAs === "moment" ? MOMENTS : (spanRow(metric) ?? OTHER_SPANS);
}

/** The key of the row a mark is in: spans of two hosts at one time must not hide each other. */
function rowKey(mark: Mark): string {
  return mark.drawnAs === "moment" ? MOMENTS : JSON.stringify([kindOfRow(mark), mark.host]);
}

/**
 * The rows there is anything for: moments share one, spans have one for each host. Where several
 * hosts have spans each row has the name of its host beside it. Pure.
 */
export function rowsOf(marks: readonly Mark[]): Row[] {
  const first = new Map(marks.map((mark) => [rowKey(mark), mark] as const));
  const spans = marks.filter(({ drawnAs }) => drawnAs === "span");
  const several = new Set(spans.map(({ host }) => host)).size > 1;
  const place = (mark: Mark) => ROWS.indexOf(kindOfRow(mark));
  return [...first]
    .sort(([, a], [, b]) => place(a) - place(b) || compareNames(a.host, b.host))
    .map(([key, mark]) => {
      const ofHost = several && mark.drawnAs === "span";
      return { key, name: ofHost ? shortName(mark.machine) : kindOfRow(mark), ofHost };
    });
}

function write(context: CanvasRenderingContext2D, theme: Theme, ratio: number): void {
  context.font = theme.font.replace("11px", `${10.5 * ratio}px`);
  context.textBaseline = "middle";
  context.textAlign = "left";
}

/** Where moments stand: no line of theirs goes through the name of a cell. */
export function momentsRow(area: PlotArea, rows: readonly Row[]): PlotArea {
  const height = area.height / rows.length;
  return { ...area, top: area.top + placeOf(MOMENTS, rows) * height, height };
}

/** The labels of marks and events, each beside its line. */
function paintLabels(area: PlotArea, { marks, theme }: Scene): void {
  const { context, left, top, width, height, ratio } = area;
  const row = { left, right: left + width, gap: 4 * ratio, least: LEAST_LABEL * ratio };
  const y = top + height / 2 + ratio * 0.5;
  context.save();
  write(context, theme, ratio);
  const wide = (text: string) => context.measureText(text).width;
  const merged = mergedMoments(marks, area.x, CLOSE * ratio, left);
  const spots = labelSpots(countsOnly(merged, row.gap, area.x, wide), row, area.x, wide);
  for (const { mark, from, room } of spots) {
    context.fillStyle = momentColor(mark, theme);
    context.fillText(clipped(context, mark.label, room), from, y);
  }
  context.restore();
}

/** A machine's own name without its domain; of a long one the end, where most differ. */
function shortName(machine: string): string {
  const [name = machine] = machine.split(".", 1);
  return name.length > ROW_LETTERS ? `\u2026${name.slice(1 - ROW_LETTERS)}` : name;
}

function placeOf(wanted: string, rows: readonly Row[]): number {
  return rows.findIndex(({ key }) => key === wanted);
}

function box(area: PlotArea, mark: Mark, scene: Scene, rows: readonly Row[]): void {
  const { context, left, width, height, ratio } = area;
  const row = placeOf(rowKey(mark), rows);
  const from = Math.max(area.x(mark.start), left - 8);
  const to = Math.min(area.x(mark.end ?? scene.now), left + width + 8);
  const tall = height / rows.length;
  const y = area.top + row * tall + 2 * ratio;
  const wide = Math.max(to - from - ratio, ratio);
  context.beginPath();
  context.roundRect(from, y, wide, tall - 4 * ratio, 3 * ratio);
  context.fillStyle = mark.failed ? scene.theme.warn : scene.theme.chip;
  context.globalAlpha = mark.failed ? FAILED : 1;
  context.fill();
  context.globalAlpha = 1;
  if (mark.failed) context.fillRect(from, y, 3 * ratio, tall - 4 * ratio);
  const seen = Math.max(from, left);
  const room = Math.min(to, left + width) - seen - 8 * ratio;
  if (room < LEAST_LABEL * ratio) return;
  context.fillStyle = mark.failed ? scene.theme.warn : scene.theme.text;
  write(context, scene.theme, ratio);
  const text = clipped(context, rows[row]?.ofHost ? mark.text : mark.label, room);
  context.fillText(text, seen + 6 * ratio, y + (tall - 4 * ratio) / 2 + ratio * 0.5);
}

function clipped(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let length = Math.floor((text.length * room) / context.measureText(text).width);
  while (length > 0 && context.measureText(`${text.slice(0, length)}\u2026`).width > room) length--;
  return length > 1 ? `${text.slice(0, length)}\u2026` : "";
}
