/**
 * ZSTD (RFC 8878) without dictionaries. Of whatever bytes no more than what was asked for is made,
 * and no copy runs past it: pages may come from anybody.
 */

import { DamageError } from "./damage";
import { Backward, type Cells, fseTable, huffmanTable, readFse } from "./zstd-tables";

const MAGIC = 0xfd2fb528;
const SKIPPED = 0x184d2a50;
const MOST_BLOCK = 128 << 10;
const LONGEST_OFFSET = 31;

const LENGTHS = bases(0, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], 16);
const MATCHES = bases(
  3,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  32,
);

/** What a code stands for: a least number, and how many bits are added to it. */
function bases(
  first: number,
  more: readonly number[],
  single: number,
): readonly (readonly [number, number])[] {
  const made: [number, number][] = Array.from({ length: single }, (_, i) => [first + i, 0]);
  let next = first + single;
  for (const bits of more) {
    made.push([next, bits]);
    next += 2 ** bits;
  }
  return made;
}

const TWOS = (count: number) => new Array<number>(count).fill(2);
const ONES = (count: number) => new Array<number>(count).fill(1);
const RARE = (count: number) => new Array<number>(count).fill(-1);
const USUAL = {
  lengths: () =>
    fseTable([4, 3, ...TWOS(11), 1, 1, 1, ...TWOS(9), 3, 2, ...ONES(5), ...RARE(4)], 6),
  offsets: () => fseTable([...ONES(6), 2, 2, 2, ...ONES(15), ...RARE(5)], 5),
  matches: () => fseTable([1, 4, 3, ...TWOS(6), ...ONES(37), ...RARE(7)], 6),
};

/** Exactly `size` bytes. */
export function unzstd(content: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let [at, filled] = [0, 0];
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  while (at < content.length) {
    if (content.length - at < 8) throw wrong();
    const magic = view.getUint32(at, true);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPED) {
      at += 8 + view.getUint32(at + 4, true);
      if (at > content.length) throw wrong();
      continue;
    }
    if (magic !== MAGIC) throw wrong();
    const frame = new Frame(content, at + 4, out, filled);
    [at, filled] = frame.unpack();
  }
  if (filled !== size) throw wrong();
  return out;
}

function wrong(): DamageError {
  return new DamageError("ZSTD that cannot be");
}

