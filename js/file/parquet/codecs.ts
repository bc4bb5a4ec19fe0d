/** What pages are packed with. What unpacks to another size than was told is damage. */

import { gunzipSync } from "fflate";
import { DamageError } from "./damage";
import { unlz4, unlz4Hadoop } from "./lz4";
import { unsnappy } from "./snappy";
import { unzstd } from "./zstd";

type Unpack = (content: Uint8Array, size: number) => Uint8Array;

/** By their numbers in Parquet. Brotli, 4, is left out: its dictionary alone weighs 50 kB. */
const CODECS: Readonly<Record<number, Unpack>> = {
  0: (content) => content,
  1: unsnappy,
  2: (content, size) => gunzipSync(content, { out: new Uint8Array(size) }),
  5: unlz4Hadoop,
  6: unzstd,
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
