/** The list of keys and gestures, over the dashboard. */

import { h } from "../dom";
import { helpLines } from "./keyboard";

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
      h("header", {}, title, this.#close),
      list,
    );
  }

  /** Focus goes into the list, and back to `root` when it closes. */
  show(open: boolean, root: HTMLElement): void {
    this.el.hidden = !open;
    (open ? this.#close : root).focus({ preventScroll: true });
  }
}
