/**
 * The messages of an Arrow IPC stream of exactly the columns of a journal. Nothing is believed:
 * sizes are checked before anything is unpacked, and all that Arrow's full validation checks.
 * https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format
 */

import { crc32 } from "../parquet/crc";
import { FlatTable } from "./flat-table";
import { unpackedFrame } from "./lz4";

const CONTINUES = 0xffffffff;
const PREFIX = 8;
const SCHEMA = 1;
const BATCH = 3;
const LZ4_FRAME = 0;
const MOST_PARTS = 64;
const MOST_MARKS = 64;
/** Bytes that one batch, and all of a journal, may unpack to. */
const MOST_BATCH = 256 * 2 ** 20;
const MOST_BATCHES = 512 * 2 ** 20;

/** Columns of fixed width: name, type and bytes a value; then texts and payloads. */
const FIXED = [
  ["series", "int32", 4],
  ["time", "timestamp[us, UTC]", 8],
  ["step", "int64", 8],
  ["value", "float64", 8],
] as const;
const PACKED = [
  ["text", "utf8"],
  ["data", "binary"],
] as const;
const COLUMNS = [...FIXED, ...PACKED].map(([name, type]) => `${name}: ${type}`).join(", ");

/** The rows of a batch, in order of arrival. */
export interface Batch {
  readonly rows: number;
  readonly series: Int32Array;
  /** Microseconds. */
  readonly time: BigInt64Array;
  readonly step: BigInt64Array;
  readonly value: Float64Array;
  readonly text: Texts;
  readonly marks: ReadonlyMap<string, Uint8Array>;
  /** CRC-32 of the columns. */
  readonly crc: number;
}

/** Texts, one after the other: text `i` lies from `offsets[i]` to `offsets[i + 1]`. */
export interface Texts {
  readonly offsets: Int32Array;
  readonly content: Uint8Array;
}

/** The next message is not here whole; more bytes may bring it. */
export class BrokenOff extends RangeError {
  constructor() {
    super("it breaks off");
  }
}

export class ArrowStream {
  #hasSchema = false;
  #unpacked = 0;

