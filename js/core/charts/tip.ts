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

/** Where something of this size stands beside a pointer, within a box. Pure. */
export function besidePointer(
  pointer: readonly [number, number],
  size: readonly [number, number],
  box: readonly [number, number],
): [number, number] {
  const right = pointer[0] + APART;
  const fits = right + size[0] <= box[0] - EDGE;
  const left = fits ? right : pointer[0] - APART - size[0];
  const most = (k: 0 | 1) => Math.max(EDGE, box[k] - size[k] - EDGE);
  const within = (at: number, k: 0 | 1) => Math.min(Math.max(at, EDGE), most(k));
  return [within(left, 0), within(pointer[1] - APART, 1)];
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
      [plot.left - whole.left + left, plot.top - whole.top + top],
      [this.#el.offsetWidth, this.#el.offsetHeight],
      [root.clientWidth, root.clientHeight],
    );
    this.#el.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
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
