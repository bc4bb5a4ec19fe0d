/** The values of pages, whichever of the encodings of Parquet they are in. */

import { unpackDeltas, unpackRuns } from "./bits";
import { DamageError } from "./damage";
import { BYTE_ARRAY, type Chunk, DOUBLE, FIXED, FLOAT, INT32, INT64 } from "./footer";
import { contentOf, type Page } from "./pages";

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
export function wordsOf(page: Page, chunk: Chunk): Values {
  if (page.encoding !== PLAIN && page.encoding !== PLAIN_WORDS) {
    throw new DamageError("a dictionary is packed in a way that is not known");
  }
  const content = contentOf(page, chunk.codec);
  // A word takes a byte of its own or more, so that no few bytes claim many words.
  if (page.values > content.length) throw new DamageError("a dictionary has fewer words");
  return plain(content, page.values, chunk);
}

/** The rows of a data page. */
export function pieceOf(page: Page, chunk: Chunk, words: () => Values | null): Piece {
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
  const dense = there === 0 ? none(chunk) : denseOf(content, there, page.encoding, chunk, words);
  return { rows, values: absent ? apart(dense, absent) : dense, absent };
}

function none(chunk: Chunk): Values {
  return isBytes(chunk) ? { texts: [] } : { numbers: new Float64Array(0) };
}

function isBytes({ leaf: { kind } }: Chunk): boolean {
  return kind === BYTE_ARRAY || kind === FIXED || kind === 3;
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
    return { texts: Array.from(absent, (not) => (not ? NOTHING : (texts[next++] as Uint8Array))) };
  }
  const numbers = new Float64Array(absent.length).fill(Number.NaN);
  for (let i = 0; i < absent.length; i++) {
    if (absent[i] === 0) numbers[i] = dense.numbers[next++] as number;
  }
  return { numbers };
}

function denseOf(
  content: Uint8Array,
  count: number,
  encoding: number,
  chunk: Chunk,
  words: () => Values | null,
): Values {
  if (!chunk.encodings.includes(encoding)) {
    throw new DamageError("a page is packed otherwise than its column says");
  }
  const { kind } = chunk.leaf;
  switch (encoding) {
    case PLAIN:
      return plain(content, count, chunk);
    case PLAIN_WORDS:
    case WORDS:
      return lookedUp(content, count, words());
    case RUNS: {
      if (kind !== BOOLEAN) break;
      return { numbers: Float64Array.from(unpackRuns(content.subarray(4), 1, count)) };
    }
    case DELTA:
      if (kind !== INT32 && kind !== INT64) break;
      return { numbers: unpackDeltas(content, count).values };
    case DELTA_LENGTH: {
      if (!isBytes(chunk)) break;
      const { values, end } = unpackDeltas(content, count);
      return { texts: cutInto(content.subarray(end), values) };
    }
    case DELTA_BYTES:
      if (!isBytes(chunk)) break;
      return { texts: prefixed(content, count, chunk.unpacked) };
    case SPLIT:
      if (kind === BOOLEAN || isBytes(chunk)) break;
      return plain(gathered(content, count, chunk.leaf.width), count, chunk);
  }
  throw new DamageError("a page is packed in a way that is not known");
}

function plain(content: Uint8Array, count: number, { leaf }: Chunk): Values {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (leaf.kind === BYTE_ARRAY) return { texts: lengthFirst(content, view, count) };
  const size = leaf.kind === BOOLEAN ? Math.ceil(count / 8) : count * leaf.width;
  if (content.length !== size && !(leaf.kind === BOOLEAN && content.length > size)) {
    throw new DamageError("a page has other rows than its header says");
  }
  if (leaf.kind === FIXED || leaf.kind === 3) {
    const { width } = leaf;
    return {
      texts: Array.from({ length: count }, (_, i) => content.subarray(i * width, (i + 1) * width)),
    };
  }
  const numbers = new Float64Array(count);
  const read: Readonly<Record<number, (at: number) => number>> = {
    [BOOLEAN]: (i) => ((content[i >> 3] as number) >> (i & 7)) & 1,
    [INT32]: (i) => view.getInt32(4 * i, true),
    [INT64]: (i) => view.getInt32(8 * i + 4, true) * 2 ** 32 + view.getUint32(8 * i, true),
    [FLOAT]: (i) => view.getFloat32(4 * i, true),
    [DOUBLE]: (i) => view.getFloat64(8 * i, true),
  };
  const one = read[leaf.kind] as (at: number) => number;
  for (let i = 0; i < count; i++) numbers[i] = one(i);
  return { numbers };
}

function lengthFirst(content: Uint8Array, view: DataView, count: number): Uint8Array[] {
  const texts: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > content.length) throw new DamageError("a page breaks off");
    const end = at + 4 + view.getUint32(at, true);
    if (end > content.length) throw new DamageError("a page breaks off");
    texts.push(content.subarray(at + 4, end));
    at = end;
  }
  if (at !== content.length) throw new DamageError("a page has other rows than its header says");
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
    return { texts: Array.from(codes, (code) => texts[code] as Uint8Array) };
  }
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) numbers[i] = words.numbers[codes[i] as number] as number;
  return { numbers };
}

function cutInto(content: Uint8Array, lengths: Float64Array): Uint8Array[] {
  let at = 0;
  const texts = Array.from(lengths, (length) => {
    if (!(length >= 0 && at + length <= content.length)) throw new DamageError("a page breaks off");
    at += length;
    return content.subarray(at - length, at);
  });
  if (at !== content.length) throw new DamageError("a page has other rows than its header says");
  return texts;
}

/** Texts of which each begins as the one before it does, together no longer than the column. */
function prefixed(content: Uint8Array, count: number, most: number): Uint8Array[] {
  const { values: shared, end } = unpackDeltas(content, count);
  const { values: lengths, end: begin } = unpackDeltas(content.subarray(end), count);
  const rest = cutInto(content.subarray(end + begin), lengths);
  let before: Uint8Array = NOTHING;
  let total = 0;
  return rest.map((ending, i) => {
    const lead = shared[i] as number;
    total += lead + ending.length;
    if (!(lead >= 0 && lead <= before.length && total <= PREFIXED_TIMES * most)) {
      throw new DamageError("a text begins as none before it does");
    }
    const whole = new Uint8Array(lead + ending.length);
    whole.set(before.subarray(0, lead));
    whole.set(ending, lead);
    before = whole;
    return whole;
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