class Frame {
  readonly #content: Uint8Array;
  readonly #out: Uint8Array;
  readonly #begin: number;
  #at: number;
  #filled: number;
  #huffman: Cells | null = null;
  readonly #tables: { lengths: Cells | null; offsets: Cells | null; matches: Cells | null } = {
    lengths: null,
    offsets: null,
    matches: null,
  };
  readonly #recent: [number, number, number] = [1, 4, 8];

  constructor(content: Uint8Array, at: number, out: Uint8Array, filled: number) {
    this.#content = content;
    this.#at = at;
    this.#out = out;
    this.#begin = this.#filled = filled;
  }

  /** Returns where the frame ends, and how many bytes are filled. */
  unpack(): [number, number] {
    const head = this.#byte();
    const isSingle = (head >> 5) & 1;
    if (head & 8 || head & 3) throw wrong();
    if (!isSingle) this.#byte();
    const bytes = [isSingle, 2, 4, 8][head >> 6] as number;
    const told = this.#integer(bytes) + (bytes === 2 ? 256 : 0);
    if (bytes > 0 && told > this.#out.length - this.#filled) throw wrong();
    for (let isLast = false; !isLast; ) {
      const block = this.#integer(3);
      isLast = (block & 1) === 1;
      this.#block((block >> 1) & 3, block >> 3);
    }
    if (bytes > 0 && told !== this.#filled - this.#begin) throw wrong();
    if (head & 4) this.#take(4); // a checksum of its own, beside that of the page
    return [this.#at, this.#filled];
  }

  #block(type: number, size: number): void {
    if (type === 0) {
      this.#put(this.#take(size));
      return;
    }
    if (type === 1) {
      const byte = this.#byte();
      this.#room(size);
      this.#out.fill(byte, this.#filled, this.#filled + size);
      this.#filled += size;
      return;
    }
    if (type !== 2 || size > MOST_BLOCK) throw wrong();
    const block = this.#take(size);
    const { literals, end } = this.#literals(block);
    this.#sequences(block.subarray(end), literals);
  }

  #literals(block: Uint8Array): { readonly literals: Uint8Array; readonly end: number } {
    const [first = 0] = block;
    const [type, form] = [first & 3, (first >> 2) & 3];
    const bits = (count: number) => {
      if (count > block.length) throw wrong();
      let number = 0;
      for (let k = 0; k < count; k++) number += (block[k] as number) * 256 ** k;
      return number;
    };
    if (type < 2) {
      const head = form === 1 ? 2 : form === 3 ? 3 : 1;
      const size = Math.floor(bits(head) / (head === 1 ? 8 : 16));
      if (size > MOST_BLOCK) throw wrong();
      const end = head + (type === 0 ? size : 1);
      if (end > block.length) throw wrong();
      if (type === 0) return { literals: block.subarray(head, end), end };
      return { literals: new Uint8Array(size).fill(block[head] as number), end };
    }
    const head = form < 2 ? 3 : form + 2;
    const width = [10, 10, 14, 18][form] as number;
    const sizes = Math.floor(bits(head) / 16);
    const [size, packed] = [sizes % 2 ** width, Math.floor(sizes / 2 ** width)];
    const end = head + packed;
    if (size > MOST_BLOCK || end > block.length) throw wrong();
    let streams = block.subarray(head, end);
    if (type === 2) {
      const tree = huffmanTable(streams);
      this.#huffman = tree.table;
      streams = streams.subarray(tree.end);
    }
    if (!this.#huffman) throw wrong();
    const literals = new Uint8Array(size);
    if (form === 0) unhuffman(streams, this.#huffman, literals);
    else fourStreams(streams, this.#huffman, literals);
    return { literals, end };
  }

  #sequences(section: Uint8Array, literals: Uint8Array): void {
    let at = 0;
    const byte = () => {
      const one = section[at++];
      if (one === undefined) throw wrong();
      return one;
    };
    let count = byte();
    if (count === 255) count = byte() + 256 * byte() + 0x7f00;
    else if (count > 127) count = 256 * (count - 128) + byte();
    if (count === 0) {
      if (at !== section.length) throw wrong();
      this.#put(literals);
      return;
    }
    const modes = byte();
    if (modes & 3) throw wrong();
    const table = (name: keyof typeof USUAL, mode: number, accuracy: number, most: number) => {
      if (mode === 0) this.#tables[name] = USUAL[name]();
      else if (mode === 1) this.#tables[name] = single(byte(), most);
      else if (mode === 2) {
        const read = readFse(section.subarray(at), accuracy, most);
        this.#tables[name] = fseTable(read.shares, read.accuracy);
        at += read.end;
      }
      const found = this.#tables[name];
      if (!found) throw wrong();
      return found;
    };
    const lengths = table("lengths", modes >> 6, 9, LENGTHS.length - 1);
    const offsets = table("offsets", (modes >> 4) & 3, 8, LONGEST_OFFSET);
    const matches = table("matches", (modes >> 2) & 3, 9, MATCHES.length - 1);
    this.#copy(count, new Backward(section.subarray(at)), literals, { lengths, offsets, matches });
  }

  #copy(
    count: number,
    bits: Backward,
    literals: Uint8Array,
    { lengths, offsets, matches }: Readonly<Record<keyof typeof USUAL, Cells>>,
  ): void {
    let length = bits.read(lengths.accuracy);
    let offset = bits.read(offsets.accuracy);
    let match = bits.read(matches.accuracy);
    let used = 0;
    for (let left = count; left > 0; left--) {
      const power = offsets.symbol[offset] as number;
      const value = 2 ** power + bits.read(power);
      const [leastMatch, matchBits] = MATCHES[matches.symbol[match] as number] as [number, number];
      const copied = leastMatch + bits.read(matchBits);
      const [leastLength, lengthBits] = LENGTHS[lengths.symbol[length] as number] as [
        number,
        number,
      ];
      const fresh = leastLength + bits.read(lengthBits);
      if (fresh > literals.length - used) throw wrong();
      this.#put(literals.subarray(used, used + fresh));
      used += fresh;
      this.#repeat(this.#distance(value, fresh === 0), copied);
      if (left === 1) break;
      length = (lengths.base[length] as number) + bits.read(lengths.bits[length] as number);
      match = (matches.base[match] as number) + bits.read(matches.bits[match] as number);
      offset = (offsets.base[offset] as number) + bits.read(offsets.bits[offset] as number);
    }
    if (bits.left !== 0) throw wrong();
    this.#put(literals.subarray(used));
  }

  /** How far back a match lies; small values mean one of the last three distances. */
  #distance(value: number, isShifted: boolean): number {
    const recent = this.#recent;
    const [one, two, three] = recent;
    if (value > 3) {
      [recent[0], recent[1], recent[2]] = [value - 3, one, two];
      return value - 3;
    }
    const place = value - 1 + Number(isShifted);
    if (place === 0) return one;
    const chosen = place === 1 ? two : place === 2 ? three : one - 1;
    [recent[0], recent[1]] = [chosen, one];
    if (place > 1) recent[2] = two;
    return chosen;
  }

  #repeat(back: number, length: number): void {
    if (back < 1 || back > this.#filled - this.#begin) throw wrong();
    this.#room(length);
    const out = this.#out;
    const from = this.#filled;
    if (back >= length) out.copyWithin(from, from - back, from - back + length);
    else for (let i = 0; i < length; i++) out[from + i] = out[from + i - back] as number;
    this.#filled += length;
  }

  #put(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#out.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  #room(bytes: number): void {
    if (bytes > this.#out.length - this.#filled) throw wrong();
  }

  #take(bytes: number): Uint8Array {
    const end = this.#at + bytes;
    if (end > this.#content.length) throw wrong();
    const taken = this.#content.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #byte(): number {
    return this.#take(1)[0] as number;
  }

  #integer(bytes: number): number {
    return this.#take(bytes).reduce((sum, byte, k) => sum + byte * 256 ** k, 0);
  }
}

