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
import type { AxisRange } from "../vocabulary/axis-range";
import { axisTimes, momentText } from "../vocabulary/time-text";
import { CellSteps, stretchOf } from "./cell-steps";
import {
  besideRow,
  boxAt,
  boxText,
  clipped,
  type Drawn,
  momentsRow,
  paintRows,
  type Row,
  rowsOf,
  spanOf,
  write,
} from "./timeline-rows";

const ROW = 16;
/** Pixels a label needs at least. */
const LEAST_LABEL = 24;
/** CSS pixels around a box that count as it. */
const REACH = 2;
/** Rows of the text twin. */
const MOST_TOLD = 200;

/** What becomes of a box that is touched. */
interface Ways {
  /** The stretch that is pointed at; null for none. */
  lift(band: AxisRange | null): void;
  /** The keyboard has come to a stretch; null: it has left. */
  look(band: AxisRange | null): void;
  /** A box was chosen: one span, or several (null) with their stretch. */
  choose(stretch: AxisRange, span: Mark | null): void;
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
  readonly #ways: Ways;
  readonly #steps: CellSteps;
  #plot: Plot | null = null;
  #rows: readonly Row[] = [];
  #marks: readonly Mark[] | null = null;
  #drawn: readonly Drawn[] = [];
  #scene: Scene | null = null;

  constructor(events: ChartEvents, ways: Ways) {
    this.#ways = ways;
    this.#events = {
      ...events,
      cursor: (x, top) => {
        events.cursor(x, top);
        this.#point(x, top);
      },
    };
    this.#steps = new CellSteps({
      look: (mark) => ways.look(mark && this.#stretchOf(mark)),
      choose: (mark) => this.#choose(mark),
    });
    this.el = h(
      "section",
      {
        class: "pulse-timeline",
        role: "group",
        "aria-label": "Timeline of cells and marks",
        hidden: true,
      },
      this.#host,
      this.#steps.el,
      hidden(this.#twin),
    );
  }

  draw(scene: Scene): void {
    this.#scene = scene;
    if (scene.marks !== this.#marks) this.#take(scene.marks);
    this.#plot ??= plotIn(this.#host, this.#options(), this.#events, scene.theme);
    this.#plot?.draw([...scene.range], [[0, 0]], scene.range);
    this.stale = false;
  }

  /** The plot is made anew where there are other rows. */
  #take(marks: readonly Mark[]): void {
    const keys = (rows: readonly Row[]) => rows.map(({ key, name }) => [key, name]);
    const rows = rowsOf(marks);
    if (JSON.stringify(keys(rows)) !== JSON.stringify(keys(this.#rows))) {
      this.#plot?.destroy();
      this.#plot = null;
    }
    [this.#rows, this.#marks] = [rows, marks];
    this.#steps.update(marks);
  }

  point(x: number | null): void {
    this.#plot?.setCursor(x);
    if (x === null) this.#tip.hide();
  }

  describe(scene: Scene): void {
    const end = ({ end, open }: Mark) =>
      (end === null ? "" : momentText(end, 3600)) || (open ? "running" : "");
    const rows = marksWithin(scene.marks, scene.range, MOST_TOLD).map(
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
    const box = x === null ? null : this.#boxAt(x, top);
    this.#ways.lift(box && [box.start, box.end]);
    this.el.dataset["box"] = String(box !== null);
    if (x === null || !scene || !this.#plot) return;
    const second = this.#second(scene);
    const span = box && spanOf(box);
    const labels = labelsAt(scene.marks, x, second * 5, scene.now);
    const others = labels.filter((label) => label !== span?.label);
    const notes = box ? [boxText(box), ...(span ? others : [])] : labels;
    const left = (x - scene.range[0]) / second + GUTTER;
    const head = momentText(x, scene.range[1] - scene.range[0]);
    this.#tip.show(left, top, { head, lines: [], notes });
  }

  /** The seconds of a CSS pixel. */
  #second({ range }: Scene): number {
    return (range[1] - range[0]) / Math.max(this.#plot?.span ?? 1, 1);
  }

  #boxAt(x: number, top: number): Drawn | null {
    const scene = this.#scene;
    return scene && boxAt(this.#drawn, Math.floor(top / ROW), x, REACH * this.#second(scene));
  }

  #stretchOf(span: Mark): AxisRange {
    return stretchOf(span, this.#scene?.now ?? span.start);
  }

  #choose(span: Mark): void {
    this.#ways.choose(this.#stretchOf(span), span);
  }

  #click(x: number, top: number): void {
    const box = this.#boxAt(x, top);
    if (!box) return;
    const span = spanOf(box);
    if (span) this.#choose(span);
    else this.#ways.choose([box.start, box.end], null);
  }

  #options(): PlotOptions {
    // Others of the same keys take their place without a new plot.
    const { length } = this.#rows;
    return {
      lines: [{ color: 0, stepped: true }],
      rows: length,
      height: length * ROW,
      // It is as wide as all charts together: their times stand elsewhere in it.
      xAxis: length > 0,
      lane: true,
      time: true,
      yRange: () => [0, length],
      yTicks: () => this.#rows.map((_, row) => row + 0.5),
      yText: () => this.#rows.map((row) => besideRow(row, this.#scene?.range ?? [0, 0])),
      xText: axisTimes,
      click: (x, top) => this.#click(x, top),
      under: (area) => this.#paint(area),
      over: (area) => {
        const scene = this.#scene;
        if (!scene) return;
        const row = momentsRow(area, this.#rows);
        paintMoments(row, scene.marks, scene.theme, false);
        paintLabels(row, scene);
      },
    };
  }

  #paint(area: PlotArea): void {
    if (this.#scene) this.#drawn = paintRows(area, this.#scene, this.#rows);
  }
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
