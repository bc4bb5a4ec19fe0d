/** What the page knows of one series: exact rows, and cells where only extremes are known. */

import type { Columns } from "../source";
import type { Envelope } from "../wire/parts";
import { Answers } from "./answers";
import { bucketWidth } from "./buckets";
import { type Cell, Coarse, middle } from "./coarse";
import { type Batch, Exact } from "./exact";
import { Missed } from "./missed";
import { Picture } from "./picture";

/** Rows per cell when exact rows are given up. */
const GIVEN_UP = 64;

const picture = new Picture();

export class Track {
  readonly exact = new Exact();
  readonly coarse = new Coarse();
  #slack = 0;
  /** What a keyframe said to be the last value, until a newer row comes. */
  #told: { readonly time: number; readonly value: number | null } | null = null;
  readonly #answers = new Answers();
  readonly #missed: Missed;
  /** Some of what was missed is known from a kept keyframe alone. */
  #fromKept = false;

  /** `whole`: nothing of the series can have been missed yet. */
  constructor(whole = true) {
    this.#missed = new Missed(whole);
  }

  get bytes(): number {
    return this.exact.bytes + this.coarse.bytes;
  }

  /** First moment of which anything is known; Infinity when nothing is. */
  get start(): number {
    return Math.min(this.exact.first, this.coarse.cells[0]?.start ?? Number.POSITIVE_INFINITY);
  }

  get end(): number {
    const cells = this.coarse.cells;
    return Math.max(this.exact.last, cells[cells.length - 1]?.end ?? Number.NEGATIVE_INFINITY);
  }

  /** Rows were missed since the newest that is here; when `lost`, that is shown as a gap. */
  miss(lost: boolean): void {
    const { cells } = this.coarse;
    const tail = cells[cells.length - 1];
    // The last bucket of a keyframe ends in the future: what was missed may have begun within it.
    const start = tail && tail.end > this.exact.last ? tail.start : Number.NEGATIVE_INFINITY;
    this.#missed.begin(Math.max(start, this.exact.last), lost ? this.end : null);
  }

  /**
   * Fill what was missed from a keyframe that ends at `end`, and say whether anything was. What
   * came after `known` is not in it, and stays open. One that was `kept` may be coarse, to be small:
   * the next that was sent tells all of it anew.
   */
  heal(envelope: () => Envelope, end: number, known: number, kept = false): boolean {
    if (!kept && this.#fromKept) {
      this.#missed.again();
      this.#fromKept = false;
    }
    const holes = this.#missed.until(end);
    if (holes.length > 0) {
      const told = envelope();
      for (const { t0, t1 } of holes) this.fill(t0, t1, told);
      this.#fromKept ||= kept;
    }
    this.#missed.told(known, end);
    return holes.length > 0;
  }

  /** Fill [t0, t1] from an envelope; exact rows there stay, and cells there are replaced. */
  fill(t0: number, t1: number, envelope: Envelope): void {
    this.#slack = Math.max(this.#slack, envelope.slack);
    const { edges } = envelope;
    const cells: Cell[] = [];
    for (let i = 0; i + 1 < edges.length; i++) {
      const start = Math.max(edges[i] as number, t0);
      const end = Math.min(edges[i + 1] as number, t1);
      if (start < end) this.#cell(cells, i, start, end, envelope);
    }
    this.coarse.replace(t0, t1, cells);
  }