/** A table of one symbol, which takes no bits. */
function single(symbol: number, most: number): Cells {
  if (symbol > most) throw wrong();
  return {
    accuracy: 0,
    symbol: Uint8Array.of(symbol),
    bits: new Uint8Array(1),
    base: new Uint16Array(1),
  };
}

function fourStreams(streams: Uint8Array, table: Cells, out: Uint8Array): void {
  if (streams.length < 6) throw wrong();
  const view = new DataView(streams.buffer, streams.byteOffset, 6);
  const each = (out.length + 3) >> 2;
  let at = 6;
  for (let k = 0; k < 4; k++) {
    const end = k < 3 ? at + view.getUint16(2 * k, true) : streams.length;
    if (end > streams.length || k * each > out.length) throw wrong();
    unhuffman(
      streams.subarray(at, end),
      table,
      out.subarray(k * each, k < 3 ? (k + 1) * each : out.length),
    );
    at = end;
  }
}

function unhuffman(stream: Uint8Array, { accuracy, symbol, bits }: Cells, out: Uint8Array): void {
  const reader = new Backward(stream);
  for (let i = 0; i < out.length; i++) {
    const cell = reader.peek(accuracy);
    out[i] = symbol[cell] as number;
    reader.skip(bits[cell] as number);
  }
  if (reader.left !== 0) throw wrong();
}
