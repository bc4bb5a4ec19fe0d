/** The tables with which ZSTD tells symbols in few bits, and bits that are read from the end. */

import { DamageError } from "./damage";

/** By state, or by the next bits: a symbol, and what leads on from it. */
export interface Cells {
  /** The table has two to this power cells. */
  readonly accuracy: number;
  readonly symbol: Uint8Array;
  /** Bits that are read next, or that the symbol took. */
  readonly bits: Uint8Array;
  /** What these are added to. */
  readonly base: Uint16Array;
}

const LEAST_ACCURACY = 5;
const MOST_HUFFMAN = 11;
const WEIGHT_ACCURACY = 6;
const MOST_WEIGHTS = 255;
/** A weight is a number of bits, or zero. */
const MOST_WEIGHT = 12;

function wrong(): DamageError {
  return new DamageError("ZSTD that cannot be");
}

function highest(number: number): number {
  return 31 - Math.clz32(number);
}

/** Bits from the end of some bytes to their beginning; above the last one stands a mark. */
export class Backward {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Bits that are not read yet. */
  left: number;

  constructor(bytes: Uint8Array) {
    const last = bytes.at(-1);
    if (!last) throw wrong();
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.left = 8 * (bytes.length - 1) + highest(last);
  }

  read(count: number): number {
    if (count > this.left) throw wrong();
    this.left -= count;
    return this.#at(this.left, count);
  }

  /** The next bits; behind the last one stand zeros. */
  peek(count: number): number {
    const missing = count - this.left;
    return missing > 0 ? this.#at(0, this.left) << missing : this.#at(this.left - count, count);
  }

  skip(count: number): void {
    if (count > this.left) throw wrong();
    this.left -= count;
  }

  #at(bit: number, count: number): number {
    const at = bit >>> 3;
    if (count <= 24 && at + 4 <= this.#bytes.length) {
      return (this.#view.getUint32(at, true) >>> (bit & 7)) & ((1 << count) - 1);
    }
    let number = 0;
    for (let k = 0; k < 5; k++) number += (this.#bytes[at + k] ?? 0) * 256 ** k;
    return Math.floor(number / 2 ** (bit & 7)) % 2 ** count;
  }
}

/** How often each symbol comes: -1 is less than once. */
export interface Shares {
  readonly shares: readonly number[];
  readonly accuracy: number;
  readonly end: number;
}

/** Read the shares of symbols up to `most`. */
export function readFse(bytes: Uint8Array, mostAccuracy: number, most: number): Shares {
  let bit = 0;
  const peek = (count: number) => {
    let number = 0;
    for (let k = 0; k < 4; k++) number += (bytes[(bit >> 3) + k] ?? 0) * 256 ** k;
    return Math.floor(number / 2 ** (bit & 7)) % 2 ** count;
  };
  const accuracy = peek(4) + LEAST_ACCURACY;
  if (accuracy > mostAccuracy) throw wrong();
  bit = 4;
  const shares: number[] = [];
  for (let left = 1 << accuracy; left > 0; ) {
    const width = highest(left + 1) + 1;
    const value = peek(width);
    const mask = (1 << (width - 1)) - 1;
    const few = (1 << width) - 1 - (left + 1);
    let share = value & mask;
    bit += width - 1;
    if (share >= few) {
      bit++;
      share = value > mask ? value - few : value;
    }
    share--;
    left -= Math.abs(share);
    shares.push(share);
    for (let more = share === 0 ? 3 : 0; more === 3; ) {
      more = peek(2);
      bit += 2;
      for (let k = 0; k < more; k++) shares.push(0);
      if (shares.length > most + 1) throw wrong();
    }
    if (left < 0 || shares.length > most + 1) throw wrong();
  }
  const end = (bit + 7) >> 3;
  if (end > bytes.length) throw wrong();
  return { shares, accuracy, end };
}

/** The states in which symbols come in their shares. */
export function fseTable(shares: readonly number[], accuracy: number): Cells {
  const size = 1 << accuracy;
  const [symbol, bits, base] = [new Uint8Array(size), new Uint8Array(size), new Uint16Array(size)];
  let high = size;
  for (const [one, share] of shares.entries()) if (share === -1) symbol[--high] = one;
  const step = (size >> 1) + (size >> 3) + 3;
  let place = 0;
  for (const [one, share] of shares.entries()) {
    for (let k = 0; k < share; k++) {
      symbol[place] = one;
      do {
        place = (place + step) & (size - 1);
      } while (place >= high);
    }
  }
  if (place !== 0) throw wrong();
  const next = shares.map((share) => Math.abs(share));
  for (let state = 0; state < size; state++) {
    const one = symbol[state] as number;
    const number = next[one] as number;
    next[one] = number + 1;
    bits[state] = accuracy - highest(number);
    base[state] = (number << (bits[state] as number)) - size;
  }
  return { accuracy, symbol, bits, base };
}

/** The table of Huffman codes that some bytes begin with, by the next bits. */
export function huffmanTable(bytes: Uint8Array): { readonly table: Cells; readonly end: number } {
  const [head] = bytes;
  if (head === undefined) throw wrong();
  const end = 1 + (head < 128 ? head : (head - 126) >> 1);
  if (end > bytes.length) throw wrong();
  const content = bytes.subarray(1, end);
  const weights = head < 128 ? fseWeights(content) : plainWeights(content, head - 127);
  let sum = 0;
  for (const weight of weights) {
    if (weight > MOST_WEIGHT) throw wrong();
    sum += weight > 0 ? 2 ** (weight - 1) : 0;
  }
  if (sum === 0) throw wrong();
  const accuracy = highest(sum) + 1;
  const rest = 2 ** accuracy - sum;
  // What is left belongs to the last symbol, which is not told.
  if (accuracy > MOST_HUFFMAN || (rest & (rest - 1)) !== 0) throw wrong();
  weights.push(highest(rest) + 1);
  const size = 1 << accuracy;
  const table = {
    accuracy,
    symbol: new Uint8Array(size),
    bits: new Uint8Array(size),
    base: new Uint16Array(0),
  };
  let place = 0;
  for (let weight = 1; weight <= accuracy; weight++) {
    for (const [symbol, own] of weights.entries()) {
      if (own !== weight) continue;
      const until = place + 2 ** (weight - 1);
      table.symbol.fill(symbol, place, until);
      table.bits.fill(accuracy + 1 - weight, place, until);
      place = until;
    }
  }
  if (place !== size) throw wrong();
  return { table, end };
}

function plainWeights(content: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const byte = content[i >> 1] as number;
    return i % 2 === 0 ? byte >> 4 : byte & 15;
  });
}

function fseWeights(content: Uint8Array): number[] {
  const { shares, accuracy, end } = readFse(content, WEIGHT_ACCURACY, MOST_WEIGHT);
  const { symbol, bits, base } = fseTable(shares, accuracy);
  const reader = new Backward(content.subarray(end));
  // Two states take turns; the weights end when one of them finds too few bits to go on.
  const states = [reader.read(accuracy), reader.read(accuracy)] as [number, number];
  const weights: number[] = [];
  for (let turn = 0; ; turn = 1 - turn) {
    const state = states[turn] as number;
    weights.push(symbol[state] as number);
    if (weights.length > MOST_WEIGHTS) throw wrong();
    if ((bits[state] as number) > reader.left) {
      weights.push(symbol[states[1 - turn] as number] as number);
      break;
    }
    states[turn] = (base[state] as number) + reader.read(bits[state] as number);
  }
  if (weights.length > MOST_WEIGHTS) throw wrong();
  return weights;
}
