/** The only file that knows uPlot: axes, lines, cursor, drag to zoom, drag to pan. */

import uPlot from "uplot";
import uplotStyle from "uplot/dist/uPlot.min.css";
import { nearestPlace } from "../history/grid";
import { type AxisRange, selected } from "../vocabulary/axis-range";
import { lineColor } from "../vocabulary/palette";
import { clearLabels } from "./axis-labels";
import { CHART_STYLE } from "./chart-style";
import type { Theme } from "./theme";

export const PLOT_STYLE: string = `${uplotStyle}${CHART_STYLE}`;

/** Pixels of the value axis; the same on every chart, so that plots stand in columns. */
export const GUTTER = 64;
const RIGHT = 10;
/** Pixels of the time axis, and of the room above a plot for half a label. */
export const AXIS_HEIGHT = 15;
/** The same of a lane: no half of a label stands out of it, and its times are few. */
const LANE_AXIS = 13;
const LANE_HEADROOM = 2;
export const HEADROOM = 7;
/** Dragging fewer pixels than this is a click. */
const CLICK = 4;

const ONE_TWO_FIVE = [1, 2, 5];
/** Steps of axes that count: whole numbers. */
const WHOLE_STEPS = Array.from({ length: 13 }, (_, i) => 10 ** i).flatMap((size) =>
  ONE_TWO_FIVE.map((factor) => factor * size),
);
const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];
/** Steps of time axes, in seconds; from 30 days up they stand for months and years. */
const TIME_STEPS = [
  ...[0.001, 0.01, 0.1, 1].flatMap((size) => ONE_TWO_FIVE.map((factor) => factor * size)),
  ...[10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 5, 10, 30, 60, 90, 180, 365, 730].map((days) => days * DAY),
];

/** Pixels that a time label needs, at so many seconds a pixel: fine labels are long ones. */
function timeRoom(seconds: number): number {
  if (seconds * 88 < 1) return 88;
  return seconds * 66 < MINUTE ? 66 : 40;
}

/** uPlot keeps the cursor and the axes; `under` and `over` paint all there is between them. */
const UNPAINTED: uPlot.Series = { paths: () => null, points: { show: false }, auto: false };

interface PlotLine {
  readonly color: number;
  readonly stepped: boolean;
}

/** The plotting area and its scales, for painting under or over the lines. */
export interface PlotArea {
  readonly context: CanvasRenderingContext2D;
  /** The plotting area in canvas pixels. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Canvas pixels per CSS pixel. */
  readonly ratio: number;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

export interface PlotOptions {
  readonly lines: readonly PlotLine[];
  /** Of the plotting area alone. */
  readonly height: number;
  /** False leaves out the x axis and its labels. */
  readonly xAxis: boolean;
  /** Rows counted from the top, painted by `under`; there are no lines then. */
  readonly rows?: number;
  /** A lane has less room around it than a chart. */
  readonly lane?: boolean;
  /** What the value axis shows now. */
  readonly yRange: () => AxisRange;
  readonly yTicks: () => readonly number[];
  /** Values stand on a logarithmic axis. */
  readonly log?: boolean;
  readonly yText: (values: readonly number[]) => string[];
  readonly xText: (values: readonly number[], step: number) => string[];
  /** Time axes have ticks at whole minutes and hours, others at round numbers. */
  readonly time: boolean;
  /** The plot was clicked, not dragged. */
  readonly click?: (x: number, top: number) => void;
  readonly under?: (area: PlotArea) => void;
  readonly over?: (area: PlotArea) => void;
}

export interface PlotEvents {
  /** The pointer is at x (null: it left), `top` CSS pixels from the top of the plot. */
  cursor(x: number | null, top: number): void;
  zoom(range: AxisRange): void;
  reset(): void;
  /** Dragged by this much in units of x since the last call. */
  pan(by: number): void;
}

export class Plot {
  readonly #plot: uPlot;
  readonly #options: PlotOptions;
  readonly #events: PlotEvents;
  #theme: Theme;
  /** The pointer is here; otherwise a moved cursor only mirrors another chart's. */
  #pointing = false;

