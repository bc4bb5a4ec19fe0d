/** What pages are packed with. What unpacks to another size than was told is damage. */

import { gunzipSync } from "fflate";
import { decompress as unzstd } from "fzstd";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import { DamageError } from "./damage";
import { unlz4, unlz4Hadoop } from "./lz4";

type Unpack = (content: Uint8Array, size: number) => Uint8Array;

/** By their numbers in Parquet. Brotli, 4, is left out: its dictionary alone weighs 50 kB. */
const CODECS: Readonly<Record<number, Unpack>> = {
  0: (content) => content,
  1: (content, size) => {
    const out = new Uint8Array(size);
    snappyUncompress(content, out);
    return out;
  },
  2: (content, size) => gunzipSync(content, { out: new Uint8Array(size) }),
  5: unlz4Hadoop,
  6: (content, size) => {
    const told = zstdSize(content);
    if (told !== null && told !== size) throw new DamageError("a page unpacks to another size");
    return unzstd(content, new Uint8Array(size));
  },
  7: unlz4,
};

export function isKnownCodec(codec: number): boolean {
  return codec in CODECS;
}

/**
 * Exactly `size` bytes, no more of which are ever made.
 *
 * @throws DamageError when the content is damaged, or not of so many.
 */
export function unpacked(codec: number, content: Uint8Array, size: number): Uint8Array {
  const unpack = CODECS[codec];
  if (!unpack) throw new DamageError("a page is packed in a way that is not known here");
  let whole: Uint8Array;
  try {
    whole = size === 0 && codec !== 0 ? new Uint8Array(0) : unpack(content, size);
  } catch (problem) {
    throw new DamageError(`a page cannot be unpacked: ${String(problem)}`);
  }
  if (whole.length !== size) throw new DamageError("a page unpacks to another size");
  return whole;
}

/** The size that a frame of ZSTD tells; null where it tells none. */
function zstdSize(frame: Uint8Array): number | null {
  if (frame.length < 6) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const head = frame[4] as number;
  const single = (head >> 5) & 1;
  const dictionary = [0, 1, 2, 4][head & 3] as number;
  const at = 5 + (single === 1 ? 0 : 1) + dictionary;
  const bytes = [single, 2, 4, 8][head >> 6] as number;
  if (bytes === 0 || frame.length < at + bytes) return null;
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
