/** The choice of the x axis of the user's own charts: time, steps, or a metric that was defined. */

import { h, setAttribute } from "../dom";
import { metricOf } from "../history/along-source";
import type { SectionContext } from "./section-extras";
import type { Axis } from "./view-state";

export class AxisChoice {
  readonly el = h("div", {
    class: "pulse-segments",
    role: "group",
    "aria-label": "X axis of your metrics",
  });
  readonly #axis: SectionContext["axis"];
  readonly #buttons = new Map<Axis, HTMLButtonElement>();

  constructor(axis: SectionContext["axis"]) {
    this.#axis = axis;
  }

  write(): void {
    const all = this.#axis.all();
    this.el.hidden = all.length < 2;
    const buttons = all.map((axis) => this.#button(axis));
    if (buttons.some((one, i) => this.el.children[i] !== one)) this.el.replaceChildren(...buttons);
    for (const [axis, el] of this.#buttons) {
      setAttribute(el, "aria-pressed", String(this.#axis.now() === axis));
    }
  }

  #button(axis: Axis): HTMLButtonElement {
    const known = this.#buttons.get(axis);
    if (known) return known;
    const name = axis === "time" ? "Time" : axis === "step" ? "Step" : (metricOf(axis) ?? "");
    const el = h("button", { type: "button" }, name);
    el.addEventListener("click", () => this.#axis.choose(axis));
    this.#buttons.set(axis, el);
    return el;
  }
}