  constructor(
    host: HTMLElement,
    width: number,
    options: PlotOptions,
    events: PlotEvents,
    theme: Theme,
  ) {
    this.#options = options;
    this.#events = events;
    this.#theme = theme;
    const data = [[0, 1], ...options.lines.map(() => [undefined, undefined])];
    this.#plot = new uPlot(this.#configuration(width), data as uPlot.AlignedData, host);
    const { over } = this.#plot;
    over.addEventListener("pointermove", (event) => this.#pointed(event));
    over.addEventListener("pointerleave", (event) => this.#left(event));
    if (options.click) this.#hearClicks(over, options.click);
  }

  /** Draw new values over `range`; `xs` and `ys` are kept, not copied. */
  draw(xs: ArrayLike<number>, ys: readonly ArrayLike<number>[], range: AxisRange): void {
    const plot = this.#plot;
    plot.batch(() => {
      plot.setData([xs, ...ys] as unknown as uPlot.AlignedData, false);
      plot.setScale("x", { min: range[0], max: range[1] });
    });
  }

  setTheme(theme: Theme): void {
    if (theme === this.#theme) return;
    this.#theme = theme;
    this.#plot.redraw(false, true);
  }

  setWidth(width: number): void {
    if (width !== this.#plot.width)
      this.#plot.setSize({ width, height: outerHeight(this.#options) });
  }

  /** Put the cursor at `x` without telling anyone; null takes it away. */
  setCursor(x: number | null): void {
    const { left = -10 } = this.#plot.cursor;
    const at = x === null ? -10 : this.#plot.valToPos(x, "x");
    if (Math.abs(at - left) < 0.01) return;
    this.#plot.setCursor({ left: at, top: at < 0 ? -10 : 0 }, false);
  }

  /** Width of the plotting area in CSS pixels. */
  get span(): number {
    return Math.max(this.#plot.width - GUTTER - RIGHT, 1);
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #configuration(width: number): uPlot.Options {
    const options = this.#options;
    return {
      width,
      height: outerHeight(options),
      padding: [headroom(options), RIGHT, options.xAxis ? 0 : headroom(options), 0],
      legend: { show: false },
      scales: {
        x: { time: options.time, auto: false },
        y: this.#yScale(),
      },
      axes: [this.#xAxis(), this.#yAxis()],
      series: [{}, ...options.lines.map(() => UNPAINTED)],
      cursor: this.#cursor(options.rows === undefined),
      hooks: {
        setCursor: [() => this.#moved()],
        setSelect: [() => this.#selected()],
        drawAxes: [() => options.under?.(this.#area())],
        draw: [() => options.over?.(this.#area())],
      },
    };
  }

  #yScale(): uPlot.Scale {
    const { rows, yRange, log } = this.#options;
    if (rows !== undefined) return { dir: -1, range: [0, rows] };
    const scale: uPlot.Scale = { range: () => [...yRange()] };
    return log ? { ...scale, distr: 3, log: 10 } : scale;
  }

  #xAxis(): uPlot.Axis {
    const { xAxis, xText, time, lane } = this.#options;
    return {
      show: xAxis,
      size: axisHeight(this.#options),
      gap: lane ? 1 : 2,
      space: (_plot, _axis, low, high, width) => {
        const room = time ? timeRoom((high - low) / width) : 50;
        return lane ? 2 * room : room;
      },
      font: this.#theme.font,
      stroke: () => this.#theme.axis,
      grid: { stroke: () => this.#theme.grid, width: 1 },
      ticks: { show: false },
      incrs: time ? TIME_STEPS : WHOLE_STEPS,
      values: (plot, splits, _axis, _space, step) => {
        const places = splits.map((value) => plot.valToPos(value, "x"));
        return clearLabels(xText(splits, step), places, plot.width - GUTTER);
      },
    };
  }

  #yAxis(): uPlot.Axis {
    const { yTicks, yText } = this.#options;
    return {
      size: GUTTER,
      gap: 6,
      font: this.#theme.font,
      stroke: () => this.#theme.axis,
      grid: { stroke: () => this.#theme.grid, width: 1 },
      ticks: { show: false },
      splits: () => [...yTicks()],
      // Of a logarithmic axis uPlot would leave out labels.
      filter: (_plot, splits) => splits,
      values: (_plot, splits) => yText(splits),
    };
  }

  #cursor(points: boolean): uPlot.Cursor {
    return {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: CLICK },
      points: {
        show: points,
        size: 5,
        fill: (_plot, i) => lineColor(this.#options.lines[i - 1]?.color ?? 0, this.#theme.ground),
      },
      dataIdx: (plot, series, index) => {
        const stepped = this.#options.lines[series - 1]?.stepped ?? false;
        const ys = (plot.data[series] ?? []) as ArrayLike<number>;
        const at = nearestPlace(ys, index, stepped);
        // Null shows no point; uPlot's types do not say so.
        return Number.isFinite(ys[at]) ? at : (null as unknown as number);
      },
      bind: {
        mousedown: (_plot, _target, handler) => (event) => {
          if (event.shiftKey && event.button === 0) this.#pan(event);
          else handler(event);
          return null;
        },
        dblclick: () => () => {
          this.#events.reset();
          return null;
        },
      },
    };
  }

  #moved(): void {
    const { left = -10, top = 0 } = this.#plot.cursor;
    if (this.#pointing && left >= 0) this.#events.cursor(this.#plot.posToVal(left, "x"), top);
  }

  #selected(): void {
    const { left, width } = this.#plot.select;
    if (width < CLICK) return;
    const from = this.#plot.posToVal(left, "x");
    const range = selected(from, this.#plot.posToVal(left + width, "x"));
    this.#plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (range) this.#events.zoom(range);
  }

  #pan(start: MouseEvent): void {
    let last = start.clientX;
    const stop = new AbortController();
    const { signal } = stop;
    const move = (event: MouseEvent) => {
      const plot = this.#plot;
      const by = plot.posToVal(0, "x") - plot.posToVal(event.clientX - last, "x");
      last = event.clientX;
      if (by !== 0) this.#events.pan(by);
    };
    addEventListener("mousemove", move, { signal });
    addEventListener("mouseup", () => stop.abort(), { signal });
    addEventListener("blur", () => stop.abort(), { signal });
  }

  #pointed(event: PointerEvent): void {
    this.#pointing = true;
    if (event.pointerType === "mouse") return;
    // A finger moves the cursor too; the page still scrolls up and down under it.
    const box = this.#plot.over.getBoundingClientRect();
    const left = Math.min(Math.max(event.clientX - box.left, 0), box.width);
    this.#plot.setCursor({ left, top: event.clientY - box.top }, true);
  }

  #left(event: PointerEvent): void {
    this.#pointing = false;
    // What a finger pointed at stays readable after the finger has gone.
    if (event.pointerType === "mouse") this.#events.cursor(null, 0);
  }

  #hearClicks(over: HTMLElement, click: (x: number, top: number) => void): void {
    let from = 0;
    over.addEventListener("pointerdown", ({ clientX }) => {
      from = clientX;
    });
    over.addEventListener("click", ({ clientX, clientY, detail }) => {
      // The second of a double click, and the end of a drag, are none.
      if (detail > 1 || Math.abs(clientX - from) >= CLICK) return;
      const { left, top } = over.getBoundingClientRect();
      click(this.#plot.posToVal(clientX - left, "x"), clientY - top);
    });
  }

  #area(): PlotArea {
    const { ctx, bbox, scales } = this.#plot;
    const { left, top, width, height } = bbox;
    const across = ends(scales["x"]);
    const [low, high] = ends(scales["y"]);
    // A dashboard asks for ten thousands of places a second: no look-up for each of them.
    const x = (value: number) => left + ((value - across[0]) * width) / (across[1] - across[0]);
    const y = this.#options.log
      ? logarithmic(low, high, top, height)
      : (value: number) => top + ((high - value) * height) / (high - low);
    const flipped = (value: number) => top + ((value - low) * height) / (high - low);
    const ratio = globalThis.devicePixelRatio || 1;
    const isFlipped = this.#options.rows !== undefined;
    return { context: ctx, left, top, width, height, ratio, x, y: isFlipped ? flipped : y };
  }
}

function ends({ min = 0, max = 1 }: uPlot.Scale = {}): AxisRange {
  return [min, max];
}

/** Where a value stands; NaN for one that has no logarithm. */
function logarithmic(low: number, high: number, top: number, height: number) {
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const each = height / (to - from);
  return (value: number) => (value > 0 ? top + (to - Math.log10(value)) * each : Number.NaN);
}

/** Pixels of a plot with its axis and the room around it. */
export function outerHeight(options: Frame): number {
  const { height, xAxis } = options;
  return headroom(options) + height + (xAxis ? axisHeight(options) : headroom(options));
}

type Frame = Pick<PlotOptions, "height" | "xAxis" | "lane">;

function headroom({ lane }: Pick<Frame, "lane">): number {
  return lane ? LANE_HEADROOM : HEADROOM;
}

function axisHeight({ lane }: Pick<Frame, "lane">): number {
  return lane ? LANE_AXIS : AXIS_HEIGHT;
}
