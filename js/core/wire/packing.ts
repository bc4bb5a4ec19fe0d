/**
 * The codes of a keyframe made small, and made whole again; `pulse_widgets/series/packing.py` does
 * the same and says how they lie.
 */

import { unzlibSync, zlibSync } from "fflate";
import { adler32 } from "./adler";
import { WireError } from "./header";

/** Largest code that stands for a value. */
export const CODE_TOP = 65533;
/** The reading is missing in this bucket. */
export const CODE_MISSING = 65534;
/** No sample fell into this bucket, and none is missing. */
export const CODE_NONE = 65535;

const UNKNOWN_MEAN = 3;
const SAME = 4;
const BYTES_A_VALUE = 6;
/** As in the kernel. */
const QUICK = 1;
const SMALL = 6;

/** Min, max and mean of all cells, a cell being one bucket of one series. */
export interface Codes {
  readonly min: Uint16Array;
  readonly max: Uint16Array;
  readonly mean: Uint16Array;
}

/** `grains`: what the codes of each series are multiples of; the codes are divided by them. */
export function packed(codes: Codes, grains: readonly number[] | null = null): Uint8Array {
  const { min, max, mean } = grains ? scaled(codes, grains, (code, by) => code / by) : codes;
  const cells = min.length;
  const states = new Uint8Array(cells);
  const fresh: number[] = [];
  let before = -1;
  for (let i = 0; i < cells; i++) {
    const low = min[i] as number;
    if (low > CODE_TOP) {
      states[i] = low - CODE_TOP;
      continue;
    }
    const same = low === min[before] && max[i] === max[before] && mean[i] === mean[before];
    states[i] = same ? SAME : (mean[i] as number) > CODE_TOP ? UNKNOWN_MEAN : 0;
    if (!same) fresh.push(i);
    before = i;
  }
  const content = new Uint8Array(cells + BYTES_A_VALUE * fresh.length);
  content.set(states);
  const put = (column: number, at: number, value: number) => {
    const low = cells + 2 * column * fresh.length + at;
    content[low] = value;
    content[low + fresh.length] = value >> 8;
  };
  for (const [at, i] of fresh.entries()) {
    const low = min[i] as number;
    const rise = ((low - (min[fresh[at - 1] ?? cells] ?? 0)) << 16) >> 16;
    put(0, at, (rise << 1) ^ (rise >> 15));
    put(1, at, (max[i] as number) - low);
    put(2, at, states[i] === UNKNOWN_MEAN ? 0 : (mean[i] as number) - low);
  }
  return content;
}

function scaled(
  { min, max, mean }: Codes,
  grains: readonly number[],
  by: (code: number, grain: number) => number,
): Codes {
  const buckets = min.length / grains.length;
  const [low, high, middle] = [min, max, mean].map((column) =>
    column.map((code, i) =>
      code > CODE_TOP ? code : by(code, grains[Math.floor(i / buckets)] as number),
    ),
  ) as [Uint16Array, Uint16Array, Uint16Array];
  return { min: low, max: high, mean: middle };
}

/** @throws WireError when the bytes are not those of so many cells. */
export function unpacked(
  content: Uint8Array,
  cells: number,
  grains: readonly number[] | null = null,
): Codes {
  let values = 0;
  for (const state of content.subarray(0, cells)) {
    if (state > SAME) throw new WireError("the codes of a keyframe are damaged");
    if (state === 0 || state === UNKNOWN_MEAN) values++;
  }
  if (content.length !== cells + BYTES_A_VALUE * values) {
    throw new WireError(`the codes of ${cells} cells have ${content.length} bytes`);
  }
  const made = () => new Uint16Array(cells);
  const [min, max, mean] = [made(), made(), made()];
  const difference = (column: number, at: number) => {
    const low = cells + 2 * column * values + at;
    return (content[low] as number) + ((content[low + values] as number) << 8);
  };
  let [next, low, high, middle] = [0, 0, CODE_NONE, CODE_NONE];
  for (let i = 0; i < cells; i++) {
    const state = content[i] as number;
    if (state === 0 || state === UNKNOWN_MEAN) {
      const rise = difference(0, next);
      low = (low + ((rise >> 1) ^ -(rise & 1))) & 0xffff;
      high = low + difference(1, next);
      middle = state === 0 ? low + difference(2, next) : CODE_NONE;
      next++;
    } else if (state !== SAME) {
      min[i] = max[i] = mean[i] = CODE_TOP + state;
      continue;
    } else if (next === 0) {
      throw new WireError("the codes of a keyframe are damaged");
    }
    [min[i], max[i], mean[i]] = [low, high, middle];
  }
  const codes = { min, max, mean };
  return grains ? scaled(codes, grains, (code, grain) => code * grain) : codes;
}

/** Content in the zlib format, as `small` as it can be or soon. */
export function deflated(content: Uint8Array, small = false): Uint8Array {
  return zlibSync(content, { level: small ? SMALL : QUICK });
}

/**
 * The `size` bytes that were deflated.
 *
 * @throws WireError when they are damaged, or not so many.
 */
export function inflated(content: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  // With one byte of room more than needed, more than are told are noticed, and no more are made.
  const room = new Uint8Array(size + 1);
  let whole: Uint8Array;
  try {
    whole = unzlibSync(content, { out: room });
  } catch (problem) {
    throw new WireError(`a packet is damaged: ${String(problem)}`);
  }
  if (whole.length !== size) throw new WireError(`a packet of ${size} bytes has ${whole.length}`);
  // The library does not look at the checksum at the end: damage would be drawn as values.
  const told = new DataView(content.buffer, content.byteOffset + content.length - 4).getUint32(0);
  if (adler32(whole) !== told) throw new WireError("a packet is damaged: its checksum is wrong");
  return room.subarray(0, size);
}
