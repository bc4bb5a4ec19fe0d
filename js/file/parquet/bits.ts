/** Whole numbers packed in few bits: runs, as of levels and dictionary codes, and differences. */

import { DamageError } from "./damage";

const MOST_WIDTH = 32;
/** A number of so many bits lies in the four bytes that it begins in, at whatever bit. */
const QUICK_WIDTH = 25;
const MOST_BLOCK = 1 << 16;

/**
 * `count` numbers of `width` bits, in runs that repeat one or hold eight each.
 *
 * @throws DamageError when there are fewer, or a run holds more than are left.
 */
export function unpackRuns(bytes: Uint8Array, width: number, count: number): Uint32Array {
  if (width > MOST_WIDTH) throw new DamageError("a number has more bits than any");
  const out = new Uint32Array(count);
  const reader = new Bits(bytes);
  for (let filled = 0; filled < count; ) {
    const head = reader.varint();
    const size = Math.floor(head / 2);
    if (head % 2 === 1) {
      // Eight at a time: the last ones may be more than there are.
      const some = Math.min(8 * size, count - filled);
      if (size === 0) throw new DamageError("a run holds nothing");
      reader.unpack(out, filled, some, width);
      reader.at += Math.max(0, size * width - Math.ceil((some * width) / 8));
      filled += some;
    } else {
      if (size === 0) continue; // some writers end with an empty run
      if (size > count - filled) throw new DamageError("a run holds more than the page");
      out.fill(reader.integer((width + 7) >> 3), filled, filled + size);
      filled += size;
    }
  }
  return out;
}

/** What kind of whole numbers are packed. */
export interface Whole {
  /** Bits of a number; sums go round at so many, and not beyond them. */
  readonly bits: 32 | 64;
  readonly isSigned: boolean;
  /** They are told in units of so many. */
  readonly divisor: number;
}

export const INT64_DELTAS: Whole = { bits: 64, isSigned: true, divisor: 1 };

/**
 * Whole numbers as differences in blocks (`DELTA_BINARY_PACKED`), and where they end.
 *
 * @throws DamageError when there are other than `count`.
 */
export function unpackDeltas(
  bytes: Uint8Array,
  count: number,
  whole: Whole = INT64_DELTAS,
): { readonly values: Float64Array; readonly end: number } {
  const reader = new Bits(bytes);
  const block = reader.varint();
  const minis = reader.varint();
  const total = reader.varint();
  const each = block / minis;
  if (!(block <= MOST_BLOCK && minis > 0 && each >= 8 && each % 8 === 0)) {
    throw new DamageError("differences are packed in blocks that cannot be");
  }
  if (total !== count) throw new DamageError("a page has other rows than its header says");
  const values = new Float64Array(count);
  const first = reader.zigzag();
  if (count === 0) return { values, end: reader.at };
  if (whole.bits === 32) return { values, end: sumUp32(values, reader, first, minis, each, whole) };
  const { isSigned, divisor } = whole;
  const keepsExact = divisor > 1 || !isSigned;
  const told = (number: bigint) =>
    Number(isSigned ? quotient(number, divisor) : BigInt.asUintN(64, number));
  let exact: bigint | null = !keepsExact && Number.isSafeInteger(Number(first)) ? null : first;
  values[0] = told(first);
  const spare = new Uint32Array(each);
  for (let filled = 1; filled < count; ) {
    const least = reader.zigzag();
    const widths = reader.take(minis);
    for (const width of widths) {
      if (filled >= count) break;
      const some = Math.min(each, count - filled);
      const from = reader.at;
      const step = Number(least);
      let value = values[filled - 1] as number;
      // Of larger numbers not each one is a number of JavaScript.
      const reach = Math.abs(value) + some * (Math.abs(step) + 2 ** width);
      if (exact === null && width <= QUICK_WIDTH && reach <= Number.MAX_SAFE_INTEGER) {
        reader.unpack(spare, 0, some, width);
        for (let i = 0; i < some; i++) {
          value += step + (spare[i] as number);
          values[filled + i] = value;
        }
      } else {
        exact ??= BigInt(values[filled - 1] as number);
        for (let i = 0; i < some; i++) {
          exact = BigInt.asIntN(64, exact + least + reader.large(from * 8 + i * width, width));
          values[filled + i] = told(exact);
        }
        if (!keepsExact && Number.isSafeInteger(Number(exact))) exact = null;
      }
      reader.at = from;
      reader.take((each * width) / 8);
      filled += some;
    }
  }
  return { values, end: reader.at };
}

