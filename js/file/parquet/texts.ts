/** The texts in pages: how they are held while the rows of a column are read. */

/** Holds the text from one place of a page to another; equal texts may be one. */
export type Keep = (page: Uint8Array, begin: number, end: number) => Uint8Array;

export const keepEach: Keep = (page, begin, end) => page.subarray(begin, end);

/** Bytes of each end of a text that its hash is made of. */
const HASHED = 32;
/** Texts of one hash that are compared; of a file that has more of them on purpose, no more. */
const ALIKE = 8;

/**
 * Holds of equal texts one, so that many rows take no more memory than the texts in them.
 *
 * @param taken Called with the bytes of each text that is new; it may throw.
 */
export function keepOnce(taken: (bytes: number) => void): Keep {
  const known = new Map<number, Uint8Array>();
  const others = new Map<number, Uint8Array[]>();
  return (page, begin, end) => {
    const hash = hashOf(page, begin, end);
    const first = known.get(hash);
    if (first && isSame(first, page, begin, end)) return first;
    const alike = first && (others.get(hash) ?? []);
    const same = alike?.find((text) => isSame(text, page, begin, end));
    if (same) return same;
    taken(end - begin);
    const text = page.subarray(begin, end);
    if (!alike) known.set(hash, text);
    else if (alike.length < ALIKE) others.set(hash, [...alike, text]);
    return text;
  };
}

function hashOf(page: Uint8Array, begin: number, end: number): number {
  let hash = end - begin;
  const head = Math.min(end, begin + HASHED);
  for (let i = begin; i < head; i++) hash = Math.imul(hash ^ (page[i] as number), 0x01000193);
  for (let i = Math.max(head, end - HASHED); i < end; i++) {
    hash = Math.imul(hash ^ (page[i] as number), 0x01000193);
  }
  return hash;
}

function isSame(text: Uint8Array, page: Uint8Array, begin: number, end: number): boolean {
  if (text.length !== end - begin) return false;
  for (let i = 0; i < text.length; i++) if (text[i] !== page[begin + i]) return false;
  return true;
}
