/** The values of pages, whichever of the encodings of Parquet they are in. */

import { quotient, unpackDeltas, unpackRuns, type Whole } from "./bits";
import { DamageError } from "./damage";
import { readerOf } from "./fixed";
import {
  BYTE_ARRAY,
  type Chunk,
  DOUBLE,
  FIXED,
  FLOAT,
  INT32,
  INT64,
  INT96,
  type Leaf,
} from "./footer";
import { contentOf, type Page } from "./pages";
import { type Keep, keepEach } from "./texts";

const BOOLEAN = 0;

const PLAIN = 0;
const PLAIN_WORDS = 2;
const RUNS = 3;
const DELTA = 5;
const DELTA_LENGTH = 6;
const DELTA_BYTES = 7;
const WORDS = 8;
const SPLIT = 9;

/** Numbers, or texts and payloads as bytes. */
export type Values =
  | { readonly numbers: Float64Array; readonly texts?: undefined }
  | { readonly texts: readonly Uint8Array[]; readonly numbers?: undefined };

/** What is in some rows of a column. */
export interface Piece {
  readonly rows: number;
  /** One a row; in a row without a value it means nothing. */
  readonly values: Values;
  /** 1 where there is no value; null where every row has one. */
  readonly absent: Uint8Array | null;
}

const NOTHING = new Uint8Array(0);

/** The words of a dictionary page. */
export function wordsOf(page: Page, chunk: Chunk, keep: Keep = keepEach): Values {
  if (page.encoding !== PLAIN && page.encoding !== PLAIN_WORDS) {
    throw new DamageError("a dictionary is packed in a way that is not known");
  }
  const content = contentOf(page, chunk.codec);
  // A word takes a byte of its own or more, so that no few bytes claim many words.
  if (page.values > content.length) throw new DamageError("a dictionary has fewer words");
  return plain(content, page.values, chunk, keep);
}

/** The rows of a data page. */
export function pieceOf(
  page: Page,
  chunk: Chunk,
  words: () => Values | null,
  keep: Keep = keepEach,
): Piece {
  const { defined, repeated } = chunk.leaf;
  if (repeated > 0 || defined > 1) throw new DamageError("a column is nested");
  let content = contentOf(page, chunk.codec);
  const rows = page.values;
  let absent: Uint8Array | null = null;
  if (page.levels) {
    const { repeated: skip, defined: bytes } = page.levels;
    if (defined > 0) absent = absentIn(content.subarray(skip, skip + bytes), rows);
    content = content.subarray(skip + bytes);
  } else if (defined > 0) {
    if (content.length < 4) throw new DamageError("a page breaks off");
    const bytes = new DataView(content.buffer, content.byteOffset).getUint32(0, true);
    if (bytes > content.length - 4) throw new DamageError("a page breaks off");
    absent = absentIn(content.subarray(4, 4 + bytes), rows);
    content = content.subarray(4 + bytes);
  }
  let there = rows;
  if (absent) for (let i = 0; i < rows; i++) there -= absent[i] as number;
  if (there === rows) absent = null;
  const packed = { content, count: there, encoding: page.encoding };
  const dense = there === 0 ? none(chunk) : denseOf(packed, chunk, words, keep);
  return { rows, values: absent ? apart(dense, absent) : dense, absent };
}

function none(chunk: Chunk): Values {
  return isBytes(chunk) ? { texts: [] } : { numbers: new Float64Array(0) };
}

function isBytes({ leaf }: Chunk): boolean {
  return leaf.kind === BYTE_ARRAY || (leaf.kind === FIXED && !readerOf(leaf));
}

function absentIn(levels: Uint8Array, rows: number): Uint8Array {
  const absent = new Uint8Array(rows);
  const defined = unpackRuns(levels, 1, rows);
  for (let i = 0; i < rows; i++) absent[i] = defined[i] === 0 ? 1 : 0;
  return absent;
}

