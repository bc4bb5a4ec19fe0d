/** A scrolling list of very many rows, of which only those in sight are elements. */

import { h } from "../dom";
import { isLine, type Row, rowAt } from "./printed-rows";

export const ROW_PX = 17;
/** Rows made beyond each end of what is seen, and elements at most. */
const BEYOND = 10;
const ELEMENTS_MOST = 300;
/** Before it has a size. */
const HEIGHT = 240;

export interface ListEvents {
  make(row: Row): HTMLElement;
  /** The viewer points at a row, or at none. */
  point(row: Row | null): void;
  /** The viewer chose a row. */
  choose(row: Row): void;
  /** Other rows are in sight, or it is stuck to the newest row or no longer. */
  moved(): void;
}

/** Where the list stood before it followed a cursor. */
interface Place {
  readonly isStuck: boolean;
  readonly time: number;
  readonly shift: number;
}

export class PrintedList {
  readonly el = h("div", {
    class: "pulse-out-list",
    tabindex: "0",
    role: "region",
    "aria-label": "Printed lines",
  });
  /** The newest row stays in sight. */
  isStuck = true;
  readonly #events: ListEvents;
  readonly #space = h("div", { class: "pulse-out-space" });
  readonly #made = new Map<Row, HTMLElement>();
  #rows: readonly Row[] = [];
  #marked: Row | null = null;
  /** The match that the viewer has gone to. */
  #match: Row | null = null;
  #before: Place | null = null;
  /** Where it was put last. */
  #top = 0;

  constructor(events: ListEvents) {
    this.#events = events;
    this.el.append(this.#space);
    this.el.addEventListener("scroll", () => this.#scrolled());
    this.el.addEventListener("pointermove", (event) =>
      this.#pointed(event, (row) => events.point(row)),
    );
    this.el.addEventListener("pointerleave", () => events.point(null));
    this.el.addEventListener("click", (event) => {
      this.#pointed(event, (row) => {
        if (row && !this.isSelected) events.choose(row);
      });
    });
  }

  get match(): number {
    return this.#match ? this.#rows.indexOf(this.#match) : -1;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** It shows another place than the newest row. */
  get isAway(): boolean {
    return !this.isStuck || this.#before !== null;
  }

  /** The rows that are elements. */
  get shown(): readonly Row[] {
    const [first, end] = this.#span();
    return this.#rows.slice(first, end);
  }

  /** The place of the first row in sight. */
  get first(): number {
    return Math.ceil(this.el.scrollTop / ROW_PX);
  }

  /** The viewer has selected some of it. */
  get isSelected(): boolean {
    const chosen = getSelection();
    return chosen?.isCollapsed === false && this.el.contains(chosen.anchorNode);
  }

  /** Show other rows; what was in sight stays there, unless it is stuck to the newest one. */
  show(rows: readonly Row[]): void {
    const place = this.#place();
    this.#rows = rows;
    this.#space.style.height = `${rows.length * ROW_PX}px`;
    if (this.#before === null) this.#goBack(place);
    this.render();
  }

  /** Forget how rows look: something about all of them has changed. */
  renew(): void {
    this.#made.clear();
    this.#space.replaceChildren();
    this.render();
  }

  /** Mark the row at a place, and where `follow` bring it into sight; -1 marks none. */
  mark(place: number, follow: boolean): void {
    this.#marked = this.#rows[place] ?? null;
    if (follow) {
      this.#before ??= this.#place();
      this.#bring(Math.max(place, 0));
    }
    this.render();
  }

  /** No longer follow: back to where it stood before. */
  unmark(): void {
    this.#marked = null;
    const before = this.#before;
    this.#before = null;
    if (before) this.#goBack(before);
    this.render();
  }

  /** Go to the match that the viewer looks for; null for none. */
  go(place: number | null): void {
    this.#match = place === null ? null : (this.#rows[place] ?? null);
    if (place !== null) {
      this.isStuck = false;
      this.#before = null;
      this.#bring(place);
    }
    this.render();
  }

  stick(): void {
    this.isStuck = true;
    this.#before = null;
    this.#put(Number.MAX_SAFE_INTEGER);
    this.render();
  }

  render(): void {
    const [first, end] = this.#span();
    const shown = new Set(this.#rows.slice(first, end));
    for (const [row, el] of this.#made) {
      if (shown.has(row)) continue;
      el.remove();
      this.#made.delete(row);
    }
    let place = first;
    let next = this.#space.firstChild;
    for (const row of shown) {
      const el = this.#made.get(row) ?? this.#events.make(row);
      this.#made.set(row, el);
      el.style.top = `${place++ * ROW_PX}px`;
      el.classList.toggle("pulse-out-at", row === this.#marked);
      el.classList.toggle("pulse-out-hit", row === this.#match);
      // In the order of the rows, for whoever selects some.
      if (el === next) next = next.nextSibling;
      else this.#space.insertBefore(el, next);
    }
    this.#events.moved();
  }

  get #height(): number {
    return this.el.clientHeight || HEIGHT;
  }

  #span(): [number, number] {
    const first = Math.max(0, Math.floor(this.el.scrollTop / ROW_PX) - BEYOND);
    const count = Math.ceil(this.#height / ROW_PX) + 2 * BEYOND;
    return [first, Math.min(this.#rows.length, first + Math.min(count, ELEMENTS_MOST))];
  }

  #place(): Place {
    const first = Math.floor(this.el.scrollTop / ROW_PX);
    const row = this.#rows.slice(first, first + 2).find(isLine);
    const time = row?.time ?? Number.NaN;
    // Of lines of one moment the first is found again.
    const anchor = Number.isNaN(time) ? 0 : firstAt(this.#rows, time);
    return { isStuck: this.isStuck, time, shift: this.el.scrollTop - anchor * ROW_PX };
  }

  #goBack({ isStuck, time, shift }: Place): void {
    this.isStuck = isStuck;
    if (isStuck && !this.isSelected) this.#put(Number.MAX_SAFE_INTEGER);
    else if (!Number.isNaN(time)) this.#put(firstAt(this.#rows, time) * ROW_PX + shift);
  }

  #bring(place: number): void {
    const [top, height] = [this.el.scrollTop, this.#height];
    const isSeen = place * ROW_PX >= top && (place + 1) * ROW_PX <= top + height;
    if (!isSeen) this.#put((place + 0.5) * ROW_PX - height / 2);
  }

  #put(top: number): void {
    const most = Math.max(0, this.#rows.length * ROW_PX - this.#height);
    this.el.scrollTop = Math.min(Math.max(top, 0), most);
    this.#top = this.el.scrollTop;
  }

  #scrolled(): void {
    const top = this.el.scrollTop;
    if (Math.abs(top - this.#top) >= 1) {
      this.#top = top;
      this.#before = null;
      this.isStuck = top + this.#height >= (this.#rows.length - 1) * ROW_PX;
    }
    this.render();
  }

  #pointed(event: Event, then: (row: Row | null) => void): void {
    const el = (event.target as Element).closest?.(".pulse-out-row") ?? null;
    const found = [...this.#made].find(([, one]) => one === el);
    then(found?.[0] ?? null);
  }
}

/** The place of the first line of a moment. */
function firstAt(rows: readonly Row[], time: number): number {
  let place = Math.max(rowAt(rows, time), 0);
  for (let before = rows[place - 1]; before && isLine(before) && before.time === time; ) {
    place--;
    before = rows[place - 1];
  }
  return place;
}
