/** The rows of the output pane: printed lines, and gaps where lines are not here. Pure. */

import { within } from "../history/answers";
import { placeOf } from "../history/text-log";
import type { Stretch, TextLineWire } from "../source";
import { plainOf } from "../vocabulary/ansi";
import type { AxisRange } from "../vocabulary/axis-range";

export type Row = TextLineWire | Stretch;

export function isLine(row: Row): row is TextLineWire {
  return "text" in row;
}

/** What of a range is here, and a row for each stretch of it of which something may be missing. */
export function rowsIn(
  lines: readonly TextLineWire[],
  known: readonly Stretch[],
  [t0, t1]: AxisRange,
): Row[] {
  const from = placeOf(lines, t0);
  const rows: Row[] = lines.slice(from, placeOf(lines, t1, true));
  for (const gap of gapsIn(known, t0, t1).reverse()) {
    rows.splice(Math.max(placeOf(lines, gap.t0, true) - from, 0), 0, gap);
  }
  return rows;
}

function gapsIn(known: readonly Stretch[], t0: number, t1: number): Stretch[] {
  const gaps: Stretch[] = [];
  let at = t0;
  for (const one of within(known, t0, t1)) {
    if (one.t0 > at) gaps.push({ t0: at, t1: one.t0 });
    at = Math.max(at, one.t1);
  }
  if (at < t1) gaps.push({ t0: at, t1 });
  return gaps;
}

/** The place of the last row at or before a time: a gap, where that is not known. -1 for none. */
export function rowAt(rows: readonly Row[], time: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle] as Row;
    // At the very beginning of a gap everything is known.
    if (isLine(row) ? row.time <= time : row.t0 < time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Looks for a part of a text, whatever its case. */
export class Search {
  readonly text: string;
  readonly #pattern: RegExp;
  readonly #known = new WeakMap<TextLineWire, boolean>();

  constructor(text: string) {
    this.text = text;
    this.#pattern = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu");
  }

  /** Where it stands in the visible text of a line: pairs of beginning and end. */
  in(plain: string): [number, number][] {
    if (this.text === "") return [];
    return [...plain.matchAll(this.#pattern)].map(({ index, 0: all }) => [
      index,
      index + all.length,
    ]);
  }

  /** The places of the rows that have it. */
  places(rows: readonly Row[]): number[] {
    const places: number[] = [];
    if (this.text === "") return places;
    for (const [place, row] of rows.entries())
      if (isLine(row) && this.#has(row)) places.push(place);
    return places;
  }

  #has(line: TextLineWire): boolean {
    const known = this.#known.get(line);
    if (known !== undefined) return known;
    const has = plainOf(line.text).search(this.#pattern) >= 0;
    this.#known.set(line, has);
    return has;
  }
}

/** The match to go to: the next after `from`, or the one before it; at the end from the beginning. */
export function nextOf(places: readonly number[], from: number, back: boolean): number | null {
  const found = back ? places.findLast((one) => one < from) : places.find((one) => one > from);
  return found ?? (back ? places[places.length - 1] : places[0]) ?? null;
}
