/** The rows of a file of another program: held in few large arrays, then sorted into series. */

import { byKey, textOf } from "./catalog";
import { type Columns, isRising, type SeriesKey, take } from "./columns";
import type { ForeignLimits } from "./limits";
import type { HeldSeries } from "./memory";
import type { Rows } from "./parquet/column";
import { RecordingError } from "./place";
import type { Turns } from "./turns";

/** Rows of work before the page gets its turn. */
const AT_ONCE = 20_000;

/** That a file has more of something than is held in memory of it. */
export function tooLarge(name: string, what: string): RecordingError {
  return new RecordingError(
    "too large",
    `${name} was written by another program, and has more than ${what}`,
    "Open it in a notebook: pw.replay(path).",
  );
}

export function counted(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}`;
}

/** The texts that differ, each once, by number. */
class Words {
  readonly all: string[] = [""];
  readonly #numbers = new Map([["", 0]]);
  /** Those of the row group at hand by their bytes, which many rows share. */
  #seen = new Map<Uint8Array, number>();
  #bytes = 0;

  constructor(
    readonly name: string,
    readonly limits: ForeignLimits,
  ) {}

  number(bytes: Uint8Array | null | undefined): number {
    if (!bytes) return 0;
    const seen = this.#seen.get(bytes);
    if (seen !== undefined) return seen;
    const text = textOf(bytes);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.all.length;
      this.#bytes += bytes.length;
      checkTexts(this.name, number, this.#bytes, this.limits);
      this.all.push(text);
      this.#numbers.set(text, number);
    }
    this.#seen.set(bytes, number);
    return number;
  }

  forget(): void {
    this.#seen = new Map();
  }
}

/** @throws RecordingError when so many texts are more than is held in memory. */
export function checkTexts(name: string, texts: number, bytes: number, most: ForeignLimits): void {
  if (texts > most.texts) throw tooLarge(name, counted(most.texts, "different texts"));
  if (bytes > most.textBytes) throw tooLarge(name, `${most.textBytes >> 20} MB of texts`);
}

/** The rows of one row group as they lie in the file. */
interface Batch {
  readonly rows: number;
  /** Numbers of series, and of texts. */
  readonly series: Int32Array;
  readonly texts: Int32Array | null;
  readonly time: Float64Array;
  readonly value: Float64Array | null;
  readonly missing: Uint8Array | null;
  readonly step: Float64Array | null;
}

/** What is in the columns of a row group. */
export interface Read {
  readonly host: Rows | null;
  readonly entity: Rows | null;
  readonly metric: Rows | null;
  readonly time: Rows | null;
  readonly value: Rows | null;
  readonly step: Rows | null;
  readonly text: Rows | null;
}

export class ForeignRows {
  readonly #name: string;
  readonly #limits: ForeignLimits;
  readonly #turns: Turns;
  readonly #words: Words;
  readonly #keys: SeriesKey[] = [];
  /** Rows of each series, and the row group in which its first one is. */
  readonly #counts: number[] = [];
  readonly #firsts: number[] = [];
  /** Numbers of things by those of host and entity, and of series by those of thing and metric. */
  readonly #things = new Map<number, number>();
  readonly #series = new Map<number, number>();
  readonly #batches: Batch[] = [];

  constructor(name: string, limits: ForeignLimits, turns: Turns) {
    this.#name = name;
    this.#limits = limits;
    this.#turns = turns;
    this.#words = new Words(name, limits);
  }

  /** @throws RecordingError when there are too many series or texts. */
  async add(rows: number, read: Read): Promise<void> {
    const series = new Int32Array(rows);
    const texts = read.text && new Int32Array(rows);
    for (let row = 0; row < rows; row++) {
      const number = this.#seriesOf(read, row);
      series[row] = number;
      this.#counts[number] = (this.#counts[number] as number) + 1;
      if (texts) texts[row] = this.#words.number(read.text?.texts[row]);
      if (row % AT_ONCE === 0) await this.#turns.next();
    }
    this.#words.forget();
    const { value, step } = read;
    this.#batches.push({
      rows,
      series,
      texts: texts?.some((text) => text > 0) ? texts : null,
      time: read.time?.numbers ?? new Float64Array(rows),
      value: value?.numbers ?? null,
      missing: value?.absent ?? null,
      step: step?.numbers ?? null,
    });
  }

  #seriesOf({ host, entity, metric }: Read, row: number): number {
    const words = this.#words;
    const h = words.number(host?.texts[row]);
    const e = words.number(entity?.texts[row]);
    const m = words.number(metric?.texts[row]);
    const thing = numbered(this.#things, h, e);
    const series = numbered(this.#series, thing, m);
    if (series === this.#keys.length) {
      if (series >= this.#limits.series) {
        throw tooLarge(this.#name, counted(this.#limits.series, "series"));
      }
      const word = (number: number) => words.all[number] as string;
      this.#keys.push({ host: word(h), entity: word(e), metric: word(m) });
      this.#counts.push(0);
      this.#firsts.push(this.#batches.length);
    }
    return series;
  }

  /** Metrics in the order in which they appear, those of one row group in order of their keys. */
  metrics(): string[] {
    const first = (number: number) => this.#firsts[number] as number;
    const key = (number: number) => this.#keys[number] as SeriesKey;
    const order = this.#keys.map((_, number) => number);
    order.sort((a, b) => first(a) - first(b) || byKey(key(a), key(b)));
    return [...new Set(order.map((number) => key(number).metric))];
  }

  /** All rows by series, in order of time. */
  async finished(): Promise<HeldSeries[]> {
    const has = (of: (batch: Batch) => unknown) => this.#batches.some((batch) => of(batch));
    const [isMissing, hasSteps, hasTexts] = [
      has(({ value, missing }) => !value || missing),
      has(({ step }) => step),
      has(({ texts }) => texts),
    ];
    const made = this.#counts.map((rows) => ({
      time: new Float64Array(rows),
      value: new Float64Array(rows).fill(Number.NaN),
      missing: isMissing ? new Uint8Array(rows) : null,
      step: hasSteps ? new Float64Array(rows).fill(Number.NaN) : null,
      texts: hasTexts ? new Array<string>(rows).fill("") : null,
    }));
    const words = this.#words.all;
    const filled = new Int32Array(made.length);
    for (const batch of this.#batches) {
      const { rows, series, texts, time, value, missing, step } = batch;
      for (let row = 0; row < rows; row++) {
        const number = series[row] as number;
        const columns = made[number] as (typeof made)[number];
        const at = (filled[number] as number)++;
        columns.time[at] = time[row] as number;
        if (value) columns.value[at] = value[row] as number;
        if (columns.missing) columns.missing[at] = value ? (missing?.[row] ?? 0) : 1;
        if (columns.step && step) columns.step[at] = step[row] as number;
        if (columns.texts && texts) columns.texts[at] = words[texts[row] as number] as string;
        if (row % AT_ONCE === 0) await this.#turns.next();
      }
    }
    this.#batches.length = 0;
    const held: HeldSeries[] = [];
    for (const [number, key] of this.#keys.entries()) {
      held.push({ key, columns: await this.#inOrder(lean(made[number] as Columns)) });
      await this.#turns.next();
    }
    return held.sort((a, b) => byKey(a.key, b.key));
  }

  async #inOrder(columns: Columns): Promise<Columns> {
    if (isRising(columns.time)) return columns;
    const order = await orderOf(columns.time, this.#turns);
    return take(columns, order);
  }
}

/** More than there are different texts. */
const MOST_NUMBER = 2 ** 20;

/** The number of a pair, which is the next one when the pair is new. */
function numbered(known: Map<number, number>, one: number, other: number): number {
  const pair = one * MOST_NUMBER + other;
  let number = known.get(pair);
  if (number === undefined) {
    number = known.size;
    known.set(pair, number);
  }
  return number;
}

/** Without what is in no row. */
function lean(columns: Columns): Columns {
  const { missing, step } = columns;
  return {
    ...columns,
    missing: missing?.includes(1) ? missing : null,
    step: step?.some((one) => !Number.isNaN(one)) ? step : null,
  };
}

/** The places of rising times; those of equal time as they lie. */
export async function orderOf(time: Float64Array, turns: Turns): Promise<Uint32Array> {
  let order = new Uint32Array(time.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  const at = (place: number) => time[place] as number;
  for (let begin = 0; begin < order.length; begin += AT_ONCE) {
    order.subarray(begin, begin + AT_ONCE).sort((a, b) => at(a) - at(b) || a - b);
    await turns.next();
  }
  let merged = new Uint32Array(order.length);
  for (let size = AT_ONCE; size < order.length; size *= 2) {
    for (let begin = 0; begin < order.length; begin += 2 * size) {
      const middle = Math.min(begin + size, order.length);
      const end = Math.min(begin + 2 * size, order.length);
      let [left, right] = [begin, middle];
      for (let out = begin; out < end; out++) {
        const isLeft =
          right >= end ||
          (left < middle && at(order[left] as number) <= at(order[right] as number));
        merged[out] = order[isLeft ? left++ : right++] as number;
        if (out % AT_ONCE === 0) await turns.next();
      }
    }
    [order, merged] = [merged, order];
  }
  return order;
}
