/** How far loops have got: a bar each, with the time that is left. */

import type { Panel } from "../charts/groups";
import { h, setAttribute, setText } from "../dom";
import { type Columns, columns, type SeriesWire, type Source, valueAt } from "../source";
import { entityLabel } from "../vocabulary/entities";
import { formatValue } from "../vocabulary/format";

/** So many bars are shown, those that moved last. */
const MOST = 3;
const POINTS = 200;
/** A loop that is done is shown so many seconds more. */
const DONE_S = 10;
/** And one that does not move, while no cell runs. */
const LEFT_S = 60;

const scratch = columns(POINTS * 2);

export class ProgressBars {
  readonly el = h("div", { class: "pulse-progress" });
  readonly #bars = new Map<number, { el: HTMLElement; fill: HTMLElement; text: HTMLElement }>();
  #all: readonly SeriesWire[] = [];

  /** Take the loops there are. */
  take(panels: readonly Panel[]): void {
    const lines = panels.flatMap((panel) => panel.lines);
    this.#all = lines.map(({ series }) => series).filter(({ metric }) => metric === "progress");
  }

  write(source: Source): void {
    const shown = source.state().phase === "running" ? this.#running(source) : [];
    const els = shown.map((one) => this.#bar(one, source));
    if (els.length !== this.el.children.length || els.some((el, i) => this.el.children[i] !== el)) {
      this.el.replaceChildren(...els);
    }
    this.el.hidden = els.length === 0;
  }

  /** Loops that are under way, in the order in which they came. */
  #running(source: Source): SeriesWire[] {
    const now = source.extent()[1];
    const { busy } = source.state().kernel;
    const found = this.#all.flatMap((one) => {
      const last = source.last(one.id);
      if (!last || Number.isNaN(last.value)) return [];
      const quiet = now - last.time;
      const over = last.value >= 1 ? quiet > DONE_S : !busy && quiet > LEFT_S;
      return over ? [] : [{ one, time: last.time }];
    });
    const newest = [...found].sort((a, b) => b.time - a.time).slice(0, MOST);
    return found.filter((one) => newest.includes(one)).map(({ one }) => one);
  }

  #bar(one: SeriesWire, source: Source): HTMLElement {
    const known = this.#bars.get(one.id) ?? newBar(one);
    this.#bars.set(one.id, known);
    const { value, time } = source.last(one.id) ?? { value: 0, time: 0 };
    const [first, now] = source.extent();
    source.range(one.id, first, now, POINTS, scratch);
    const left = timeLeft(scratch, value, time);
    // What is overdue has no time left, and none is known.
    const rest = left === null ? 0 : left - (now - time);
    setText(known.text, shareText(value) + (rest > 0 ? `, ${restText(rest)} left` : ""));
    known.fill.style.width = `${Math.min(value, 1) * 100}%`;
    setAttribute(known.el, "aria-valuenow", String(Math.round(value * 100)));
    setAttribute(known.el, "aria-valuetext", known.text.textContent);
    return known.el;
  }
}

function newBar(one: SeriesWire) {
  const name = one.entity.includes("/bar:") ? entityLabel(one.entity).split(" · ").at(-1) : "";
  const fill = h("i");
  const text = h("span");
  const el = h("div", {
    class: "pulse-progress-bar",
    role: "progressbar",
    "aria-label": name || "Progress",
    "aria-valuemin": "0",
    "aria-valuemax": "100",
  });
  el.append(fill, h("b", {}, name || "Progress"), text);
  return { el, fill, text };
}

/** Hundredths; beyond the end more than 100 %. */
function shareText(share: number): string {
  return formatValue(Math.floor(share * 100 + 1e-9) / 100, "1");
}

/** Seconds beyond a minute are a guess's false digits. */
function restText(seconds: number): string {
  const step = seconds < 60 ? 1 : seconds < 3600 ? 5 : 60;
  return formatValue(Math.ceil(seconds / step) * step, "s");
}

/**
 * Seconds from the time of the last share to the end, at the pace since the loop began: since a
 * share was last more than the one after it. Null where nothing is known of the pace. Pure.
 */
export function timeLeft(past: Columns, share: number, time: number): number | null {
  let [begun, from] = [time, share];
  for (let i = past.length - 1; i >= 0; i--) {
    const value = valueAt(past, i);
    if (Number.isNaN(value) || value > from) break;
    [begun, from] = [Math.min(past.time[i] as number, time), value];
  }
  if (share >= 1 || share <= from || time <= begun) return null;
  return ((1 - share) * (time - begun)) / (share - from);
}
