/** The table of a still picture; the twin of `pulse_widgets/exchange/picture/table.py`. */

import { formatValue, MISSING } from "../vocabulary/format";
import { HEADS } from "../vocabulary/shared.gen";
import type { Choice, StillLine } from "./choice";
import { clean, shorten } from "./text";
import { average, extent, type Trace } from "./trace";

/** A series without a reading yet is not listed; one whose reading is missing is. */
export function knownLines({ lines }: Choice): StillLine[] {
  return lines.filter(({ trace }) => trace.time.length > 0 || trace.lost);
}

/** How many series some lines stand for. */
export function seriesIn(lines: readonly StillLine[]): number {
  return lines.reduce((sum, { series }) => sum + series, 0);
}

/** The table, with at most `most` rows. */
export function tableOf(choice: Choice, most: number): string {
  const known = knownLines(choice);
  const shown = known.slice(0, most);
  const columns = HEADS.length;
  const wide = (words: string) => `<tr><td colspan="${columns}">${words}</td></tr>`;
  const rows = choice.headings.flatMap((group) => {
    const own = shown.filter((line) => line.group === group);
    const said = clean(shorten(group, 60));
    const heading = `<tr><th>${said}</th><td colspan="${columns - 1}"></td></tr>`;
    return own.length > 0 ? [heading, ...own.map(rowOf)] : [];
  });
  const left = seriesIn(known.slice(most));
  if (left > 0) rows.push(wide(`and ${left} more series`));
  const waiting = seriesIn(choice.lines) - seriesIn(known);
  if (waiting > 0) rows.push(wide(`${waiting} series without a reading so far`));
  const head = HEADS.map((name) => `<th>${name}</th>`).join("");
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function rowOf({ title, owner, unit, trace }: StillLine): string {
  const [low, high] = extent([trace]) ?? [null, null];
  const values = [low, average(trace), high].map((value) => formatValue(value, unit));
  const cells = [shorten(title, 60), shorten(owner, 40), ...values, lastOf(trace, unit)];
  return `<tr>${cells.map((cell) => `<td>${clean(cell)}</td>`).join("")}</tr>`;
}

/** The last known value: a range where only a range is known, a dash where none is. */
function lastOf({ last, lost }: Trace, unit: string): string {
  if (last === null) return MISSING;
  const [from, to] = [formatValue(last[0], unit), formatValue(last[1], unit)];
  const known = from === to ? from : `${from} to ${to}`;
  return lost ? `${MISSING} (${known} before)` : known;
}
