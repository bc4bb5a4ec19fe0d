/** The list of keys and gestures, over the dashboard. */

import { visibleBox } from "../charts/tip";
import { h } from "../dom";
import { helpLines } from "./keyboard";

/** Pixels from the top of the dashboard, from the edges of what is seen of it, and in height. */
const [TOP, EDGE, LEAST] = [44, 8, 120];

export class Help {
  readonly el: HTMLElement;
  readonly #close: HTMLButtonElement;

  constructor(close: () => void) {
    this.#close = h("button", { type: "button" }, "Close");
    this.#close.addEventListener("click", close);
    const list = h("div", { class: "pulse-pairs" });
    for (const [key, what] of helpLines()) list.append(h("b", {}, key), h("span", {}, what));
    const title = h("strong", {}, "Keys and gestures");
    this.el = h(
      "div",
      { class: "pulse-help", role: "dialog", "aria-label": "Keys and gestures", hidden: true },
      h("div", { class: "pulse-help-head" }, title, this.#close),
      list,
    );
  }

  /** Focus goes into the list, and back to `root` when it closes. */
  show(open: boolean, root: HTMLElement): void {
    this.el.hidden = !open;
    if (open) this.#place(root);
    (open ? this.#close : root).focus({ preventScroll: true });
  }

  /** Where the dashboard is seen, and no higher than that: a panel scrolls, and may be low. */
  #place(root: HTMLElement): void {
    const [, seen, , end] = visibleBox(root);
    const { top } = root.getBoundingClientRect();
    const most = Math.max(end - top - LEAST - EDGE, EDGE);
    const start = Math.min(Math.max(TOP, seen - top + EDGE), most);
    this.el.style.top = `${Math.round(start)}px`;
    this.el.style.maxHeight = `${Math.round(Math.max(end - top - start - EDGE, LEAST))}px`;
  }
}
