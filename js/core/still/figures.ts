/** The picture of a strip; the twin of `pulse_widgets/exchange/picture/figures.py`. */

import {
  CORE_COUNT,
  EDGE,
  FIGURE_COLUMNS,
  FIGURE_ROW,
  FONT,
  INK,
  LIMIT_OF,
  MOST_FIGURES,
  SOFT,
  WARN,
  WIDTH,
} from "../vocabulary/shared.gen";
import type { Choice, StillLine } from "./choice";
import { lastText } from "./svg";
import { knownLines } from "./table";
import { clean, shorten, text, textWidth } from "./text";

/** Levels that give other values their meaning, and are none themselves. */
const SILENT = new Set([...Object.values(LIMIT_OF), CORE_COUNT]);

/** The newest values with their names, as a picture and in words; null where there is none. */
export function figuresSvg(
  choice: Choice,
  title: string,
  note: string,
): { svg: string; words: string } | null {
  const figures = figuresOf(knownLines(choice).filter(({ metric }) => !SILENT.has(metric)));
  const shown = figures.slice(0, MOST_FIGURES);
  if (shown.length === 0) return null;
  const left = figures.length - shown.length;
  const more = left > 0 ? `${left} more` : "";
  const named = shown.map(([name, value]) => `${name} ${value}`);
  const words = [...named, more && `and ${more}`].filter(Boolean).join(", ");
  const room = Math.floor((WIDTH - 32) / FIGURE_COLUMNS);
  const height = 44 + Math.ceil(shown.length / FIGURE_COLUMNS) * FIGURE_ROW;
  const parts = shown.map(([name, value], place) => {
    const x = 16 + (place % FIGURE_COLUMNS) * room;
    const y = 48 + Math.floor(place / FIGURE_COLUMNS) * FIGURE_ROW;
    const label = shorten(name, 24);
    const most = Math.max(Math.trunc((room - 12 - textWidth(label)) / 5.6), 0);
    return (
      `<text x="${x}" y="${y}">${clean(label)} <tspan font-weight="600" fill="${INK}">` +
      `${clean(shorten(value, most))}</tspan></text>`
    );
  });
  const said = [more, note].filter(Boolean).join(" \u00b7 ");
  const warning = said && text(WIDTH - 16, 24, said, `text-anchor="end" fill="${WARN}"`);
  const large = `font-size="14" font-weight="600" fill="${INK}"`;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
    `viewBox="0 0 ${WIDTH} ${height}" font-family="${FONT}" font-size="11" fill="${SOFT}">` +
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="10" fill="#fff" ` +
    `stroke="${EDGE}"/>${text(16, 25, shorten(title, 60), large)}${warning}${parts.join("")}</svg>`;
  return { svg, words };
}

/** Names with values: all values of a device together, of the rest each by its title. */
function figuresOf(lines: readonly StillLine[]): (readonly [string, string])[] {
  const found = new Map<string, string[]>();
  for (const line of lines) {
    const own = ["host", "kernel", "user"].includes(line.owner);
    const alone = own || !line.metric.startsWith("gpu.");
    const name = own ? line.title : alone ? `${line.owner} ${line.title}` : line.owner;
    found.set(name, [...(found.get(name) ?? []), lastText([line])]);
  }
  return [...found].map(([name, values]) => [name, values.join(" \u00b7 ")] as const);
}
