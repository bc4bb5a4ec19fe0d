/** The rows of one series in memory, to which more are added. */

import { type Columns, cut, inOrder, isRising, join, NO_ROWS } from "../columns";
import type { Batch } from "./arrow-stream";

const NO_STEP = -(2n ** 63n);
/** So many rows tell how often a series is read. */
const TAIL = 64;

const isFilled = ({ time }: Columns) => time.length > 0;

/** Rows of all writers, in order of time; of the same time in the order in which they were added. */
export class GrowingRows {
  #joined: Columns = NO_ROWS;
  #added: Columns[] = [];
  length = 0;
  /** Some rows that were added last: what is drawn of the next ones depends on them. */
  newest: Columns = NO_ROWS;

  add(columns: Columns): void {
    const { length } = columns.time;
    if (length === 0) return;
    this.#added.push(columns);
    this.length += length;
    const tail = length < TAIL ? join([this.newest, columns].filter(isFilled)) : columns;
    this.newest = rest(tail, Math.max(0, tail.time.length - TAIL));
  }

  get columns(): Columns {
    if (this.#added.length > 0) {
      const pieces = this.#joined.time.length > 0 ? [this.#joined] : [];
      // A single piece is given back as it is, in whatever order.
      const whole = join([...pieces, ...this.#added]);
      this.#joined = isRising(whole.time) ? whole : inOrder(whole);
      this.#added = [];
    }
    return this.#joined;
  }
}

/** The rows of a batch by the number of their series, in order of arrival. */
export function rowsOfBatch(
  batch: Batch,
  wantsText: (series: number) => boolean,
): Map<number, Columns> {
  const counts = new Map<number, number>();
  for (const id of batch.series) counts.set(id, (counts.get(id) ?? 0) + 1);
  const found = new Map<number, Building>();
  for (const [id, rows] of counts) found.set(id, new Building(rows, wantsText(id)));
  const bits = new Uint32Array(batch.value.buffer, 0, 2 * batch.rows);
  const letters = new TextDecoder();
  for (let i = 0; i < batch.rows; i++) {
    const value = batch.value[i] as number;
    const step = batch.step[i] as bigint;
    const rows = found.get(batch.series[i] as number) as Building;
    rows.add(
      Number(batch.time[i]),
      value,
      // The lowest bit tells a NaN that somebody logged from no value at all.
      Number.isNaN(value) && ((bits[2 * i] as number) & 1) === 0,
      step === NO_STEP ? Number.NaN : Number(step),
    );
    if (!rows.texts) continue;
    const [first, end] = [batch.text.offsets[i] as number, batch.text.offsets[i + 1] as number];
    rows.texts.push(first < end ? letters.decode(batch.text.content.subarray(first, end)) : "");
  }
  return new Map([...found].map(([id, rows]) => [id, rows.columns]));
}

class Building {
  readonly texts: string[] | null;
  readonly #time: Float64Array;
  readonly #value: Float64Array;
  readonly #missing: Uint8Array;
  readonly #step: Float64Array;
  #isMissing = false;
  #hasStep = false;
  #length = 0;

  constructor(rows: number, withTexts: boolean) {
    this.#time = new Float64Array(rows);
    this.#value = new Float64Array(rows);
    this.#missing = new Uint8Array(rows);
    this.#step = new Float64Array(rows);
    this.texts = withTexts ? [] : null;
  }

  add(time: number, value: number, missing: boolean, step: number): void {
    const at = this.#length++;
    this.#time[at] = time;
    this.#value[at] = value;
    this.#missing[at] = Number(missing);
    this.#step[at] = step;
    this.#isMissing ||= missing;
    this.#hasStep ||= !Number.isNaN(step);
  }

  get columns(): Columns {
    return {
      time: this.#time,
      value: this.#value,
      missing: this.#isMissing ? this.#missing : null,
      step: this.#hasStep ? this.#step : null,
      texts: this.texts,
    };
  }
}

/** The rows from `first` on. */
export function rest(columns: Columns, first: number): Columns {
  return cut(columns, first, columns.time.length);
}
