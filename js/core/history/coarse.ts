/**
 * Stretches of one series of which only the extremes are known: what a keyframe told, and rows
 * given up for want of memory. A cell whose minimum is NaN is a gap: the reading was missing, or
 * a message was lost.
 */

export interface Cell {
  readonly start: number;
  readonly end: number;
  /** NaN in both is a gap. */
  readonly min: number;
  readonly max: number;
  /** The last step in the cell; NaN for none. */
  readonly step: number;
}

/** Beyond this many, the older half is merged in pairs. */
const MOST = 32_768;

const CELL_BYTES = 64;

/** Cells in order of time, none overlapping another. */
export class Coarse {
  #cells: Cell[] = [];

  get cells(): readonly Cell[] {
    return this.#cells;
  }

  get bytes(): number {
    return this.#cells.length * CELL_BYTES;
  }

  /** Put `cells`, in order and within [t0, t1], in the place of all that lies there. */
  replace(t0: number, t1: number, cells: readonly Cell[]): void {
    const before: Cell[] = [];
    const after: Cell[] = [];
    for (const cell of this.#cells) {
      if (cell.start < t0) before.push(cell.end > t0 ? { ...cell, end: t0 } : cell);
      if (cell.end > t1) after.push(cell.start < t1 ? { ...cell, start: t1 } : cell);
      else if (cell.start > t1) after.push(cell);
    }
    this.#cells = [...before, ...cells, ...after];
    if (this.#cells.length > MOST) this.#merge();
  }

  /** Leave nothing outside [t0, t1]; a cell across an end becomes shorter. */
  clip(t0: number, t1: number): void {
    const [first, last] = [this.#cells[0], this.#cells[this.#cells.length - 1]];
    if (!first || !last || (first.start >= t0 && last.end <= t1)) return;
    this.#cells = this.#cells
      .filter((cell) => cell.end > t0 && cell.start <= t1)
      .map((cell) => ({ ...cell, start: Math.max(cell.start, t0), end: Math.min(cell.end, t1) }));
  }

  /** Add a cell that begins where all others have ended. */
  push(cell: Cell): void {
    this.#cells.push(cell);
    if (this.#cells.length > MOST) this.#merge();
  }

  /** Index of the first cell whose middle is at or after `time`. */
  at(time: number): number {
    let [low, high] = [0, this.#cells.length];
    while (low < high) {
      const half = (low + high) >>> 1;
      if (middle(this.#cells[half] as Cell) < time) low = half + 1;
      else high = half;
    }
    return low;
  }

  /** Whether anything between the two times is known as a cell only. */
  touches(t0: number, t1: number): boolean {
    return this.over(t0, t1).length > 0;
  }

  /** The cells of which a part lies between the two times. */
  over(t0: number, t1: number): Cell[] {
    const near = this.at(t0);
    const cells = this.#cells.slice(Math.max(0, near - 1), this.at(t1) + 1);
    return cells.filter((cell) => cell.start < t1 && cell.end > t0);
  }

  #merge(): void {
    const half = this.#cells.length >> 1;
    const merged: Cell[] = [];
    for (let i = 0; i < half; i += 2) {
      const [one, two] = [this.#cells[i] as Cell, this.#cells[i + 1] as Cell];
      if (i + 1 < half && Number.isNaN(one.min) === Number.isNaN(two.min)) {
        merged.push({
          start: one.start,
          end: two.end,
          min: Math.min(one.min, two.min),
          max: Math.max(one.max, two.max),
          step: Number.isNaN(two.step) ? one.step : two.step,
        });
      } else {
        merged.push(one);
        if (i + 1 < half) merged.push(two);
      }
    }
    this.#cells = [...merged, ...this.#cells.slice(half)];
  }
}

export function middle(cell: Cell): number {
  return (cell.start + cell.end) / 2;
}
