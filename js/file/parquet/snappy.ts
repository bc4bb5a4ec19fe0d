/** Snappy, as pages are packed with it. */

import { DamageError } from "./damage";

/** What unpacks to exactly `size` bytes. */
export function unsnappy(content: Uint8Array, size: number): Uint8Array {
  let at = 0;
  const byte = () => {
    const one = content[at++];
    if (one === undefined) throw wrong();
    return one;
  };
  const integer = (bytes: number) => {
    let number = 0;
    for (let k = 0; k < bytes; k++) number += byte() * 256 ** k;
    return number;
  };
  let told = 0;
  for (let scale = 1; ; scale *= 128) {
    const one = byte();
    told += (one & 127) * scale;
    if (one < 128) break;
    if (scale > 2 ** 28) throw wrong();
  }
  if (told !== size) throw wrong();
  const out = new Uint8Array(size);
  let filled = 0;
  while (at < content.length) {
    const tag = byte();
    const short = tag >> 2;
    if ((tag & 3) === 0) {
      const length = (short < 60 ? short : integer(short - 59)) + 1;
      if (length > content.length - at || length > size - filled) throw wrong();
      out.set(content.subarray(at, at + length), filled);
      at += length;
      filled += length;
      continue;
    }
    const isNear = (tag & 3) === 1;
    const length = isNear ? (short & 7) + 4 : short + 1;
    const back = isNear ? 256 * (tag >> 5) + byte() : integer((tag & 3) === 2 ? 2 : 4);
    if (back === 0 || back > filled || length > size - filled) throw wrong();
    for (const end = filled + length; filled < end; filled++) {
      out[filled] = out[filled - back] as number;
    }
  }
  if (filled !== size) throw wrong();
  return out;
}

function wrong(): DamageError {
  return new DamageError("Snappy that cannot be");
}
