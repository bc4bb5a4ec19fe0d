/** The checksums of a finished file; as `pulse_widgets/storage/parquet/seal.py` checks them. */

import { unbase64 } from "./catalog";
import { MOST_FOOTER } from "./limits";
import { crc32 } from "./parquet/crc";
import { DamageError } from "./parquet/damage";

const DIGITS = 8;
const DAMAGED = "its footer does not match its checksum";

export type Seal =
  /** The sums of the column chunks, row group by row group. */
  | { readonly kind: "whole"; readonly sums: Uint32Array }
  /** It has none, or another program wrote it anew and kept them. */
  | { readonly kind: "none" }
  /** It is damaged if some column chunk still has its checksum, which must be looked up. */
  | { readonly kind: "doubtful"; readonly sums: Uint32Array | null };

/** @throws DamageError when the footer is damaged for sure. */
export function sealOf(footer: Uint8Array): Seal {
  const [crc, sums] = [placeOf(footer, "pulse.crc"), placeOf(footer, "pulse.sums")];
  if (!crc && !sums) return { kind: "none" };
  if (!crc || !sums) throw new DamageError(DAMAGED); // who writes one of the two writes both
  const said = textAt(footer, crc);
  const right = ownMark(footer, crc);
  if (said.length === right.length && said.slice(DIGITS) === right.slice(DIGITS)) {
    return { kind: "whole", sums: numbersOf(footer.subarray(...sums)) };
  }
  if (said.slice(0, DIGITS) === right.slice(0, DIGITS)) throw new DamageError(DAMAGED);
  try {
    return { kind: "doubtful", sums: numbersOf(footer.subarray(...sums)) };
  } catch {
    throw new DamageError(DAMAGED);
  }
}

export function damagedFooter(): DamageError {
  return new DamageError(DAMAGED);
}

function numbersOf(text: Uint8Array): Uint32Array {
  const bytes = unbase64(text, MOST_FOOTER);
  if (bytes.length % 4 !== 0) throw new DamageError(DAMAGED);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
}

/** Where the value of a key lies: of its last one, which is ours. */
function placeOf(footer: Uint8Array, name: string): [number, number] | null {
  const head = [0x18, name.length, ...new TextEncoder().encode(name), 0x18];
  for (let at = footer.length - head.length; at >= 0; at--) {
    if (!head.every((byte, i) => footer[at + i] === byte)) continue;
    let place = at + head.length;
    let length = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = footer[place++] ?? 0;
      length += (byte & 127) * scale;
      if (byte < 128) break;
    }
    // Behind the value its structure ends.
    if (footer[place + length] !== 0) throw new DamageError(DAMAGED);
    return [place, place + length];
  }
  return null;
}

function textAt(bytes: Uint8Array, [begin, end]: readonly [number, number]): string {
  return new TextDecoder("latin1").decode(bytes.subarray(begin, end));
}

/** Length and CRC-32 of a footer whose own digits are zeros. */
function ownMark(footer: Uint8Array, [first, end]: readonly [number, number]): string {
  const blank = new TextEncoder().encode("0".repeat(2 * DIGITS));
  const crc = crc32(footer.subarray(end), crc32(blank, crc32(footer.subarray(0, first))));
  const hex = (number: number) => number.toString(16).padStart(DIGITS, "0");
  return hex(footer.length) + hex(crc);
}