/** Values in their rows, which are not all there. */
function apart(dense: Values, absent: Uint8Array): Values {
  let next = 0;
  if (dense.texts) {
    const { texts } = dense;
    const apart = new Array<Uint8Array>(absent.length).fill(NOTHING);
    for (let i = 0; i < absent.length; i++) {
      if (absent[i] === 0) apart[i] = texts[next++] as Uint8Array;
    }
    return { texts: apart };
  }
  const numbers = new Float64Array(absent.length).fill(Number.NaN);
  for (let i = 0; i < absent.length; i++) {
    if (absent[i] === 0) numbers[i] = dense.numbers[next++] as number;
  }
  return { numbers };
}

interface Packed {
  readonly content: Uint8Array;
  readonly count: number;
  readonly encoding: number;
}

function denseOf(
  { content, count, encoding }: Packed,
  chunk: Chunk,
  words: () => Values | null,
  keep: Keep,
): Values {
  if (!chunk.encodings.includes(encoding)) {
    throw new DamageError("a page is packed otherwise than its column says");
  }
  const { kind } = chunk.leaf;
  switch (encoding) {
    case PLAIN:
      return plain(content, count, chunk, keep);
    case PLAIN_WORDS:
    case WORDS:
      return lookedUp(content, count, words());
    case RUNS: {
      if (kind !== BOOLEAN) break;
      return { numbers: Float64Array.from(unpackRuns(content.subarray(4), 1, count)) };
    }
    case DELTA:
      if (kind !== INT32 && kind !== INT64) break;
      return { numbers: unpackDeltas(content, count, wholeOf(chunk.leaf)).values };
    case DELTA_LENGTH: {
      if (kind !== BYTE_ARRAY) break;
      const { values, end } = unpackDeltas(content, count);
      return { texts: cutInto(content.subarray(end), values, keep) };
    }
    case DELTA_BYTES: {
      if (kind !== BYTE_ARRAY && kind !== FIXED) break;
      const texts = prefixed(content, count, chunk.unpacked, keep);
      return kind === FIXED ? fixed(texts, chunk) : { texts };
    }
    case SPLIT:
      if (kind === BOOLEAN || kind === BYTE_ARRAY || kind === INT96) break;
      return plain(gathered(content, count, chunk.leaf.width), count, chunk, keep);
  }
  throw new DamageError("a page is packed in a way that is not known");
}

function wholeOf({ kind, type, divisor }: Leaf): Whole {
  return { bits: kind === INT32 ? 32 : 64, isSigned: type !== "unsigned", divisor };
}

/** Values as they are, one behind the other. Some writers leave bytes behind them. */
function plain(content: Uint8Array, count: number, { leaf }: Chunk, keep: Keep): Values {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (leaf.kind === BYTE_ARRAY) return { texts: lengthFirst(content, view, count, keep) };
  const { kind, width } = leaf;
  if (content.length < (kind === BOOLEAN ? Math.ceil(count / 8) : count * width)) {
    throw new DamageError("a page has other rows than its header says");
  }
  const one = numberIn(content, view, leaf);
  if (!one) {
    const text = (i: number) => keep(content, i * width, (i + 1) * width);
    return { texts: Array.from({ length: count }, (_, i) => text(i)) };
  }
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) numbers[i] = one(i);
  return { numbers };
}

/** Reads the number at a place among values as they are; null where these are no numbers. */
function numberIn(
  content: Uint8Array,
  view: DataView,
  leaf: Leaf,
): ((place: number) => number) | null {
  const { kind, type, divisor, width } = leaf;
  const isSigned = type !== "unsigned";
  switch (kind) {
    case BOOLEAN:
      return (i) => ((content[i >> 3] as number) >> (i & 7)) & 1;
    case INT32:
      return isSigned ? (i) => view.getInt32(4 * i, true) : (i) => view.getUint32(4 * i, true);
    case INT64:
      if (divisor !== 1) return (i) => Number(quotient(view.getBigInt64(8 * i, true), divisor));
      return isSigned
        ? (i) => view.getInt32(8 * i + 4, true) * 2 ** 32 + view.getUint32(8 * i, true)
        : (i) => view.getUint32(8 * i + 4, true) * 2 ** 32 + view.getUint32(8 * i, true);
    case FLOAT:
      return (i) => view.getFloat32(4 * i, true);
    case DOUBLE:
      return (i) => view.getFloat64(8 * i, true);
  }
  const read = readerOf(leaf);
  return read && ((i) => read(view, i * width));
}

