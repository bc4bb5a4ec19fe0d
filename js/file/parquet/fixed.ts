/** Numbers that lie in a file as bytes of one width: decimals, halves, and times of older programs. */

import { FIXED, INT96, type Leaf } from "./footer";

const DAY_US = 86_400_000_000;
/** The Julian day on which the epoch began. */
const EPOCH_DAY = 2_440_588;

/** Reads the number of a column that begins at a byte; null when its values are no numbers. */
export function readerOf({
  kind,
  type,
  width,
}: Leaf): ((view: DataView, at: number) => number) | null {
  if (kind === INT96) return old;
  if (kind !== FIXED) return null;
  if (type === "decimal") return (view, at) => bigAt(view, at, width);
  return type === "float16" && width === 2 ? half : null;
}

/** Microseconds of nanoseconds of a day and the day, as Spark once wrote times. */
function old(view: DataView, at: number): number {
  const us = Number(view.getBigUint64(at, true) / 1000n);
  return (view.getInt32(at + 8, true) - EPOCH_DAY) * DAY_US + us;
}

/** A whole number of two's complement, its highest byte first. */
export function bigAt(view: DataView, at: number, width: number): number {
  let number = 0n;
  for (let i = 0; i < width; i++) number = (number << 8n) | BigInt(view.getUint8(at + i));
  return Number(BigInt.asIntN(8 * width, number));
}

function half(view: DataView, at: number): number {
  const bits = view.getUint16(at, true);
  const [sign, power, rest] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (power === 31) return rest ? Number.NaN : sign * Infinity;
  return sign * (power === 0 ? rest * 2 ** -24 : (1 + rest / 1024) * 2 ** (power - 15));
}
