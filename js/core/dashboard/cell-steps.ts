/** The cells of the timeline for the keyboard and for screen readers: a list, one cell at a time. */

import { endOf, firstAfter, indexOf, type Track } from "../charts/mark-index";
import type { Mark } from "../charts/marks";
import { h, setAttribute, setText } from "../dom";
import type { AxisRange } from "../vocabulary/axis-range";
import { lengthText } from "./timeline-rows";

/** What the list does with a cell. */
export interface StepEvents {
  /** It is the one that is looked at; null for none. */
  look(mark: Mark | null): void;
  choose(mark: Mark): void;
}

let made = 0;

/** What the keyboard steps through: the cells, or the spans where there are no cells. Pure. */
export function stepsOf(marks: readonly Mark[]): readonly Mark[] {
  const { tracks } = indexOf(marks);
  const cells = tracks.filter(({ kind }) => kind === "cells");
  return allOf(cells.length > 0 ? cells : tracks);
}

function allOf(tracks: readonly Track[]): readonly Mark[] {
  const rows = tracks.flatMap(({ rows, deeper }) => [...rows, deeper]);
  const [only, ...others] = rows.filter(({ marks }) => marks.length > 0);
  if (!only) return [];
  if (others.length === 0) return only.marks;
  return [only, ...others].flatMap(({ marks }) => marks).sort((a, b) => a.start - b.start);
}

/** The place that a key leads to from `place` (-1: none yet) of `count`; null for other keys. Pure. */
export function stepTo(key: string, place: number, count: number): number | null {
  const within = (to: number) => Math.min(Math.max(to, 0), count - 1);
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  // At first the newest.
  if (key === "ArrowLeft" || key === "ArrowUp") return place < 0 ? count - 1 : within(place - 1);
  if (key === "ArrowRight" || key === "ArrowDown") return place < 0 ? count - 1 : within(place + 1);
  return null;
}

export class CellSteps {
  readonly el: HTMLElement;
  readonly #events: StepEvents;
  readonly #option: HTMLElement;
  #marks: readonly Mark[] = [];
  #given: readonly Mark[] | null = null;
  /** The one that is looked at. */
  #mark: Mark | null = null;

  constructor(events: StepEvents) {
    this.#events = events;
    const id = `pulse-cell-${++made}`;
    this.#option = h("div", { role: "option", id, "aria-selected": "true" });
    this.el = h(
      "div",
      { class: "pulse-sr pulse-steps", role: "listbox", tabindex: "0" },
      this.#option,
    );
    this.el.setAttribute("aria-label", "Cells: arrow keys step, Enter shows one");
    this.el.setAttribute("aria-activedescendant", id);
    this.el.addEventListener("keydown", (event) => this.#key(event));
    this.el.addEventListener("blur", () => this.#look(null));
  }

  update(marks: readonly Mark[]): void {
    if (marks === this.#given) return;
    this.#given = marks;
    this.#marks = stepsOf(marks);
    this.el.hidden = this.#marks.length === 0;
    this.#describe();
  }

  get #place(): number {
    const mark = this.#mark;
    if (!mark) return -1;
    // Marks are made anew: the same one begins at the same time.
    const starts = this.#marks.map(({ start }) => start);
    const last = firstAfter(starts, mark.start) - 1;
    return starts[last] === mark.start ? last : -1;
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const place = this.#place;
    if (event.key === "Enter" || event.key === " ") {
      const mark = this.#marks[place];
      if (mark) this.#events.choose(mark);
    } else {
      const to = stepTo(event.key, place, this.#marks.length);
      if (to === null) return;
      this.#look(this.#marks[to] ?? null);
    }
    // The dashboard would pan.
    event.preventDefault();
    event.stopPropagation();
  }

  #look(mark: Mark | null): void {
    this.#mark = mark;
    this.#describe();
    this.#events.look(mark);
  }

  #describe(): void {
    const place = this.#place;
    const mark = this.#marks[place];
    const count = this.#marks.length;
    setText(this.#option, mark ? `${mark.label}, ${lengthText(mark)}` : `${count} cells`);
    setAttribute(this.#option, "aria-setsize", `${count}`);
    setAttribute(this.#option, "aria-posinset", mark ? `${place + 1}` : null);
  }
}

/** The stretch of a span; open ones end `now`. Pure. */
export function stretchOf(mark: Mark, now: number): AxisRange {
  return [mark.start, Math.min(endOf(mark), Math.max(now, mark.start))];
}
