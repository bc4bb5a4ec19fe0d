/** The lines of a chart with their values; a click hides a line, with Alt or Ctrl all others. */

import { h, setAttribute, setText } from "../dom";
import { type Ground, lineColor, lineDash } from "../vocabulary/palette";
import type { Line } from "./groups";

interface Entry {
  readonly button: HTMLButtonElement;
  readonly swatch: SVGLineElement;
  readonly value: HTMLElement;
  readonly line: Line;
}

const SVG = "http://www.w3.org/2000/svg";

export class Legend {
  readonly el: HTMLElement;
  readonly #entries: Entry[];

  constructor(lines: readonly Line[], toggle: (key: string, only: boolean) => void) {
    this.#entries = lines.map((line) => entryOf(line, toggle));
    this.el = h("div", { class: "pulse-legend", role: "group", "aria-label": "Lines" });
    const hosts = new Set(lines.map(({ series }) => series.host));
    this.el.classList.toggle("pulse-hosts", hosts.size > 1);
    this.el.append(...this.#entries.map((entry) => entry.button));
  }

  setValues(texts: readonly string[]): void {
    this.#entries.forEach((entry, i) => {
      setText(entry.value, texts[i] ?? "");
    });
  }

  setHidden(hidden: ReadonlySet<string>, ground: Ground): void {
    for (const { button, swatch, line } of this.#entries) {
      setAttribute(button, "aria-pressed", hidden.has(line.key) ? "false" : "true");
      setAttribute(swatch, "stroke", lineColor(line.color, ground));
    }
  }
}

function entryOf(line: Line, toggle: (key: string, only: boolean) => void): Entry {
  const mark = document.createElementNS(SVG, "svg");
  const swatch = document.createElementNS(SVG, "line");
  for (const [name, value] of [
    ["x1", "0"],
    ["x2", "12"],
    ["y1", "5"],
    ["y2", "5"],
    ["stroke-width", "2.5"],
    ["stroke-dasharray", lineDash(line.color).join(" ")],
  ] as const) {
    swatch.setAttribute(name, value);
  }
  mark.setAttribute("viewBox", "0 0 12 10");
  mark.setAttribute("aria-hidden", "true");
  mark.append(swatch);
  const value = h("span", { class: "pulse-value" });
  const name = h("span", { class: "pulse-name", title: line.label }, line.label);
  const button = h("button", { type: "button", "aria-pressed": "true" }, mark, name, value);
  button.addEventListener("click", (event) => {
    toggle(line.key, event.altKey || event.ctrlKey || event.metaKey);
  });
  return { button, swatch, value, line };
}
