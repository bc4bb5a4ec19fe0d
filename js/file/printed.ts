/** What was printed, out of the rows of a recording; private copies have none of it. */

import type { TextLineWire } from "../core/header.gen";
import { kindOf } from "../core/vocabulary/kinds";
import type { LinesPacket } from "../core/wire/packet";
import type { Columns } from "./columns";
import { roundHalfEven } from "./events";
import type { Series } from "./series";
import type { Stored } from "./stored";

export interface TextRequest {
  readonly request: number;
  readonly t0: number;
  readonly t1: number;
  readonly most: number;
}

/** Lines of one answer, and letters of all of them. */
const LINES_MOST = 5000;
const LETTERS_MOST = 4 << 20;
/** How much farther back is looked where a stretch had too few lines. */
const FARTHER = 4;
/** A stretch that should have enough has twice as many. */
const SURELY = 2;
const MICROSECONDS = 1e6;

/** The lines in the rows of a series. */
export function linesOf(series: number, { time, texts }: Columns): TextLineWire[] {
  return Array.from(time, (at, i) => ({ series, time: at / MICROSECONDS, text: texts?.[i] ?? "" }));
}

/**
 * The newest lines of a stretch, oldest first. The rows are read backwards, a stretch at a time: a
 * recording may have very many of them.
 */
export async function newestLines(
  stored: Stored,
  all: readonly Series[],
  { request, t0, t1, most }: TextRequest,
): Promise<LinesPacket> {
  const series = all.filter(({ info }) => kindOf(info).drawnAs === "text");
  const wanted = Math.min(Math.max(Math.trunc(most) || 1, 1), LINES_MOST);
  const extents = series
    .map(({ number }) => stored.extents[number])
    .filter((one) => one !== undefined);
  const first = Math.min(...extents.map(({ start }) => start));
  const last = Math.max(...extents.map(({ end }) => end));
  const start = Math.max(roundHalfEven(t0 * MICROSECONDS), first);
  const end = Math.min(roundHalfEven(t1 * MICROSECONDS), last);
  const rows = extents.reduce((sum, one) => sum + one.rows, 0);
  let span = (SURELY * wanted * (last - first + 1)) / Math.max(rows, 1);
  let lines: TextLineWire[] = [];
  let since = end + 1;
  while (start <= end && since > start && lines.length <= wanted) {
    since = Math.max(start, Math.floor(end - span));
    lines = await linesBetween(stored, series, since, end);
    span *= FARTHER;
  }
  const newest = fitting(lines.slice(-wanted));
  const more = newest.length < lines.length;
  return { kind: "lines", request, t0, t1, lines: newest, more };
}

async function linesBetween(
  stored: Stored,
  series: readonly Series[],
  since: number,
  end: number,
): Promise<TextLineWire[]> {
  const ids = new Map(series.map(({ number, id }) => [number, id]));
  const found = new Map<number, TextLineWire[]>();
  const want = { since, end: end + 1, texts: true };
  await stored.read([...ids.keys()], want, (number, columns) => {
    const id = ids.get(number) as number;
    const inside = ({ time }: TextLineWire) => {
      const at = Math.round(time * MICROSECONDS);
      return at >= since && at <= end;
    };
    found.set(number, linesOf(id, columns).filter(inside));
  });
  // Those of one moment come in the order of the series, in whatever order these are read.
  const all = series.flatMap(({ number }) => found.get(number) ?? []);
  return all.sort((a, b) => a.time - b.time);
}

/** The newest of some lines, with no more letters than one answer may have; always one. */
function fitting(lines: readonly TextLineWire[]): TextLineWire[] {
  let [letters, from] = [0, lines.length];
  while (from > 0) {
    letters += (lines[from - 1] as TextLineWire).text.length;
    if (letters > LETTERS_MOST && from < lines.length) break;
    from--;
  }
  return lines.slice(from);
}
