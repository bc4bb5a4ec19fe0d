/**
 * The samples of one series, every one of them, in order of time, with a pyramid of extremes and
 * sums above.
 *
 * A row whose value is NaN says that the reading is missing from here to the next row.
 */

import { Pyramid } from "./pyramid";

/** A row costs its time, its value and, for a series with steps, its step. */
const ROW_BYTES = 16;

/** Rows to add: `time` rises, equal times keep their order. */
export interface Batch {
  readonly length: number;
  readonly time: ArrayLike<number>;
  readonly value: ArrayLike<number>;
  readonly step: ArrayLike<number> | null;
}

const NO_ROWS: Batch = { length: 0, time: [], value: [], step: null };

export class Exact {
  length = 0;
  time = new Float64Array(64);
  value = new Float64Array(64);
  /** NaN where a row has none; null until a row has one. */
  step: Float64Array | null = null;
  #changed = Number.POSITIVE_INFINITY;
  /** How often something has changed, other than by another row at the end. */
  edits = 0;
  /** What the last `scan` found. */
  readonly found = new Pyramid();

  get bytes(): number {
    return this.time.length * (this.step ? ROW_BYTES + 8 : ROW_BYTES);
  }

  get first(): number {
    return this.length > 0 ? (this.time[0] as number) : Number.POSITIVE_INFINITY;
  }

  get last(): number {
    return this.length > 0 ? (this.time[this.length - 1] as number) : Number.NEGATIVE_INFINITY;
  }

  /**
   * The first row that changed since this was last asked, other than by another one at the end;
   * Infinity for none. Those before it are what and where they were.
   */
  takeChanged(): number {
    const changed = this.#changed;
    this.#changed = Number.POSITIVE_INFINITY;
    return changed;
  }

  /** Add one row; an older one goes to its place in time, unless it is there already. */
  add(time: number, value: number, step: number): void {
    if (time < this.last) this.#insert(time, value, step);
    else this.#append(time, value, step);
  }

  /** Put `batch` in the place of all rows with t0 <= time <= t1. */
  replace(t0: number, t1: number, batch: Batch): void {
    this.#splice(this.lowerBound(t0), this.upperBound(t1), batch);
  }

  /** Forget the rows with t0 <= time < t1. */
  remove(t0: number, t1: number): void {
    this.#splice(this.lowerBound(t0), this.lowerBound(t1), NO_ROWS);
  }

  /** Put `batch` in the place of rows [from, to). */
  #splice(from: number, to: number, batch: Batch): void {
    this.#change(from);
    const grow = batch.length - (to - from);
    const rest = this.length - to;
    if (batch.step && !this.step) this.#addSteps();
    this.#reserve(this.length + grow);
    for (const column of this.#columns()) {
      column.copyWithin(to + grow, to, to + rest);
    }
    for (let i = 0; i < batch.length; i++) {
      this.time[from + i] = batch.time[i] as number;
      this.value[from + i] = batch.value[i] as number;
      if (this.step) this.step[from + i] = batch.step ? (batch.step[i] as number) : Number.NaN;
    }
    this.length += grow;
    this.found.rebuild(this.value, from, this.length);
  }

  /** Forget the first `rows` rows and give their memory back. */
  dropFirst(rows: number): void {
    this.#change(0);
    this.length -= rows;
    const end = rows + this.length;
    this.time = this.time.slice(rows, end);
    this.value = this.value.slice(rows, end);
    this.step = this.step?.slice(rows, end) ?? null;
    this.found.clear();
    this.found.rebuild(this.value, 0, this.length);
  }

  /** Index of the first row at or after `time`. */
  lowerBound(time: number): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.time[middle] as number) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Index of the first row after `time`. */
  upperBound(time: number): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.time[middle] as number) <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Index of the first row at `from` or later whose bucket of `width` is `bucket` or later. */
  bucketStart(bucket: number, width: number, from: number): number {
    // Few rows lie between two buckets on screen, so look near `from` first.
    let step = 1;
    let low = from;
    let high = from;
    while (high < this.length && Math.floor((this.time[high] as number) / width) < bucket) {
      low = high + 1;
      high += step;
      step *= 2;
    }
    high = Math.min(high, this.length);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Math.floor((this.time[middle] as number) / width) < bucket) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Find extremes, sum and number of the values of rows [from, to); `found` holds them. */
  scan(from: number, to: number): Pyramid {
    this.found.scan(this.value, from, to);
    return this.found;
  }

  #append(time: number, value: number, step: number): void {
    if (!this.step && !Number.isNaN(step)) this.#addSteps();
    this.#reserve(this.length + 1);
    const at = this.length++;
    this.time[at] = time;
    this.value[at] = value;
    if (this.step) this.step[at] = step;
    this.found.append(at, value);
  }

  #insert(time: number, value: number, step: number): void {
    const at = this.upperBound(time);
    for (let i = at - 1; i >= 0 && this.time[i] === time; i--) {
      // An answer to a request may have brought this row before its frame did.
      if (Object.is(this.value[i], value)) return;
    }
    if (!this.step && !Number.isNaN(step)) this.#addSteps();
    this.#reserve(this.length + 1);
    for (const column of this.#columns()) column.copyWithin(at + 1, at, this.length);
    this.#change(at);
    this.length++;
    this.time[at] = time;
    this.value[at] = value;
    if (this.step) this.step[at] = step;
    this.found.rebuild(this.value, at, this.length);
  }

  #change(from: number): void {
    this.#changed = Math.min(this.#changed, from);
    this.edits++;
  }

  #columns(): Float64Array[] {
    return this.step ? [this.time, this.value, this.step] : [this.time, this.value];
  }

  #addSteps(): void {
    this.step = new Float64Array(this.time.length).fill(Number.NaN);
  }

  #reserve(rows: number): void {
    if (rows <= this.time.length) return;
    const capacity = Math.max(rows, Math.ceil(this.time.length * 1.5));
    this.time = grown(this.time, capacity);
    this.value = grown(this.value, capacity);
    if (this.step) this.step = grown(this.step, capacity);
  }
}

function grown(column: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(capacity);
  larger.set(column);
  return larger;
}