/** Values of one width that lie apart. */
function fixed(texts: readonly Uint8Array[], chunk: Chunk): Values {
  const { width } = chunk.leaf;
  if (texts.some(({ length }) => length !== width)) {
    throw new DamageError("a value has another width than its column");
  }
  if (isBytes(chunk)) return { texts };
  const whole = new Uint8Array(texts.length * width);
  for (const [i, text] of texts.entries()) whole.set(text, i * width);
  return plain(whole, texts.length, chunk, keepEach);
}

function lengthFirst(content: Uint8Array, view: DataView, count: number, keep: Keep): Uint8Array[] {
  const texts: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > content.length) throw new DamageError("a page breaks off");
    const end = at + 4 + view.getUint32(at, true);
    if (end > content.length) throw new DamageError("a page breaks off");
    texts.push(keep(content, at + 4, end));
    at = end;
  }
  return texts;
}

function lookedUp(content: Uint8Array, count: number, words: Values | null): Values {
  if (!words) throw new DamageError("a column lacks its dictionary");
  const [width] = content;
  if (width === undefined) throw new DamageError("a page breaks off");
  const codes = unpackRuns(content.subarray(1), width, count);
  const known = (words.texts ?? words.numbers).length;
  for (let i = 0; i < count; i++) {
    if ((codes[i] as number) >= known)
      throw new DamageError("a page names a word that is not there");
  }
  if (words.texts) {
    const { texts } = words;
    const found = new Array<Uint8Array>(count);
    for (let i = 0; i < count; i++) found[i] = texts[codes[i] as number] as Uint8Array;
    return { texts: found };
  }
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) numbers[i] = words.numbers[codes[i] as number] as number;
  return { numbers };
}

function cutInto(content: Uint8Array, lengths: Float64Array, keep: Keep): Uint8Array[] {
  let at = 0;
  return Array.from(lengths, (length) => {
    if (!(length >= 0 && at + length <= content.length)) throw new DamageError("a page breaks off");
    at += length;
    return keep(content, at - length, at);
  });
}

/** Texts of which each begins as the one before it does, together no longer than the column. */
function prefixed(content: Uint8Array, count: number, most: number, keep: Keep): Uint8Array[] {
  const { values: shared, end } = unpackDeltas(content, count);
  const { values: lengths, end: begin } = unpackDeltas(content.subarray(end), count);
  const rest = content.subarray(end + begin);
  let before: Uint8Array = NOTHING;
  let [total, at] = [0, 0];
  return Array.from(lengths, (length, i) => {
    const lead = shared[i] as number;
    if (!(length >= 0 && at + length <= rest.length)) throw new DamageError("a page breaks off");
    const ending = rest.subarray(at, at + length);
    at += length;
    total += lead + length;
    if (!(lead >= 0 && lead <= before.length && total <= PREFIXED_TIMES * most)) {
      throw new DamageError("a text begins as none before it does");
    }
    const whole = new Uint8Array(lead + length);
    whole.set(before.subarray(0, lead));
    whole.set(ending, lead);
    before = keep(whole, 0, whole.length);
    return before;
  });
}

/** Texts that share their beginnings may come to so many times what they take in the file. */
const PREFIXED_TIMES = 64;

function gathered(content: Uint8Array, count: number, width: number): Uint8Array {
  if (content.length !== count * width) {
    throw new DamageError("a page has other rows than its header says");
  }
  const whole = new Uint8Array(content.length);
  for (let byte = 0; byte < width; byte++) {
    for (let i = 0, from = byte * count; i < count; i++)
      whole[i * width + byte] = content[from + i] as number;
  }
  return whole;
}
