/**
 * The samples of one series, every one of them, in order of time, with a pyramid of minima and
 * maxima above: blocks of 64 rows, then of 8 blocks each. Any extreme is then found in a few dozen
 * comparisons, however many rows there are.
 *
 * A row whose value is NaN says that the reading is missing from here to the next row.
 */

/** Rows in the smallest block of the pyramid, as a power of two. */
const BASE_BITS = 6;
/** Blocks of one level in a block of the next, as a power of two. */
const FOLD_BITS = 3;
const BASE_MASK = (1 << BASE_BITS) - 1;

/** A row costs its time, its value and, for a series with steps, its step. */
const ROW_BYTES = 16;

interface Level {
  min: Float64Array;
  max: Float64Array;
}

/** Rows to add: `time` rises, equal times keep their order. */
export interface Batch {
  readonly length: number;
  readonly time: ArrayLike<number>;
  readonly value: ArrayLike<number>;
  readonly step: ArrayLike<number> | null;
}

export class Exact {
  length = 0;
  time = new Float64Array(64);
  value = new Float64Array(64);
  /** NaN where a row has none; null until a row has one. */
  step: Float64Array | null = null;
  /** What the last `scan` found. */
  lowest = Number.POSITIVE_INFINITY;
  highest = Number.NEGATIVE_INFINITY;
  readonly #levels: Level[] = [];

  get bytes(): number {
    return this.time.length * (this.step ? ROW_BYTES + 8 : ROW_BYTES);
  }

  get first(): number {
    return this.length > 0 ? (this.time[0] as number) : Number.POSITIVE_INFINITY;
  }

  get last(): number {
    return this.length > 0 ? (this.time[this.length - 1] as number) : Number.NEGATIVE_INFINITY;
  }

  /** Add one row; an older one goes to its place in time, unless it is there already. */
  add(time: number, value: number, step: number): void {
    if (time < this.last) this.#insert(time, value, step);
    else this.#append(time, value, step);
  }

  /** Put `batch` in the place of all rows with t0 <= time <= t1. */
  replace(t0: number, t1: number, batch: Batch): void {
    const from = this.lowerBound(t0);
    const to = this.upperBound(t1);
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
    this.#rebuild(from);
  }

  /** Forget the first `rows` rows and give their memory back. */
  dropFirst(rows: number): void {
    this.length -= rows;
    const end = rows + this.length;
    this.time = this.time.slice(rows, end);
    this.value = this.value.slice(rows, end);
    this.step = this.step?.slice(rows, end) ?? null;
    this.#levels.length = 0;
    this.#rebuild(0);
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

  /**
   * Find the extremes of rows [from, to): `lowest` and `highest` hold them afterwards, Infinity
   * and -Infinity when no row has a value.
   */
  scan(from: number, to: number): void {
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    let at = from;
    while (at < to) {
      const level = (at & BASE_MASK) === 0 ? this.#levelAt(at, to) : -1;
      if (level >= 0) {
        const bits = BASE_BITS + level * FOLD_BITS;
        const { min, max } = this.#levels[level] as Level;
        const block = at >> bits;
        if ((min[block] as number) < least) least = min[block] as number;
        if ((max[block] as number) > most) most = max[block] as number;
        at += 1 << bits;
        continue;
      }
      for (const end = Math.min(to, (at | BASE_MASK) + 1); at < end; at++) {
        const value = this.value[at] as number;
        if (value < least) least = value;
        if (value > most) most = value;
      }
    }
    this.lowest = least;
    this.highest = most;
  }

  /** The largest block that begins at row `at` and ends by `to`; -1 for none. */
  #levelAt(at: number, to: number): number {
    let level = -1;
    for (let next = 0; next < this.#levels.length; next++) {
      const size = 1 << (BASE_BITS + next * FOLD_BITS);
      if (at % size !== 0 || at + size > to) break;
      level = next;
    }
    return level;
  }

  #append(time: number, value: number, step: number): void {
    if (!this.step && !Number.isNaN(step)) this.#addSteps();
    this.#reserve(this.length + 1);
    const at = this.length++;
    this.time[at] = time;
    this.value[at] = value;
    if (this.step) this.step[at] = step;
    this.#raise(at, value);
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
    this.length++;
    this.time[at] = time;
    this.value[at] = value;
    if (this.step) this.step[at] = step;
    this.#rebuild(at);
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

  /** Bring the pyramid up to date from row `from` on. */
  #rebuild(from: number): void {
    const start = (from >> BASE_BITS) << BASE_BITS;
    const size = this.length - start;
    for (let level = 0; level < this.#levels.length; level++) {
      const blocks = this.#levels[level] as Level;
      const bits = BASE_BITS + level * FOLD_BITS;
      // The block that `start` lies in begins anew; the rows before it in that block come back in.
      const block = start >> bits;
      blocks.min.fill(Number.POSITIVE_INFINITY, block);
      blocks.max.fill(Number.NEGATIVE_INFINITY, block);
      this.#refill(level, block << bits, start);
    }
    for (let i = 0; i < size; i++) this.#raise(start + i, this.value[start + i] as number);
  }

  /** Bring rows [from, to), which are whole blocks of the level below, into a level. */
  #refill(level: number, from: number, to: number): void {
    const below = this.#levels[level - 1];
    if (!below) return;
    const blocks = this.#levels[level] as Level;
    const bits = BASE_BITS + level * FOLD_BITS;
    const lower = bits - FOLD_BITS;
    const block = from >> bits;
    for (let part = from >> lower; part <= (to - 1) >> lower && from < to; part++) {
      blocks.min[block] = Math.min(blocks.min[block] as number, below.min[part] as number);
      blocks.max[block] = Math.max(blocks.max[block] as number, below.max[part] as number);
    }
  }

  /** Let row `at`, the newest one that the pyramid has seen, count in every level. */
  #raise(at: number, value: number): void {
    for (let level = 0; ; level++) {
      const bits = BASE_BITS + level * FOLD_BITS;
      const block = at >> bits;
      // A level with a single block would tell nothing that the level below does not.
      if (level > 0 && block === 0 && level >= this.#levels.length) return;
      const blocks = this.#level(level, block);
      if (value < (blocks.min[block] as number)) blocks.min[block] = value;
      if (value > (blocks.max[block] as number)) blocks.max[block] = value;
    }
  }

  #level(level: number, block: number): Level {
    let blocks = this.#levels[level];
    if (!blocks) {
      blocks = { min: empty(16, 1), max: empty(16, -1) };
      this.#levels[level] = blocks;
      // Rows until now were counted one level down only.
      this.#refill(level, 0, 1 << (BASE_BITS + level * FOLD_BITS));
    }
    if (block >= blocks.min.length) {
      const [min, max] = [empty(block * 2, 1), empty(block * 2, -1)];
      min.set(blocks.min);
      max.set(blocks.max);
      blocks.min = min;
      blocks.max = max;
    }
    return blocks;
  }
}

function grown(column: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(capacity);
  larger.set(column);
  return larger;
}

function empty(length: number, sign: 1 | -1): Float64Array<ArrayBuffer> {
  return new Float64Array(length).fill(sign * Number.POSITIVE_INFINITY);
}
