/** One row of the output pane: when, which stream, whose, and the line in its colours. */

import { h } from "../dom";
import type { TextLineWire } from "../source";
import {
  BOLD,
  DIM,
  INVERSE,
  type Ink,
  ITALIC,
  piecesOf,
  rgbOf,
  UNDERLINE,
} from "../vocabulary/ansi";
import { clockText, momentText } from "../vocabulary/time-text";
import type { Search } from "./printed-rows";

/** Letters of a line that are shown; more than fits on any screen. */
const LETTERS_MOST = 4000;

export interface RowFacts {
  readonly isError: boolean;
  /** Empty where all lines are of one owner. */
  readonly owner: string;
  readonly search: Search;
  /** Where a line is of another day than this moment, its day is told. */
  readonly beside: number;
}

export function lineElement(
  line: TextLineWire,
  { isError, owner, search, beside }: RowFacts,
): HTMLElement {
  const row = h("div", { class: isError ? "pulse-out-row pulse-out-err" : "pulse-out-row" });
  const time = h("time", { title: momentText(line.time, 1) }, clockText(line.time, beside));
  row.append(time, h("b", isError ? { title: "standard error" } : {}, isError ? "err" : ""));
  if (owner) row.append(h("i", {}, owner));
  row.append(textElement(line.text, search));
  return row;
}

/** The text of a line; it enters the page as text, whatever it holds. */
function textElement(text: string, search: Search): HTMLElement {
  const el = h("span", { class: "pulse-out-text" });
  const pieces = piecesOf(text);
  const hits = search.in(pieces.map((piece) => piece.text).join(""));
  let at = 0;
  for (const { text: all, ink } of pieces) {
    const part = all.slice(0, Math.max(0, LETTERS_MOST - at));
    const into = ink ? el.appendChild(inkElement(ink)) : el;
    into.append(...markedParts(part, at, hits));
    at += all.length;
  }
  if (at > LETTERS_MOST) {
    el.append(h("i", {}, ` \u2026 ${(at - LETTERS_MOST).toLocaleString("en")} more letters`));
  }
  return el;
}

/** A piece of a line that begins at `at`, with what was searched for in marks. */
function markedParts(
  text: string,
  at: number,
  hits: readonly (readonly [number, number])[],
): (string | HTMLElement)[] {
  const parts: (string | HTMLElement)[] = [];
  let done = 0;
  for (const [begin, end] of hits) {
    const [from, to] = [Math.max(begin - at, done), Math.min(end - at, text.length)];
    if (from >= to) continue;
    if (from > done) parts.push(text.slice(done, from));
    parts.push(h("mark", {}, text.slice(from, to)));
    done = to;
  }
  if (done < text.length) parts.push(text.slice(done));
  return parts;
}

const STYLES: readonly (readonly [number, string])[] = [
  [BOLD, "bold"],
  [DIM, "dim"],
  [ITALIC, "italic"],
  [UNDERLINE, "under"],
];

function inkElement({ text, ground, style }: Ink): HTMLElement {
  const names = STYLES.filter(([one]) => style & one).map(([, name]) => `pulse-a-${name}`);
  const swapped = (style & INVERSE) !== 0;
  const [front, back] = swapped ? [ground, text] : [text, ground];
  const el = h("span");
  if (back !== null) {
    names.push("pulse-a-on");
    el.style.setProperty("--on", css(back));
    // On a ground of its own a text needs a colour of its own.
    el.style.setProperty("--ink", front === null ? over(back) : css(front));
  } else if (swapped) {
    names.push("pulse-a-inverse");
  } else if (front !== null) {
    names.push("pulse-a-ink");
    el.style.setProperty("--ink", css(front));
  }
  if (names.length > 0) el.className = names.join(" ");
  return el;
}

function css(color: number): string {
  return `rgb(${rgbOf(color).join(" ")})`;
}

/** Black or white, whichever can be read better on a colour. */
function over(color: number): string {
  const [red, green, blue] = rgbOf(color).map((one) => (one / 255) ** 2.2) as [
    number,
    number,
    number,
  ];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000" : "#fff";
}
