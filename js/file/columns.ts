/** The rows of one series, in order of time; as `pulse_widgets/series/columns.py` has them. */

/** Which host, which thing of it, which reading. */
export interface SeriesKey {
  readonly host: string;
  readonly entity: string;
  readonly metric: string;
}

export interface Columns {
  /** Microseconds since the epoch. */
  readonly time: Float64Array;
  /** NaN where there is no number: `missing` tells whether it was logged. */
  readonly value: Float64Array;
  /** 1 where the reading is missing; null where none is. */
  readonly missing: Uint8Array | null;
  /** NaN where there is none; null where no row has one, or none was read. */
  readonly step: Float64Array | null;
  /** Empty where there is none; null where no row has one, or they were not read. */
  readonly texts: readonly string[] | null;
}

export const NO_ROWS: Columns = {
  time: new Float64Array(0),
  value: new Float64Array(0),
  missing: null,
  step: null,
  texts: null,
};

/** How much there is of a series: rows, and first and last time. */
export interface Extent {
  readonly rows: number;
  readonly start: number;
  readonly end: number;
}

export function cut(columns: Columns, first: number, end: number): Columns {
  return {
    time: columns.time.subarray(first, end),
    value: columns.value.subarray(first, end),
    missing: columns.missing?.subarray(first, end) ?? null,
    step: columns.step?.subarray(first, end) ?? null,
    texts: columns.texts?.slice(first, end) ?? null,
  };
}

/** The chosen rows. */
export function take(columns: Columns, chosen: ArrayLike<number>): Columns {
  const into = <T extends Float64Array | Uint8Array | string[]>(
    out: T,
    all: ArrayLike<T[number]>,
  ) => {
    for (let i = 0; i < chosen.length; i++) out[i] = all[chosen[i] as number] as T[number];
    return out;
  };
  const numbers = (all: Float64Array) => into(new Float64Array(chosen.length), all);
  const { missing, step, texts } = columns;
  return {
    time: numbers(columns.time),
    value: numbers(columns.value),
    missing: missing && into(new Uint8Array(chosen.length), missing),
    step: step && numbers(step),
    texts: texts && into(new Array<string>(chosen.length), texts),
  };
}

/** All rows of several pieces; those of a later piece come after those of equal time before. */
export function join(pieces: readonly Columns[]): Columns {
  const [first] = pieces;
  if (!first) return NO_ROWS;
  if (pieces.length === 1) return first;
  const rows = pieces.reduce((sum, { time }) => sum + time.length, 0);
  const filled = (of: (piece: Columns) => Float64Array | null) => {
    const whole = new Float64Array(rows).fill(Number.NaN);
    let at = 0;
    for (const piece of pieces) {
      const part = of(piece);
      if (part) whole.set(part, at);
      at += piece.time.length;
    }
    return whole;
  };
  let missing: Uint8Array | null = null;
  if (pieces.some((piece) => piece.missing)) {
    missing = new Uint8Array(rows);
    let at = 0;
    for (const piece of pieces) {
      if (piece.missing) missing.set(piece.missing, at);
      at += piece.time.length;
    }
  }
  const whole: Columns = {
    time: filled(({ time }) => time),
    value: filled(({ value }) => value),
    missing,
    step: pieces.some(({ step }) => step) ? filled(({ step }) => step) : null,
    texts: pieces.some(({ texts }) => texts)
      ? pieces.flatMap(({ texts, time }) => texts ?? new Array<string>(time.length).fill(""))
      : null,
  };
  return isRising(whole.time) ? whole : inOrder(whole);
}

export function isRising(time: Float64Array): boolean {
  for (let i = 1; i < time.length; i++)
    if ((time[i] as number) < (time[i - 1] as number)) return false;
  return true;
}

export function inOrder(columns: Columns): Columns {
  const { time } = columns;
  const places = Array.from(time, (_, i) => i);
  places.sort((a, b) => (time[a] as number) - (time[b] as number) || a - b);
  return take(columns, places);
}

/** The first place in `sorted` whose number is not below `wanted`. */
export function lowerBound(sorted: Float64Array, wanted: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