/** The rest of numbers of 32 bits, behind their first one; returns where they end. */
function sumUp32(
  values: Float64Array,
  reader: Bits,
  first: bigint,
  minis: number,
  each: number,
  { isSigned }: Whole,
): number {
  let value = Number(BigInt.asIntN(32, first));
  const told = () => (isSigned ? value : value >>> 0);
  values[0] = told();
  const spare = new Uint32Array(each);
  for (let filled = 1; filled < values.length; ) {
    const least = Number(BigInt.asIntN(32, reader.zigzag()));
    for (const width of reader.take(minis)) {
      if (filled >= values.length) break;
      if (width > 32) throw new DamageError("a number has more bits than any");
      const some = Math.min(each, values.length - filled);
      const from = reader.at;
      reader.unpack(spare, 0, some, width);
      for (let i = 0; i < some; i++) {
        value = (value + least + (spare[i] as number)) | 0;
        values[filled + i] = told();
      }
      reader.at = from;
      reader.take((each * width) / 8);
      filled += some;
    }
  }
  return reader.at;
}

/** Rounded down, of negative numbers, too. */
export function quotient(number: bigint, divisor: number): bigint {
  if (divisor === 1) return number;
  const by = BigInt(divisor);
  const whole = number / by;
  return number < 0n && whole * by !== number ? whole - 1n : whole;
}

class Bits {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(length: number): Uint8Array {
    const end = this.at + length;
    if (end > this.#bytes.length) throw cut();
    const taken = this.#bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw cut();
    return byte;
  }

  integer(width: number): number {
    let number = 0;
    for (let k = 0; k < width; k++) number += this.byte() * 256 ** k;
    return number;
  }

  varint(): number {
    let number = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.byte();
      number += (byte & 127) * scale;
      if (byte < 128) return number;
    }
    throw new DamageError("a number has more than five bytes");
  }

  zigzag(): bigint {
    let number = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      number |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, (number >> 1n) ^ -(number & 1n));
    }
    throw new DamageError("a number has more than ten bytes");
  }

  /** Put `count` numbers of `width` bits into `out` from `first` on, and step over them. */
  unpack(out: Uint32Array, first: number, count: number, width: number): void {
    if (width === 0) {
      out.fill(0, first, first + count);
      return;
    }
    const begin = this.at;
    this.take(Math.ceil((count * width) / 8));
    const safe = this.#bytes.length - 4;
    if (width > QUICK_WIDTH) {
      for (let i = 0; i < count; i++) out[first + i] = this.#slow(begin * 8 + i * width, width);
      return;
    }
    const mask = 2 ** width - 1;
    let bit = begin * 8;
    for (let i = first; i < first + count; i++, bit += width) {
      const at = bit >>> 3;
      out[i] =
        at <= safe ? (this.#view.getUint32(at, true) >>> (bit & 7)) & mask : this.#slow(bit, width);
    }
  }

  /** The number of `width` bits, at most 52, that begins at a bit. */
  #slow(bit: number, width: number): number {
    let at = Math.floor(bit / 8);
    let number = (this.#bytes[at] as number) >>> (bit % 8);
    let have = 8 - (bit % 8);
    for (; have < width; have += 8) number += (this.#bytes[++at] as number) * 2 ** have;
    return number % 2 ** width;
  }

  large(bit: number, width: number): bigint {
    if (width > 64) throw new DamageError("a number has more bits than any");
    let number = 0n;
    const first = Math.floor(bit / 8);
    const last = Math.floor((bit + width - 1) / 8);
    for (let at = last; at >= first && width > 0; at--) {
      const byte = this.#bytes[at];
      if (byte === undefined) throw cut();
      number = (number << 8n) | BigInt(byte);
    }
    return BigInt.asUintN(width, number >> BigInt(bit % 8));
  }
}

function cut(): DamageError {
  return new DamageError("a page breaks off");
}
