/**
 * Extremes and sums of any stretch of rows in a few dozen steps, however many rows there are:
 * blocks of 64 rows, above them blocks of 8 blocks each, and so on.
 *
 * A value that is NaN counts nowhere. An infinite one is an extreme, and not part of the mean.
 */

/** Rows in the smallest block of the pyramid, as a power of two. */
const BASE_BITS = 6;
/** Blocks of one level in a block of the next, as a power of two. */
const FOLD_BITS = 3;
const BASE_MASK = (1 << BASE_BITS) - 1;

interface Level {
  min: Float64Array;
  max: Float64Array;
  /** Of the finite values. */
  sum: Float64Array;
  count: Float64Array;
}

const COLUMNS = ["min", "max", "sum", "count"] as const;
const NOTHING = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0, count: 0 };

export class Pyramid {
  /** What the last `scan` found: Infinity and -Infinity when no row has a value. */
  lowest = Number.POSITIVE_INFINITY;
  highest = Number.NEGATIVE_INFINITY;
  /** Sum and number of the finite values. */
  sum = 0;
  count = 0;
  readonly #levels: Level[] = [];

  clear(): void {
    this.#levels.length = 0;
  }

  /** Find the extremes, the sum and the number of the values [from, to). */
  scan(value: Float64Array, from: number, to: number): void {
    let [least, most, sum, count] = [NOTHING.min, NOTHING.max, 0, 0];
    let at = from;
    while (at < to) {
      const level = (at & BASE_MASK) === 0 ? this.#levelAt(at, to) : -1;
      if (level >= 0) {
        const bits = BASE_BITS + level * FOLD_BITS;
        const blocks = this.#levels[level] as Level;
        const block = at >> bits;
        if ((blocks.min[block] as number) < least) least = blocks.min[block] as number;
        if ((blocks.max[block] as number) > most) most = blocks.max[block] as number;
        sum += blocks.sum[block] as number;
        count += blocks.count[block] as number;
        at += 1 << bits;
        continue;
      }
      const end = Math.min(to, (at | BASE_MASK) + 1);
      let part = 0;
      for (let i = at; i < end; i++) {
        const one = value[i] as number;
        if (one < least) least = one;
        if (one > most) most = one;
        part += one;
      }
      if (Number.isFinite(part)) {
        sum += part;
        count += end - at;
      } else {
        // Some of them are not finite; to look for those in the loop above would slow all down.
        for (let i = at; i < end; i++) {
          if (!Number.isFinite(value[i])) continue;
          sum += value[i] as number;
          count++;
        }
      }
      at = end;
    }
    this.lowest = least;
    this.highest = most;
    this.sum = sum;
    this.count = count;
  }

  /** Bring it up to date with the first `length` of `value`, which changed from `from` on. */
  rebuild(value: Float64Array, from: number, length: number): void {
    const start = (from >> BASE_BITS) << BASE_BITS;
    for (let level = 0; level < this.#levels.length; level++) {
      const blocks = this.#levels[level] as Level;
      const bits = BASE_BITS + level * FOLD_BITS;
      // The block that `start` lies in begins anew; the rows before it in that block come back in.
      const block = start >> bits;
      for (const column of COLUMNS) blocks[column].fill(NOTHING[column], block);
      this.#refill(level, block << bits, start);
    }
    for (let at = start; at < length; at++) this.append(at, value[at] as number);
  }

  /** Let row `at`, the newest one that the pyramid has seen, count in every level. */
  append(at: number, value: number): void {
    for (let level = 0; ; level++) {
      const bits = BASE_BITS + level * FOLD_BITS;
      const block = at >> bits;
      // A level with a single block would tell nothing that the level below does not.
      if (level > 0 && block === 0 && level >= this.#levels.length) return;
      const blocks = this.#level(level, block);
      if (value < (blocks.min[block] as number)) blocks.min[block] = value;
      if (value > (blocks.max[block] as number)) blocks.max[block] = value;
      if (!Number.isFinite(value)) continue;
      blocks.sum[block] = (blocks.sum[block] as number) + value;
      blocks.count[block] = (blocks.count[block] as number) + 1;
    }
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

  /** Bring rows [from, to), which are whole blocks of the level below, into a level. */
  #refill(level: number, from: number, to: number): void {
    const below = this.#levels[level - 1];
    if (!below) return;
    const { min, max, sum, count } = this.#levels[level] as Level;
    const bits = BASE_BITS + level * FOLD_BITS;
    const lower = bits - FOLD_BITS;
    const block = from >> bits;
    for (let part = from >> lower; part <= (to - 1) >> lower && from < to; part++) {
      min[block] = Math.min(min[block] as number, below.min[part] as number);
      max[block] = Math.max(max[block] as number, below.max[part] as number);
      sum[block] = (sum[block] as number) + (below.sum[part] as number);
      count[block] = (count[block] as number) + (below.count[part] as number);
    }
  }

  #level(level: number, block: number): Level {
    let blocks = this.#levels[level];
    if (!blocks) {
      blocks = empty(16);
      this.#levels[level] = blocks;
      // Rows until now were counted one level down only.
      this.#refill(level, 0, 1 << (BASE_BITS + level * FOLD_BITS));
    }
    if (block >= blocks.min.length) {
      const larger = empty(block * 2);
      for (const column of COLUMNS) larger[column].set(blocks[column]);
      Object.assign(blocks, larger);
    }
    return blocks;
  }
}

function empty(length: number): Level {
  const column = (name: keyof Level) => new Float64Array(length).fill(NOTHING[name]);
  return { min: column("min"), max: column("max"), sum: column("sum"), count: column("count") };
}
