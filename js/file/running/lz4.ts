/**
 * Unpacks LZ4 frames, as Arrow writes them into a journal. Every size is known before, so nothing
 * can unpack to more: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */

import { block } from "../parquet/lz4";

const MAGIC = 0x184d2204;
const VERSION = 0x40;
const VERSION_BITS = 0xc0;
const BLOCK_SUMS = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_SUM = 0x04;
const DICTIONARY = 0x01;
const PLAIN = 0x80000000;

/**
 * The `size` bytes in a frame.
 *
 * @throws RangeError when it is damaged, or holds another number of bytes.
 */
export function unpackedFrame(packed: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const flags = view.getUint8(4);
  if (view.getUint32(0, true) !== MAGIC || (flags & VERSION_BITS) !== VERSION) throw damaged();
  if (flags & DICTIONARY) throw damaged();
  let place = 7 + (flags & CONTENT_SIZE ? 8 : 0);
  const out = new Uint8Array(size);
  let made = 0;
  for (;;) {
    const head = view.getUint32(place, true);
    place += 4;
    if (head === 0) break;
    const isPlain = head >= PLAIN;
    const length = isPlain ? head - PLAIN : head;
    if (length > packed.length - place) throw damaged();
    const content = packed.subarray(place, place + length);
    made = isPlain ? copied(content, out, made) : block(content, out, made);
    place += length + (flags & BLOCK_SUMS ? 4 : 0);
  }
  place += flags & CONTENT_SUM ? 4 : 0;
  if (made !== size || place !== packed.length) throw damaged();
  return out;
}

function damaged(): RangeError {
  return new RangeError("it does not unpack");
}

function copied(content: Uint8Array, out: Uint8Array, at: number): number {
  if (content.length > out.length - at) throw damaged();
  out.set(content, at);
  return at + content.length;
}