  /**
   * The message at `place`: its batch, or null for the schema, and where it ends.
   *
   * @throws BrokenOff when it is not there whole.
   * @throws Error when it is no message of a journal.
   */
  message(content: Uint8Array, place: number): { batch: Batch | null; end: number } {
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    const { about, body, end, unpacked } = soundly(() => this.#framed(view, place));
    const kind = about.byte(1);
    if (kind === SCHEMA) {
      if (this.#hasSchema) throw new RangeError("it describes its columns twice");
      if (columnsIn(about.table(2)) !== COLUMNS) {
        throw new RangeError("its columns are not those of a journal");
      }
      this.#hasSchema = true;
      return { batch: null, end };
    }
    if (kind !== BATCH) throw new Unsound(BROKEN);
    if (!this.#hasSchema) throw new RangeError("it does not describe its columns");
    this.#unpacked += unpacked;
    if (unpacked > MOST_BATCH || this.#unpacked > MOST_BATCHES) {
      throw new RangeError("it unpacks to more than any journal holds");
    }
    return { batch: batchOf(about, content.subarray(body, end)), end };
  }

  #framed(view: DataView, place: number): Framed {
    const left = view.byteLength - place - PREFIX;
    if (left < 0) throw new BrokenOff();
    const length = view.getInt32(place + 4, true);
    // A tail of zeros, as a power failure leaves it, never becomes a message.
    if (view.getUint32(place, true) !== CONTINUES || length < PREFIX) throw new Unsound(BROKEN);
    if (length > left) throw new BrokenOff();
    const header = new DataView(view.buffer, view.byteOffset + place + PREFIX, length);
    const about = FlatTable.root(header);
    const body = place + PREFIX + length;
    const bytes = about.long(3);
    if (bytes < 0) throw new Unsound(BROKEN);
    if (bytes > view.byteLength - body) throw new BrokenOff();
    const end = body + bytes;
    const isBatch = about.byte(1) === BATCH;
    const content = new DataView(view.buffer, view.byteOffset + body, bytes);
    return { about, body, end, unpacked: isBatch ? measured(about.table(2), content) : 0 };
  }
}

interface Framed {
  readonly about: FlatTable;
  readonly body: number;
  readonly end: number;
  /** Bytes that its buffers say they unpack to. */
  readonly unpacked: number;
}

function measured(batch: FlatTable, body: DataView): number {
  let unpacked = 0;
  for (const [first, bytes] of batch.pairs(2, MOST_PARTS)) {
    if (!(first >= 0 && bytes >= 0 && first + bytes <= body.byteLength)) throw new Unsound(BROKEN);
    const claimed = batch.has(3) && bytes > 0 ? Number(body.getBigInt64(first, true)) : -1;
    if (claimed < -1) throw new Unsound(BROKEN);
    unpacked += claimed < 0 ? bytes : claimed;
  }
  return unpacked;
}

/** No bytes that may follow make a message of this. */
class Unsound extends RangeError {}

/** What is wrong with the frame of a message is said in one way, as Python says it. */
function soundly<T>(read: () => T): T {
  try {
    return read();
  } catch (problem) {
    throw problem instanceof BrokenOff ? problem : new Unsound(BROKEN);
  }
}

const BROKEN = new BrokenOff().message;

/** The columns of a schema, in words. */
function columnsIn(schema: FlatTable): string {
  const fields = schema.tables(1, MOST_PARTS);
  if (schema.short(0) !== 0) return "big-endian";
  return fields.map((field) => `${field.text(0)}: ${typeOf(field)}`).join(", ");
}

/** The type of a field in words; numbers as in Arrow's `Schema.fbs`. */
function typeOf(field: FlatTable): string {
  if (field.byte(1) !== 0 || field.has(4)) return "nullable or a dictionary";
  const type = field.table(3);
  switch (field.byte(2)) {
    case 2:
      return `${type.byte(1) === 0 ? "u" : ""}int${type.int(0)}`;
    case 3:
      return `float${16 << type.short(0)}`;
    case 4:
      return "binary";
    case 5:
      return "utf8";
    case 10:
      return `timestamp[${["s", "ms", "us", "ns"][type.short(0)]}, ${type.text(1)}]`;
    default:
      return "another";
  }
}

function batchOf(about: FlatTable, body: Uint8Array): Batch {
  const batch = about.table(2);
  const rows = batch.long(0);
  const nodes = batch.pairs(1, MOST_PARTS);
  const isPacked = batch.has(3);
  if (isPacked && batch.table(3).byte(0) !== LZ4_FRAME) throw new RangeError("not packed by LZ4");
  if (nodes.length !== FIXED.length + PACKED.length) throw new RangeError("a column is missing");
  if (nodes.some(([length]) => length !== rows)) throw new RangeError("columns differ in length");
  if (nodes.some(([, nulls]) => nulls !== 0)) {
    throw new RangeError("a batch has missing values in a column that has none");
  }
  const buffers = batch.pairs(2, MOST_PARTS).map(([first, length]) => {
    const bytes = body.subarray(first, first + length);
    return isPacked ? unpacked(bytes) : bytes.slice();
  });
  let place = 0;
  let crc = 0;
  const fixed = FIXED.map(([, , width]) => {
    place += 2;
    const content = cut(buffers[place - 1], rows * width);
    crc = crc32(content, crc);
    return content.buffer;
  });
  const payloads = PACKED.map(() => {
    place += 3;
    const texts = textsOf(buffers[place - 2], buffers[place - 1], rows);
    crc = crc32(texts.bytes, crc);
    crc = crc32(texts.content, crc);
    return texts;
  });
  const text = payloads[0] as Texts;
  checkUtf8(text);
  return {
    rows,
    series: new Int32Array(fixed[0] as ArrayBuffer, 0, rows),
    time: new BigInt64Array(fixed[1] as ArrayBuffer, 0, rows),
    step: new BigInt64Array(fixed[2] as ArrayBuffer, 0, rows),
    value: new Float64Array(fixed[3] as ArrayBuffer, 0, rows),
    text,
    marks: marksOf(about),
    crc,
  };
}

function unpacked(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = Number(view.getBigInt64(0, true));
  const content = bytes.subarray(8);
  return size < 0 ? content.slice() : unpackedFrame(content, size);
}

/** The first bytes of a buffer, which begins where typed arrays may begin. */
function cut(buffer: Uint8Array<ArrayBuffer> | undefined, bytes: number): Uint8Array<ArrayBuffer> {
  if (!buffer || buffer.length < bytes) throw new RangeError("a column is shorter than its rows");
  return buffer.subarray(0, bytes);
}

function textsOf(
  offsetBytes: Uint8Array<ArrayBuffer> | undefined,
  buffer: Uint8Array<ArrayBuffer> | undefined,
  rows: number,
): Texts & { readonly bytes: Uint8Array } {
  // Arrow allows a column without rows to have no offsets.
  const isBare = rows === 0 && offsetBytes?.length === 0;
  const bytes = isBare ? new Uint8Array(4) : cut(offsetBytes, 4 * (rows + 1));
  const offsets = new Int32Array(bytes.buffer, 0, rows + 1);
  let before = 0;
  for (const offset of offsets) {
    if (offset < before) throw new RangeError("the offsets of a column run back");
    before = offset;
  }
  return { offsets, content: cut(buffer, before), bytes: isBare ? new Uint8Array(0) : bytes };
}

function checkUtf8({ offsets, content }: Texts): void {
  // Throws unless all of it is UTF-8; and no text may begin inside of a letter.
  new TextDecoder("utf-8", { fatal: true }).decode(content);
  for (const offset of offsets) {
    const byte = content[offset] ?? 0;
    if (byte >= 0x80 && byte < 0xc0) throw new RangeError("a text begins inside of a letter");
  }
}

function marksOf(about: FlatTable): Map<string, Uint8Array> {
  return new Map(about.tables(4, MOST_MARKS).map((pair) => [pair.text(0), pair.bytes(1)]));
}
