/**
 * Reads the compact protocol of Apache Thrift, in which Parquet describes itself; as
 * `pulse_widgets/storage/parquet/thrift.py` does.
 *
 * A structure is a map of values by the `key` of their field: its number and its type. What is no
 * structure is a `DamageError`: nothing deep, long or endless is followed.
 */

import { DamageError } from "./damage";

export const BOOL = 1;
const FALSE = 2;
const BYTE = 3;
const I16 = 4;
export const I32 = 5;
export const I64 = 6;
const DOUBLE = 7;
export const BINARY = 8;
export const LIST = 9;
export const STRUCT = 12;

const BITS: Readonly<Record<number, number>> = { [I16]: 16, [I32]: 32, [I64]: 64 };
/** In the head of a list: its length does not fit here and follows. */
const LONG = 15;
const LAST = 32_767;
const DEEPEST = 12;
const MOST_VALUES = 1_000_000;

export type Value = number | boolean | Uint8Array | Value[] | Struct;
export type Struct = ReadonlyMap<number, Value>;

/** What a field of a number and a type is called in a `Struct`. */
export function key(number: number, kind: number): number {
  return (number << 4) | kind;
}

/**
 * The structure that `content` begins with, and its length in bytes.
 *
 * @throws DamageError when it is none, breaks off, or is larger or deeper than any of Parquet's.
 */
export function decode(
  content: Uint8Array,
  most = MOST_VALUES,
): { readonly struct: Struct; readonly length: number } {
  const reader = new Reader(content, most);
  const struct = reader.struct(0);
  return { struct, length: reader.at };
}

class Reader {
  readonly #content: Uint8Array;
  #left: number;
  at = 0;

  constructor(content: Uint8Array, most: number) {
    this.#content = content;
    this.#left = most;
  }

  struct(depth: number): Struct {
    if (depth > DEEPEST) throw new DamageError("it is deeper than any structure of Parquet");
    const fields = new Map<number, Value>();
    let number = 0;
    for (;;) {
      const head = this.#byte();
      if (head === 0) return fields;
      const kind = head & 15;
      const step = head >> 4 || this.#integer(16) - number;
      number += step;
      if (step <= 0 || number > LAST) {
        throw new DamageError("the fields of a structure are not in order");
      }
      if (kind === BOOL || kind === FALSE) fields.set(key(number, BOOL), kind === BOOL);
      else fields.set(key(number, kind), this.#value(kind, depth));
    }
  }

  #value(kind: number, depth: number): Value {
    if (--this.#left < 0) throw new DamageError("it has more values than any structure of Parquet");
    switch (kind) {
      case I16:
      case I32:
      case I64:
        return this.#integer(BITS[kind] as number);
      case BINARY:
        return this.#bytes(this.#varint());
      case STRUCT:
        return this.struct(depth + 1);
      case LIST:
        return this.#list(depth);
      case DOUBLE: {
        const bytes = this.#bytes(8);
        return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
      }
      case BOOL:
      case FALSE: // a truth in a list has a byte of its own
        return this.#byte() === BOOL;
      case BYTE:
        return (this.#byte() << 24) >> 24;
      default:
        throw new DamageError(`no value of Parquet has the type ${kind}`);
    }
  }

  #list(depth: number): Value[] {
    const head = this.#byte();
    const kind = head & 15;
    const length = head >> 4 === LONG ? this.#varint() : head >> 4;
    // Every element takes a byte or more. A list of lists would have no bound in depth.
    if (length > this.#content.length - this.at || kind === LIST) {
      throw new DamageError("a list is longer than what is left, or one of lists");
    }
    const values: Value[] = [];
    for (let i = 0; i < length; i++) values.push(this.#value(kind, depth));
    return values;
  }

  #bytes(length: number): Uint8Array {
    const end = this.at + length;
    if (!(end <= this.#content.length)) throw new DamageError("a structure breaks off");
    const bytes = this.#content.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  #byte(): number {
    const byte = this.#content[this.at++];
    if (byte === undefined) throw new DamageError("a structure breaks off");
    return byte;
  }

  /** Up to 2^53; what is larger is no size and no place. */
  #varint(): number {
    let number = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = this.#byte();
      number += (byte & 127) * scale;
      if (byte < 128) return number;
    }
    throw new DamageError("a number has more than ten bytes");
  }

  #integer(bits: number): number {
    const packed = this.#varint();
    if (packed >= 2 ** bits) throw new DamageError(`a number has more than ${bits} bits`);
    return packed % 2 === 0 ? packed / 2 : -(packed + 1) / 2;
  }
}
