/** The lines of a chart by name; a click hides a line, with Alt or Ctrl all others. */

import { h, setAttribute } from "../dom";
import { type Ground, lineColor, lineDash, textColor } from "../vocabulary/palette";
import type { Line } from "./groups";

interface Entry {
  readonly button: HTMLButtonElement;
  readonly swatch: SVGLineElement;
  readonly line: Line;
}

const SVG = "http://www.w3.org/2000/svg";
/** Names of so many lines, and of so many letters in all, fit beside a title. */
const MOST_IN_TITLE = 3;
const MOST_LETTERS = 22;

/** Whether the names of the lines stand in the title row, in the colours of the lines. */
export function fitsTitle(lines: readonly Line[]): boolean {
  const letters = lines.reduce((sum, { label }) => sum + label.length, 0);
  return lines.length > 1 && lines.length <= MOST_IN_TITLE && letters <= MOST_LETTERS;
}

/** CSS pixels: a letter, beside a name, a value, and what else stands in a title row. */
const [LETTER, BESIDE, VALUE, REST] = [6.6, 8, 52, 40];
/** In rows narrower than this the pin counts, too. */
const [NARROW, PIN] = [300, 14];

/** Whether they stand there whole, beside a value each; otherwise they have a line of their own. */
export function fitsBeside(width: number, title: string, names: readonly string[]): boolean {
  const letters = names.reduce((sum, name) => sum + name.length, title.length);
  const rest = width < NARROW ? REST + PIN : REST;
  return letters * LETTER + names.length * (BESIDE + VALUE) + rest <= width;
}

/** What all names begin with, up to a space: "core " of "core 0" and "core 12". Pure. */
export function sharedStart(names: readonly string[]): string {
  const [first = "", ...others] = names;
  const end = first.lastIndexOf(" ") + 1;
  const start = first.slice(0, end);
  return others.length > 0 && others.every((name) => name.startsWith(start)) ? start : "";
}

/** Names alone: it keeps still while values change. */
export class Legend {
  readonly el: HTMLElement;
  readonly #entries: Entry[];

  constructor(lines: readonly Line[], toggle: (key: string, only: boolean) => void) {
    const shared = sharedStart(lines.map(({ label }) => label));
    this.#entries = lines.map((line) => entryOf(line, shared, toggle));
    this.el = h("div", { class: "pulse-legend", role: "group", "aria-label": "Lines" });
    if (shared) this.el.append(h("span", { "aria-hidden": "true" }, shared.trim()));
    this.el.append(...this.#entries.map((entry) => entry.button));
  }

  setHidden(hidden: ReadonlySet<string>, ground: Ground): void {
    for (const { button, swatch, line } of this.#entries) {
      setAttribute(button, "aria-pressed", hidden.has(line.key) ? "false" : "true");
      const color = lineColor(line.color, ground);
      if (swatch.getAttribute("stroke") === color) continue;
      swatch.setAttribute("stroke", color);
      button.style.setProperty("--line", textColor(line.color, ground));
    }
  }
}

function entryOf(line: Line, shared: string, toggle: (key: string, only: boolean) => void): Entry {
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
  const name = h("span", { class: "pulse-name" }, line.label.slice(shared.length));
  const button = h(
    "button",
    { type: "button", "aria-pressed": "true", "aria-label": line.label, title: line.label },
    mark,
    name,
  );
  button.addEventListener("click", (event) => {
    toggle(line.key, event.altKey || event.ctrlKey || event.metaKey);
  });
  return { button, swatch, line };
}
