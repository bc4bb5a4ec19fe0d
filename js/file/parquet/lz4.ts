/** LZ4 blocks, as they are and in the frame that Hadoop puts around them. */

import { DamageError } from "./damage";

/** One block, which unpacks to exactly `size` bytes. */
export function unlz4(content: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  if (block(content, out) !== size) throw wrong();
  return out;
}

/** Blocks behind the sizes of each, big endian; a single block without them is taken, too. */
export function unlz4Hadoop(content: Uint8Array, size: number): Uint8Array {
  try {
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    const out = new Uint8Array(size);
    let filled = 0;
    for (let at = 0; at < content.length; ) {
      const [unpacked, packed] = [view.getUint32(at), view.getUint32(at + 4)];
      at += 8;
      if (packed > content.length - at || unpacked > size - filled || unpacked === 0) throw wrong();
      const made = block(
        content.subarray(at, at + packed),
        out.subarray(filled, filled + unpacked),
      );
      if (made !== unpacked) throw wrong();
      filled += unpacked;
      at += packed;
    }
    if (filled === size) return out;
  } catch {
    // It is a block as it is.
  }
  return unlz4(content, size);
}

/** Unpacks behind the `begin` bytes that are there, which may be repeated; returns where it ends. */
export function block(content: Uint8Array, out: Uint8Array, begin = 0): number {
  let [at, filled] = [0, begin];
  const byte = () => {
    const one = content[at++];
    if (one === undefined) throw wrong();
    return one;
  };
  const long = (short: number) => {
    let length = short;
    for (let more = short === 15 ? 255 : 0; more === 255; length += more) more = byte();
    return length;
  };
  while (at < content.length) {
    const token = byte();
    const literals = long(token >> 4);
    if (literals > content.length - at || literals > out.length - filled) throw wrong();
    out.set(content.subarray(at, at + literals), filled);
    at += literals;
    filled += literals;
    if (at === content.length) break;
    const back = byte() + 256 * byte();
    const length = long(token & 15) + 4;
    if (back === 0 || back > filled || length > out.length - filled) throw wrong();
    for (const end = filled + length; filled < end; filled++)
      out[filled] = out[filled - back] as number;
  }
  return filled;
}

function wrong(): DamageError {
  return new DamageError("LZ4 that cannot be");
}
