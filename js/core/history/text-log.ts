/** Keeps printed lines in order of time, and knows of which stretches every line is here. */

import type { Stretch, TextLineWire } from "../source";
import type { LinesPacket } from "../wire/packet";
import { united, within } from "./answers";

/** Lines kept, and letters of all of them; a letter takes two bytes. */
const LINES_MOST = 50_000;
const LETTERS_MOST = 8 * 2 ** 20;
/** So much of either stays when there were too many. */
const KEPT = 0.9;
/** Times are told to the microsecond. */
const TICK = 1e-6;
/** An answer up to here has no end. */
export const ENDLESS = 1e10;

export class TextLog {
  lines: readonly TextLineWire[] = [];
  known: readonly Stretch[] = [];
  /** Where the viewer looks. */
  focus = Number.POSITIVE_INFINITY;
  /** Up to here there were lines that nobody has any more who could be asked. */
  gone = Number.NEGATIVE_INFINITY;
  #letters = 0;

  /** Take in lines that were printed just now; before them so many were left out. */
  add(lines: readonly TextLineWire[], leftOut = 0): void {
    const isOpen = this.known[this.known.length - 1]?.t1 === Number.POSITIVE_INFINITY;
    if (leftOut > 0) this.cut();
    this.#merge(lines);
    const [first] = lines;
    if (leftOut > 0 && isOpen && first) this.#know(first.time, Number.POSITIVE_INFINITY);
    if (lines.length > 0) this.#bound();
  }

  /** Take in an answer. `complete`: what was printed after it comes unasked, if anything does. */
  answer({ lines, t0, t1, more }: LinesPacket, complete: boolean): void {
    const first = lines[0]?.time ?? t0;
    this.#merge(lines);
    const newest = this.lines[this.lines.length - 1]?.time ?? t0;
    const end = t1 < ENDLESS ? t1 : complete ? Number.POSITIVE_INFINITY : newest;
    // Of very many lines of one moment the older ones are given up: asking again brings the same.
    if (more && lines.length === 0) this.gone = Math.max(this.gone, Math.min(t1, newest));
    const begin = more && lines.length > 0 ? Math.min(first, t1 - TICK) : t0;
    this.#know(begin, end);
    this.#bound();
  }

  /** Lines may be missing from now on: what was printed after the newest one is not known. */
  cut(): void {
    if (this.known.length === 0) return;
    const newest = this.lines[this.lines.length - 1]?.time ?? Number.NEGATIVE_INFINITY;
    this.known = within(this.known, Number.NEGATIVE_INFINITY, newest);
  }

  #know(t0: number, t1: number): void {
    if (t0 < t1) this.known = united([...this.known, { t0, t1 }]);
  }

  #merge(lines: readonly TextLineWire[]): void {
    if (lines.length > 0) this.lines = merged(this.lines, inOrder(lines));
  }

  /** Of too many lines those go that are farthest from where the viewer looks. */
  #bound(): void {
    const { lines, focus } = this;
    this.#letters = lines.reduce((sum, { text }) => sum + text.length, 0);
    if (lines.length <= LINES_MOST && this.#letters <= LETTERS_MOST) return;
    let [first, end] = [0, lines.length];
    while (
      end - first > 1 &&
      (end - first > LINES_MOST * KEPT || this.#letters > LETTERS_MOST * KEPT)
    ) {
      const [old, young] = [lines[first] as TextLineWire, lines[end - 1] as TextLineWire];
      const isOldFar = focus === Number.POSITIVE_INFINITY || focus - old.time >= young.time - focus;
      this.#letters -= (isOldFar ? old : young).text.length;
      if (isOldFar) first++;
      else end--;
    }
    const t0 = first > 0 ? (lines[first] as TextLineWire).time : Number.NEGATIVE_INFINITY;
    const isNewest = end === lines.length;
    const t1 = isNewest ? Number.POSITIVE_INFINITY : (lines[end - 1] as TextLineWire).time;
    this.lines = lines.slice(first, end);
    this.known = within(this.known, t0, t1);
  }
}

function inOrder(lines: readonly TextLineWire[]): readonly TextLineWire[] {
  const isRising = lines.every(({ time }, i) => i === 0 || time >= (lines[i - 1]?.time as number));
  return isRising ? lines : [...lines].sort((a, b) => a.time - b.time);
}

/** The first place whose line is not before `time`; with `after`, whose line is after it. */
export function placeOf(lines: readonly TextLineWire[], time: number, after = false): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = (lines[middle] as TextLineWire).time;
    if (at < time || (after && at === time)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Both in order of time. A line that is in both comes as often as where it is more often. */
function merged(
  have: readonly TextLineWire[],
  come: readonly TextLineWire[],
): readonly TextLineWire[] {
  const [first, last] = [come[0] as TextLineWire, come[come.length - 1] as TextLineWire];
  const [from, to] = [placeOf(have, first.time), placeOf(have, last.time, true)];
  const middle = from === to ? come : joined(have.slice(from, to), come);
  return have.slice(0, from).concat(middle, have.slice(to));
}

function joined(have: readonly TextLineWire[], come: readonly TextLineWire[]): TextLineWire[] {
  const all: TextLineWire[] = [];
  let [i, j] = [0, 0];
  while (i < have.length || j < come.length) {
    const time = Math.min(have[i]?.time ?? Infinity, come[j]?.time ?? Infinity);
    const [from, other] = [i, j];
    while (have[i]?.time === time) i++;
    while (come[j]?.time === time) j++;
    for (const one of sameTime(have.slice(from, i), come.slice(other, j))) all.push(one);
  }
  return all;
}

/** What came has the newest lines of a moment, so what only is here stands before them. */
function sameTime(have: readonly TextLineWire[], come: readonly TextLineWire[]): TextLineWire[] {
  const known = new Map<string, TextLineWire[]>();
  for (const one of [...have].reverse()) {
    const same = known.get(keyOf(one));
    if (same) same.push(one);
    else known.set(keyOf(one), [one]);
  }
  const found = new Set<TextLineWire>();
  const newest = come.map((one) => {
    const same = known.get(keyOf(one))?.pop();
    if (same) found.add(same);
    return same ?? one;
  });
  return [...have.filter((one) => !found.has(one)), ...newest];
}

function keyOf({ series, text }: TextLineWire): string {
  return `${series} ${text}`;
}
