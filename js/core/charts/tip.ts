/** What stands beside the pointer: the moment, the value of every line, and what was marked. */

import { h, setText } from "../dom";

/** A line of the chart under the pointer. */
export interface TipLine {
  readonly name: string;
  readonly text: string;
  readonly color: string;
  /** Lines stand in order of it, the largest first; NaN comes last. */
  readonly value: number;
}

export interface TipContent {
  readonly head: string;
  readonly lines: readonly TipLine[];
  readonly notes: readonly string[];
}

const MOST_LINES = 12;
/** Pixels from the pointer, and from the edges of the dashboard. */
const APART = 14;
const EDGE = 4;

/** Of many lines the largest, in order, and how many more there are. Pure. */
export function shownLines(lines: readonly TipLine[]): { shown: TipLine[]; more: number } {
  const size = ({ value }: TipLine) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value);
  // -Infinity minus itself is no order.
  const order = (a: TipLine, b: TipLine) => (size(a) === size(b) ? 0 : size(b) - size(a));
  const shown = [...lines].sort(order).slice(0, MOST_LINES);
  return { shown, more: lines.length - shown.length };
}

/** Left, top, right, bottom. */
export type Box = readonly [number, number, number, number];

/**
 * Where something of this size stands within a box: right of the pointer, where there is no room
 * left of it, and where there is none either above or below it. Pure.
 */
export function besidePointer(
  pointer: readonly [number, number],
  size: readonly [number, number],
  box: Box,
): [number, number] {
  const [x, y] = pointer;
  const [wide, high] = size;
  const [first, last] = [box[0] + EDGE, box[2] - EDGE];
  const isRight = x + APART + wide <= last;
  const isLeft = x - APART - wide >= first;
  const within = (at: number, low: number, high: number) => Math.max(low, Math.min(at, high));
  const left = within(isRight || !isLeft ? x + APART : x - APART - wide, first, last - wide);
  const [highest, lowest] = [box[1] + EDGE, box[3] - EDGE - high];
  // It must not lie over what is pointed at.
  const below = y + APART;
  const above = y - APART - high;
  const beside = isRight || isLeft;
  const top = beside ? y - APART : below <= lowest || above < highest ? below : above;
  return [left, within(top, highest, lowest)];
}

/** What can be seen of an element: the page and everything around it that scrolls cut it off. */
export function visibleBox(el: HTMLElement): Box {
  const own = el.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  let box: Box = within(
    [own.left, own.top, own.right, own.bottom],
    [0, 0, clientWidth, clientHeight],
  );
  // What the body says of itself holds for the page.
  for (let up = parentOf(el); up && up !== document.body; up = parentOf(up)) {
    if (getComputedStyle(up).overflow === "visible") continue;
    const { left, top, right, bottom } = up.getBoundingClientRect();
    box = within(box, [left, top, right, bottom]);
  }
  return box;
}

function within(a: Box, b: Box): Box {
  const [left, top] = [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  return [left, top, Math.max(Math.min(a[2], b[2]), left), Math.max(Math.min(a[3], b[3]), top)];
}

/** Out of a shadow root, too. */
function parentOf(el: Element): Element | null {
  const root = el.parentNode;
  return root instanceof ShadowRoot ? root.host : el.parentElement;
}

/** It belongs to the whole dashboard, so that the plot of a chart does not cut it off. */
export class Tip {
  readonly #anchor: HTMLElement;
  #el: HTMLElement | null = null;
  #written = "";

  /** `anchor`: the place of the plot that it is for. */
  constructor(anchor: HTMLElement) {
    this.#anchor = anchor;
  }

  /** Beside a point of the plot, in its CSS pixels. */
  show(left: number, top: number, content: TipContent): void {
    const root = this.#anchor.closest<HTMLElement>(".pulse");
    if (!root) return;
    this.#el ??= h("div", { class: "pulse-tip", "aria-hidden": "true" });
    if (this.#el.parentElement !== root) root.append(this.#el);
    this.#el.hidden = false;
    this.#write(this.#el, content);
    const [plot, whole] = [this.#anchor.getBoundingClientRect(), root.getBoundingClientRect()];
    const [x, y] = besidePointer(
      [plot.left + left, plot.top + top],
      [this.#el.offsetWidth, this.#el.offsetHeight],
      visibleBox(root),
    );
    const [across, down] = [Math.round(x - whole.left), Math.round(y - whole.top)];
    this.#el.style.transform = `translate(${across}px, ${down}px)`;
  }

  hide(): void {
    if (this.#el) this.#el.hidden = true;
  }

  destroy(): void {
    this.#el?.remove();
    this.#el = null;
  }

  #write(el: HTMLElement, content: TipContent): void {
    const text = JSON.stringify(content);
    if (text === this.#written) return;
    this.#written = text;
    const { shown, more } = shownLines(content.lines);
    const rows = shown.map(({ name, text: value, color }) => {
      const chip = h("i");
      chip.style.background = color;
      return h("div", { class: "pulse-tip-line" }, chip, h("span", {}, name), h("b", {}, value));
    });
    const rest = more > 0 ? [`and ${more} more`] : [];
    const notes = [...rest, ...content.notes].map((note) =>
      h("div", { class: "pulse-tip-note" }, note),
    );
    const head = h("div", { class: "pulse-tip-head" });
    setText(head, content.head);
    el.replaceChildren(head, ...rows, ...notes);
  }
}
