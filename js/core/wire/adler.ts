/** Bytes that can be summed before a sum would leave 31 bits. */
const AT_ONCE = 3800;

/** Adler-32 of some bytes: the last four of what is in the zlib format. */
export function adler32(bytes: ArrayLike<number>): number {
  let [a, b] = [1, 0];
  for (let from = 0; from < bytes.length; from += AT_ONCE) {
    const to = Math.min(from + AT_ONCE, bytes.length);
    for (let i = from; i < to; i++) {
      a += bytes[i] as number;
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return ((b << 16) | a) >>> 0;
}
