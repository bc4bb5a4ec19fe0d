/** The pages of a column chunk: their headers, where they begin, and their content. */

import { unpacked } from "./codecs";
import { crc32 } from "./crc";
import { DamageError } from "./damage";
import type { Chunk } from "./footer";
import { decode, I32, I64, key, LIST, STRUCT, type Struct } from "./thrift";

const TYPE = key(1, I32);
const UNPACKED = key(2, I32);
const PACKED = key(3, I32);
const CRC = key(4, I32);
const DATA = key(5, STRUCT);
const WORDS = key(7, STRUCT);
const DATA_2 = key(8, STRUCT);

const VALUES = key(1, I32);
const ENCODING = key(2, I32);
const NULLS_2 = key(2, I32);
const ENCODING_2 = key(4, I32);
const DEFINED_2 = key(5, I32);
const REPEATED_2 = key(6, I32);
/** A truth: whether the values of such a page are packed. */
const IS_PACKED_2 = key(7, 1);

const LOCATIONS = key(1, LIST);
const PLACE = key(1, I64);
const SIZE = key(2, I32);
const FIRST_ROW = key(3, I64);
const LEASTS = key(2, LIST);
const MOSTS = key(3, LIST);

/** Bytes of a header; one with the bounds of long texts has some thousands. */
const LONGEST = 1 << 16;
const MOST_VALUES = 1000;

export interface Page {
  readonly isWords: boolean;
  /** Rows of a data page, words of a dictionary. */
  readonly values: number;
  readonly encoding: number;
  /** The levels, of which a page of version 2 tells how many bytes they are; else null. */
  readonly levels: { readonly repeated: number; readonly defined: number } | null;
  readonly unpacked: number;
  readonly isPacked: boolean;
  readonly content: Uint8Array;
  /** Where in the chunk the next page begins. */
  readonly end: number;
}

/**
 * The page at a place of a chunk.
 *
 * @throws DamageError when it is none, or its content does not match its checksum.
 */
export function pageAt(bytes: Uint8Array, place: number, chunk: Chunk): Page {
  const { struct: header, length } = decode(bytes.subarray(place, place + LONGEST), MOST_VALUES);
  const begin = place + length;
  const [packed, size] = [told(header, PACKED), told(header, UNPACKED)];
  const end = begin + packed;
  if (end > bytes.length) throw new DamageError("a page is longer than its column");
  if (size > chunk.unpacked) throw new DamageError("a page unpacks to more than its column");
  const content = bytes.subarray(begin, end);
  const crc = header.get(CRC);
  if (typeof crc === "number" && crc32(content) !== crc >>> 0) {
    throw new DamageError("a page does not match its checksum");
  }
  const common = { unpacked: size, content, end };
  const about = [DATA, WORDS, DATA_2].map((field) => header.get(field) as Struct | undefined);
  switch (header.get(TYPE)) {
    case 0:
      return { ...common, ...shape(about[0], ENCODING), isWords: false };
    case 2:
      return { ...common, ...shape(about[1], ENCODING), isWords: true };
    case 3:
      return { ...common, ...secondShape(about[2]), isWords: false };
    default:
      throw new DamageError("a page is of a type that is not known");
  }
}

function shape(body: Struct | undefined, encoding: number) {
  if (!body) throw new DamageError("a page does not say what is in it");
  return {
    values: told(body, VALUES),
    encoding: told(body, encoding),
    levels: null,
    isPacked: true,
  };
}

function secondShape(body: Struct | undefined) {
  const levels = body && { repeated: told(body, REPEATED_2), defined: told(body, DEFINED_2) };
  if (!body || !levels) throw new DamageError("a page does not say what is in it");
  told(body, NULLS_2);
  return { ...shape(body, ENCODING_2), levels, isPacked: body.get(IS_PACKED_2) !== false };
}

function told(of: Struct, field: number): number {
  const found = of.get(field);
  if (typeof found !== "number" || found < 0) {
    throw new DamageError("a page lacks a number, or has one that cannot be");
  }
  return found;
}

/** The levels and values of a page, unpacked; levels of version 2 are never packed. */
export function contentOf(page: Page, codec: number): Uint8Array {
  const { levels, content } = page;
  if (!page.isPacked) return content;
  if (!levels) return unpacked(codec, content, page.unpacked);
  const lead = levels.repeated + levels.defined;
  if (lead > page.unpacked || lead > content.length) {
    throw new DamageError("a page has more levels than content");
  }
  const whole = new Uint8Array(page.unpacked);
  whole.set(content.subarray(0, lead));
  whole.set(unpacked(codec, content.subarray(lead), page.unpacked - lead), lead);
  return whole;
}

/** A data page as the offset index has it: places in the file, and its first row. */
export interface Located {
  readonly begin: number;
  readonly end: number;
  readonly first: number;
  /** The row behind its last. */
  readonly until: number;
}

/** What the offset index says of a chunk; null when that contradicts the chunk or itself. */
export function locatedIn(index: Uint8Array, chunk: Chunk): Located[] | null {
  let lines: { place: number; size: number; row: number }[];
  try {
    const found = decode(index).struct.get(LOCATIONS);
    if (!Array.isArray(found)) return null;
    lines = (found as Struct[]).map((line) => ({
      place: told(line, PLACE),
      size: told(line, SIZE),
      row: told(line, FIRST_ROW),
    }));
  } catch {
    return null;
  }
  if (lines.length === 0 || lines[0]?.row !== 0 || lines[0].place !== chunk.pages) return null;
  // Pages lie one behind the other, so each line of the index is checked by the next.
  const located = lines.map(({ place, row }, i) => ({
    begin: place,
    end: lines[i + 1]?.place ?? chunk.end,
    first: row,
    until: lines[i + 1]?.row ?? chunk.rows,
  }));
  const fits = located.every(
    ({ begin, end, first, until }, i) => end - begin === lines[i]?.size && first < until,
  );
  return fits ? located : null;
}

/** Least and greatest time of each page, as the column index has them; null when it has not. */
export function timesIn(index: Uint8Array, pages: number): [number, number][] | null {
  try {
    const { struct } = decode(index);
    const [leasts, mosts] = [struct.get(LEASTS), struct.get(MOSTS)] as [Uint8Array[], Uint8Array[]];
    if (leasts.length !== pages || mosts.length !== pages) return null;
    return leasts.map((least, i) => [integerOf(least), integerOf(mosts[i] as Uint8Array)]);
  } catch {
    return null;
  }
}

/** A statistic of an int64 column. */
export function integerOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length !== 8) throw new DamageError("a statistic of a column is no value of it");
  return Number(view.getBigInt64(0, true));
}