  #cell(cells: Cell[], i: number, start: number, end: number, envelope: Envelope): void {
    const min = envelope.min[i] as number;
    const max = envelope.max[i] as number;
    if (Number.isNaN(min) && !envelope.missing[i]) return;
    const [from, to] = [envelope.edges[i] as number, envelope.edges[i + 1] as number];
    const step = envelope.step?.[i] ?? Number.NaN;
    const rest = this.#rest({ start: from, end: to, min, max, step }, start, end);
    if (rest) cells.push(rest);
  }

  /**
   * What a cell tells of [start, end], the part of it that is not known. An end that the known
   * parts reach need not come from here, and drawing it again would show a spike where there was
   * none: the other end stays alone, and nothing does when both are reached, but that to ask there
   * may bring more.
   */
  #rest(cell: Cell, start: number, end: number): Cell | null {
    const rest = { ...cell, start, end, step: this.#stepIn(cell, end) };
    const known = this.#known(cell, start, end);
    if (!known) return rest;
    if (Number.isNaN(cell.min)) return null;
    const low = known.min <= cell.min + this.#slack;
    const high = known.max >= cell.max - this.#slack;
    if (low && high) {
      this.#answers.open(start, end);
      return null;
    }
    return { ...rest, min: low ? cell.max : cell.min, max: high ? cell.min : cell.max };
  }

  /** The extremes of what is known of a cell outside [start, end]; null for nothing. */
  #known(cell: Cell, start: number, end: number): { min: number; max: number } | null {
    const { exact, coarse } = this;
    const [from, to] = [exact.lowerBound(cell.start), exact.lowerBound(cell.end)];
    exact.scan(from, to);
    let { lowest: min, highest: max } = exact;
    for (const other of coarse.over(cell.start, cell.end)) {
      if ((other.end > start && other.start < end) || Number.isNaN(other.min)) continue;
      min = Math.min(min, other.min);
      max = Math.max(max, other.max);
    }
    return from < to || min <= max ? { min, max } : null;
  }

  /** The last step of a cell before `end`: where exact rows go on, just before theirs. */
  #stepIn(cell: Cell, end: number): number {
    const { step, time, length } = this.exact;
    if (!step) return cell.step;
    for (let i = this.exact.lowerBound(end); i < length && (time[i] as number) < cell.end; i++) {
      const first = step[i] as number;
      // No step lies before the first one.
      if (!Number.isNaN(first)) return Math.max(first - 1, Math.min(first, 0));
    }
    return cell.step;
  }

  /** Add an exact row. */
  add(time: number, value: number, step: number): void {
    const gap = this.#missed.found(time);
    if (gap) {
      const { t0: start, t1: end } = gap;
      this.coarse.replace(start, end, [{ start, end, min: NaN, max: NaN, step: NaN }]);
    }
    if (time > this.exact.last) this.#endCell(time);
    if (time >= this.exact.last) this.#told = null;
    this.exact.add(time, value, step);
  }

  /** The last bucket of a keyframe ends in the future, and so may a gap: where the next row comes. */
  #endCell(time: number): void {
    const { cells } = this.coarse;
    let at = cells.length - 1;
    while (at >= 0 && (cells[at] as Cell).start >= time) at--;
    const end = cells[at]?.end ?? time;
    if (end > time) this.coarse.replace(time, end, []);
    this.#answers.close(time, Number.POSITIVE_INFINITY);
  }

  /** Take `value` for the last one as of `time`; null says that there is none now. */
  tell(time: number, value: number | null): void {
    this.#told = { time, value };
  }

  /** The newest value known: exact where a row or a keyframe told it, else of the last cell. */
  last(): { time: number; value: number } | null {
    const newest = this.#newest();
    if (this.#told === null) return newest;
    const { time, value } = this.#told;
    if (value === null) return newest && { ...newest, value: Number.NaN };
    return { time: newest?.time ?? time, value };
  }

  /** The newest thing known; a cell answers with its middle. */
  #newest(): { time: number; value: number } | null {
    const { exact } = this;
    const cell = this.coarse.cells[this.coarse.cells.length - 1];
    if (cell && !(middle(cell) <= exact.last)) {
      return { time: middle(cell), value: (cell.min + cell.max) / 2 };
    }
    if (exact.length === 0) return null;
    return { time: exact.last, value: exact.value[exact.length - 1] as number };
  }

  /**
   * Take in the answer to a request for [t0, t1]. What is known of a time before the first row of
   * the answer stays: the kernel may have forgotten those rows before we did.
   */
  answer(t0: number, t1: number, batch: Batch, density: number): void {
    const from = Math.max(t0, batch.length > 0 ? (batch.time[0] as number) : t1);
    this.#answers.add({ t0, t1: from, density: Number.POSITIVE_INFINITY });
    if (batch.length === 0) return;
    this.#answers.add({ t0: from, t1, density });
    this.#answers.close(from, t1);
    this.exact.replace(from, t1, batch);
    const across = (time: number) =>
      this.coarse.cells.find((cell) => cell.start < time && cell.end > time);
    const [first, last] = [across(from), across(t1)];
    this.coarse.replace(first?.start ?? from, last?.end ?? t1, []);
    // Both before either is put back: two parts of one cell tell nothing of each other.
    const before = first && this.#rest(first, first.start, from);
    const after = last && this.#rest(last, t1, last.end);
    if (before) this.coarse.replace(before.start, before.end, [before]);
    if (after) this.coarse.replace(after.start, after.end, [after]);
  }

  /** Of the newest rows, those in [t0, t1], only the extremes of `density` buckets a second came. */
  thin(t0: number, t1: number, density: number): void {
    this.#answers.thin({ t0, t1, density });
  }

  /** Whether asking for `density` buckets a second of [t0, t1] could bring anything new. */
  lacks(t0: number, t1: number, density: number): boolean {
    return this.#answers.lacks(t0, t1, density, this.coarse.touches(t0, t1));
  }

  /** Give up the older quarter of the exact rows and keep their extremes. */
  giveUp(): void {
    const rows = Math.floor(this.exact.length / 4 / GIVEN_UP) * GIVEN_UP;
    if (rows === 0) return;
    const { exact } = this;
    const cells: Cell[] = [];
    for (let from = 0; from < rows; from += GIVEN_UP) {
      const start = exact.time[from] as number;
      const end = exact.time[from + GIVEN_UP] as number;
      const last = exact.time[from + GIVEN_UP - 1] as number;
      exact.scan(from, from + GIVEN_UP);
      const { lowest: min, highest: max } = exact;
      const step = exact.step?.[from + GIVEN_UP - 1] ?? Number.NaN;
      const ended = Number.isNaN(exact.value[from + GIVEN_UP - 1] as number);
      if (min <= max) cells.push({ start, end: ended ? last : end, min, max, step });
      if (ended) cells.push({ start: last, end, min: Number.NaN, max: Number.NaN, step });
    }
    const [t0, t1] = [exact.first, exact.time[rows] as number];
    // Cells between the rows are holes that a keyframe filled; the new cells cover them.
    this.coarse.replace(t0, t1, cells);
    this.#answers.forget(t0, t1);
    exact.dropFirst(rows);
  }

  /** Fills `out` as `Source.range` promises. */
  columns(t0: number, t1: number, points: number, out: Columns): void {
    const width = bucketWidth((t1 - t0) / Math.max(points, 1));
    picture.begin(Math.floor(t0 / width), Math.floor(t1 / width), width);
    this.#before(picture);
    this.#gatherCells(picture);
    this.#gatherRows(picture);
    this.#after(picture);
    picture.write(out);
  }

  /** As `columns`, with steps in the place of times. */
  columnsByStep(from: number, to: number, points: number, out: Columns): void {
    const width = bucketWidth((to - from) / Math.max(points, 1));
    picture.begin(Math.floor(from / width), Math.floor(to / width), width);
    const edges = new Neighbours(from, to);
    this.#eachStep((step, min, max) => {
      picture.see(step, step, min, max, Number.isNaN(min));
      edges.see(step, min, max);
    });
    edges.tell(picture);
    picture.write(out);
  }

  stepExtent(): [number, number] | null {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    this.#eachStep((step) => {
      least = Math.min(least, step);
      most = Math.max(most, step);
    });
    return least <= most ? [least, most] : null;
  }

  #eachStep(see: (step: number, min: number, max: number) => void): void {
    for (const { step, min, max } of this.coarse.cells) {
      if (!Number.isNaN(step)) see(step, min, max);
    }
    const { exact } = this;
    if (!exact.step) return;
    for (let i = 0; i < exact.length; i++) {
      const step = exact.step[i] as number;
      const value = exact.value[i] as number;
      if (!Number.isNaN(step)) see(step, value, value);
    }
  }

  /** A cell counts in all buckets whose middle it covers: its extremes may lie anywhere in it. */
  #gatherCells(into: Picture): void {
    const { cells } = this.coarse;
    let i = this.coarse.at(into.from);
    while (i > 0 && (cells[i - 1] as Cell).end > into.from) i--;
    for (; i < cells.length; i++) {
      const cell = cells[i] as Cell;
      const own = Math.floor(middle(cell) / into.width);
      const first = Math.min(own, Math.ceil(cell.start / into.width - 0.5));
      const last = Math.max(own, Math.ceil(cell.end / into.width - 0.5) - 1);
      if (first > into.lastBucket) return;
      const missing = Number.isNaN(cell.min);
      const to = Math.min(last, into.lastBucket);
      const from = Math.max(first, into.firstBucket);
      for (let bucket = from; bucket <= to; bucket++) {
        const time = bucket === own ? middle(cell) : (bucket + 0.5) * into.width;
        into.see(time, time, cell.min, cell.max, missing, bucket > from);
      }
    }
  }

  #gatherRows(into: Picture): void {
    const { exact } = this;
    let from = exact.bucketStart(into.firstBucket, into.width, 0);
    while (from < exact.length) {
      const bucket = Math.floor((exact.time[from] as number) / into.width);
      if (bucket > into.lastBucket) return;
      const to = exact.bucketStart(bucket + 1, into.width, from + 1);
      const value = exact.value[to - 1] as number;
      const [first, last] = [exact.time[from] as number, exact.time[to - 1] as number];
      if (to - from === 1) into.see(first, last, value, value, Number.isNaN(value));
      else {
        exact.scan(from, to);
        into.see(first, last, exact.lowest, exact.highest, Number.isNaN(value));
      }
      from = to;
    }
  }

  /** The newest thing before the picture, from which the line comes in. */
  #before(into: Picture): void {
    const { exact, coarse } = this;
    const row = exact.bucketStart(into.firstBucket, into.width, 0) - 1;
    let near = coarse.at(into.from) - 1;
    while (near >= 0 && bucketOf(coarse.cells[near], into.width) >= into.firstBucket) near--;
    const cell = coarse.cells[near];
    const time = row >= 0 ? (exact.time[row] as number) : Number.NEGATIVE_INFINITY;
    if (cell && middle(cell) > time) into.before(middle(cell), cell.min, cell.max);
    else if (row >= 0) into.before(time, exact.value[row] as number, exact.value[row] as number);
  }

  /** The oldest thing after the picture, to which the line goes. */
  #after(into: Picture): void {
    const { exact, coarse } = this;
    const row = exact.bucketStart(into.lastBucket + 1, into.width, 0);
    let near = coarse.at(into.lastBucket * into.width);
    while (bucketOf(coarse.cells[near], into.width) <= into.lastBucket) near++;
    const cell = coarse.cells[near];
    const time = row < exact.length ? (exact.time[row] as number) : Number.POSITIVE_INFINITY;
    if (cell && middle(cell) < time) into.after(middle(cell), cell.min, cell.max);
    else if (row < exact.length) {
      into.after(time, exact.value[row] as number, exact.value[row] as number);
    }
  }
}

function bucketOf(cell: Cell | undefined, width: number): number {
  return cell ? Math.floor(middle(cell) / width) : Number.POSITIVE_INFINITY;
}

/** The things nearest to a picture on either side, where they come in no order. */
class Neighbours {
  #left: readonly [number, number, number] | null = null;
  #right: readonly [number, number, number] | null = null;

  constructor(
    readonly from: number,
    readonly to: number,
  ) {}

  see(at: number, min: number, max: number): void {
    if (at < this.from && at >= (this.#left?.[0] ?? at)) this.#left = [at, min, max];
    if (at > this.to && at <= (this.#right?.[0] ?? at)) this.#right = [at, min, max];
  }

  tell(picture: Picture): void {
    if (this.#left) picture.before(...this.#left);
    if (this.#right) picture.after(...this.#right);
  }
}
