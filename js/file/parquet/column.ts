/** Some rows of a column chunk, page by page; a page that is damaged costs its rows alone. */

import { DamageError } from "./damage";
import type { Chunk } from "./footer";
import { type Located, type Page, pageAt } from "./pages";
import { type Keep, keepEach } from "./texts";
import { type Piece, pieceOf, type Values, wordsOf } from "./values";

/** The bytes of a file from `begin` to `end`. */
export type BytesOf = (begin: number, end: number) => Uint8Array;

/** Rows of a column, from one row of its row group to another. */
export interface Rows {
  /** NaN where there is no value; empty of a column of texts. */
  readonly numbers: Float64Array;
  /** One a row, null where there is none; empty of a column of numbers. */
  readonly texts: readonly (Uint8Array | null)[];
  /** 1 where there is no value; null where every row has one. */
  readonly absent: Uint8Array | null;
  /** 1 where the rows are damaged; null where none is. */
  readonly lost: Uint8Array | null;
}

/** The pages that have rows from `first` to `end`. */
export function touching(
  located: readonly Located[],
  first: number,
  end: number,
): readonly Located[] {
  return located.filter((page) => page.first < end && page.until > first);
}

/**
 * The rows from `first` to `end`.
 *
 * @param located Where the pages lie; null: one behind the other, each telling its own rows. Then
 * the bytes of the whole chunk are needed, and what is behind a damaged page is lost.
 */
export function readRows(
  bytes: BytesOf,
  chunk: Chunk,
  located: readonly Located[] | null,
  first: number,
  end: number,
): Rows {
  const reading = pageByPage(bytes, chunk, located, [first, end], keepEach);
  for (;;) {
    const { done, value } = reading.next();
    if (done) return value;
  }
}

/** All rows of a chunk, with a pause behind every page in which others get their turn. */
export async function readAllRows(
  bytes: BytesOf,
  chunk: Chunk,
  keep: Keep,
  pause: () => Promise<void>,
): Promise<Rows> {
  const reading = pageByPage(bytes, chunk, null, [0, chunk.rows], keep);
  for (;;) {
    const { done, value } = reading.next();
    if (done) return value;
    await pause();
  }
}

function* pageByPage(
  bytes: BytesOf,
  given: Chunk,
  located: readonly Located[] | null,
  [first, end]: readonly [number, number],
  keep: Keep,
): Generator<void, Rows> {
  const out = new Filled(first, end);
  const chunk = located ? given : behindWords(bytes, given);
  let words: Values | null | undefined;
  const dictionary = (): Values | null => {
    if (words === undefined) words = tried(() => dictionaryOf(bytes, chunk, keep));
    return words;
  };
  for (const { page, from } of located
    ? pagesAt(bytes, chunk, touching(located, first, end))
    : pagesBehind(bytes, chunk, end)) {
    if (from + page.values <= first) continue;
    try {
      out.put(from, pieceOf(page, chunk, dictionary, keep));
    } catch (problem) {
      if (!(problem instanceof DamageError)) throw problem;
    }
    yield;
  }
  return out.rows();
}

/**
 * The chunk with its data pages where its dictionary ends. Some writers tell another place for
 * them: that of the dictionary.
 */
function behindWords(bytes: BytesOf, chunk: Chunk): Chunk {
  if (chunk.begin >= chunk.end) return chunk;
  const page = tried(() => pageAt(bytes(chunk.begin, chunk.end), 0, chunk));
  return page?.isWords ? { ...chunk, pages: chunk.begin + page.end } : chunk;
}

function dictionaryOf(bytes: BytesOf, chunk: Chunk, keep: Keep): Values | null {
  if (chunk.begin >= chunk.pages) return null;
  const page = pageAt(bytes(chunk.begin, chunk.pages), 0, chunk);
  if (!page.isWords || page.end !== chunk.pages - chunk.begin) {
    throw new DamageError("a column does not begin with its dictionary");
  }
  return wordsOf(page, chunk, keep);
}

interface Placed {
  readonly page: Page;
  readonly from: number;
}

function* pagesAt(bytes: BytesOf, chunk: Chunk, located: readonly Located[]): Iterable<Placed> {
  for (const { begin, end, first, until } of located) {
    const page = tried(() => pageAt(bytes(begin, end), 0, chunk));
    const isThere = page && !page.isWords && page.values === until - first;
    if (isThere && page.end === end - begin) yield { page, from: first };
  }
}

function* pagesBehind(bytes: BytesOf, chunk: Chunk, until: number): Iterable<Placed> {
  const whole = bytes(chunk.begin, chunk.end);
  let from = 0;
  for (let at = chunk.pages - chunk.begin; at < whole.length && from < until; ) {
    const place = at;
    const page = tried(() => pageAt(whole, place, chunk));
    if (!page || page.isWords || from + page.values > chunk.rows) return;
    yield { page, from };
    from += page.values;
    at = page.end;
  }
}

function tried<T>(read: () => T): T | null {
  try {
    return read();
  } catch (problem) {
    if (problem instanceof DamageError) return null;
    throw problem;
  }
}

/** Rows that come page by page. */
class Filled {
  readonly #first: number;
  readonly #length: number;
  #numbers: Float64Array | null = null;
  #texts: (Uint8Array | null)[] | null = null;
  #absent: Uint8Array | null = null;
  readonly #lost: Uint8Array;
  #left: number;

  constructor(first: number, end: number) {
    this.#first = first;
    this.#length = end - first;
    this.#left = this.#length;
    this.#lost = new Uint8Array(this.#length).fill(1);
  }

  put(from: number, { rows, values, absent }: Piece): void {
    const [begin, end] = [
      Math.max(from, this.#first),
      Math.min(from + rows, this.#first + this.#length),
    ];
    if (begin >= end) return;
    const at = begin - this.#first;
    const [first, last] = [begin - from, end - from];
    if (values.texts) {
      this.#texts ??= new Array<Uint8Array | null>(this.#length).fill(null);
      for (let i = first; i < last; i++) {
        this.#texts[at + i - first] = absent?.[i] ? null : (values.texts[i] as Uint8Array);
      }
    } else {
      this.#numbers ??= new Float64Array(this.#length).fill(Number.NaN);
      this.#numbers.set(values.numbers.subarray(first, last), at);
    }
    if (absent) {
      this.#absent ??= new Uint8Array(this.#length);
      this.#absent.set(absent.subarray(first, last), at);
    }
    this.#lost.fill(0, at, at + end - begin);
    this.#left -= end - begin;
  }

  rows(): Rows {
    return {
      numbers: this.#numbers ?? new Float64Array(this.#texts ? 0 : this.#length).fill(Number.NaN),
      texts: this.#texts ?? [],
      absent: this.#absent,
      lost: this.#left > 0 ? this.#lost : null,
    };
  }
}
