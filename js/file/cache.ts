/** The bytes of a file that were read already, and the requests for those that were not. */

import { type Frugality, MOST_AT_ONCE, MOST_KEPT, MOST_REQUEST, type Price } from "./limits";
import { GoneError, type RandomAccess, RecordingError } from "./place";

interface Stretch {
  readonly begin: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type Range = readonly [begin: number, end: number];

/** Stretches of a file that are at hand as long as this is held. */
export class Held {
  readonly #stretches: readonly Stretch[];

  constructor(stretches: readonly Stretch[]) {
    this.#stretches = stretches;
  }

  /** The bytes from `begin` to `end`, which must have been asked for. */
  bytes(begin: number, end: number): Uint8Array {
    if (begin === end) return new Uint8Array(0);
    for (const { begin: first, bytes } of this.#stretches) {
      if (first <= begin && end <= first + bytes.length) {
        return bytes.subarray(begin - first, end - first);
      }
    }
    const whole = new Uint8Array(end - begin);
    let at = begin;
    for (const { begin: first, bytes } of this.#stretches) {
      if (first > at || first + bytes.length <= at) continue;
      const part = bytes.subarray(at - first, Math.min(end - first, bytes.length));
      whole.set(part, at - begin);
      at += part.length;
      if (at === end) return whole;
    }
    throw new Error("bytes that nobody asked for");
  }
}

export class CachedFile {
  readonly name: string;
  readonly size: number;
  readonly #file: RandomAccess;
  /** The end of the file stays; it is not among these. */
  #kept: Stretch[] = [];
  readonly #tail: Stretch;
  /** What lies between two stretches that are wanted is fetched with them, up to so much. */
  readonly gap: number;
  #closed = false;
  /** It was not there when it was asked for last: one request is enough to see whether it is. */
  #isGone = false;

  private constructor(
    file: RandomAccess,
    size: number,
    tail: Uint8Array<ArrayBuffer>,
    gap: number,
  ) {
    this.gap = gap;
    this.name = file.name;
    this.size = size;
    this.#file = file;
    this.#tail = { begin: size - tail.length, bytes: tail };
  }

  static async open(
    file: RandomAccess,
    { tail, gap }: Pick<Frugality, "tail" | "gap">,
  ): Promise<CachedFile> {
    const bytes = await file.tail(tail);
    const size = await file.size();
    if (bytes.length !== Math.min(tail, size)) throw cutOff(file.name);
    return new CachedFile(file, size, bytes, gap);
  }

  close(): void {
    this.#closed = true;
    this.#kept = [];
  }

  /** Whether all of these are at hand already. */
  has(begin: number, end: number): boolean {
    return this.#absent([[begin, end]]).length === 0;
  }

  /** What fetching these takes, as far as they are not at hand. */
  cost(ranges: readonly Range[]): Price {
    const all = requests(this.#absent(ranges), this.gap);
    return { requests: all.length, bytes: all.reduce((sum, [begin, end]) => sum + end - begin, 0) };
  }

  /**
   * Fetch what is not here yet: neighbours in one request.
   *
   * @throws RecordingError when it cannot be read.
   */
  async hold(ranges: readonly Range[]): Promise<Held> {
    const here = this.#all().filter(({ begin, bytes }) =>
      ranges.some(([first, end]) => first < begin + bytes.length && end > begin),
    );
    const left = requests(this.#absent(ranges), this.gap).reverse();
    const fetched: Stretch[] = [];
    const fetchNext = async (): Promise<void> => {
      const next = left.pop();
      if (!next || this.#closed) return;
      const [begin, end] = next;
      const bytes = await this.#read(begin, end);
      if (bytes.length !== end - begin) throw cutOff(this.name);
      fetched.push({ begin, bytes });
    };
    const fetchOn = async (): Promise<void> => {
      while (left.length > 0 && !this.#closed) await fetchNext();
    };
    if (this.#isGone) await fetchNext();
    await Promise.all(Array.from({ length: MOST_AT_ONCE }, fetchOn));
    if (this.#closed) throw new RecordingError("unreachable", `${this.name} was closed`);
    this.#keep(fetched);
    return new Held([...here, ...fetched].sort((a, b) => a.begin - b.begin));
  }

  async #read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const bytes = await this.#file.read(begin, end);
      this.#isGone = false;
      return bytes;
    } catch (problem) {
      this.#isGone = problem instanceof GoneError;
      throw problem;
    }
  }

  #all(): Stretch[] {
    return [this.#tail, ...this.#kept].filter(({ bytes }) => bytes.length > 0);
  }

  #keep(fetched: readonly Stretch[]): void {
    this.#kept.push(...fetched);
    let sum = this.#kept.reduce((bytes, stretch) => bytes + stretch.bytes.length, 0);
    while (sum > MOST_KEPT) sum -= this.#kept.shift()?.bytes.length ?? sum;
  }

  /** The parts of ranges that are not here, in order and apart from each other. */
  #absent(ranges: readonly Range[]): Range[] {
    const here = this.#all()
      .map(({ begin, bytes }): Range => [begin, begin + bytes.length])
      .sort((a, b) => a[0] - b[0]);
    const absent: Range[] = [];
    let done = 0;
    for (const [first, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
      let at = Math.max(first, done);
      if (first < 0 || end > this.size) {
        throw new RecordingError("damaged", `${this.name} names bytes that it does not have`);
      }
      for (const [begin, until] of here) {
        if (at >= end || begin >= end) break;
        if (begin > at) absent.push([at, begin]);
        at = Math.max(at, until);
      }
      if (at < end) absent.push([at, end]);
      done = Math.max(done, end);
    }
    return absent;
  }
}

function requests(absent: readonly Range[], gap: number): Range[] {
  const together: [number, number][] = [];
  for (const [begin, end] of absent) {
    const last = together.at(-1);
    if (last && begin - last[1] <= gap) last[1] = Math.max(last[1], end);
    else together.push([begin, end]);
  }
  return together.flatMap(([begin, end]) => {
    const pieces = Math.max(1, Math.ceil((end - begin) / MOST_REQUEST));
    return Array.from(
      { length: pieces },
      (_, k): Range => [begin + k * MOST_REQUEST, Math.min(end, begin + (k + 1) * MOST_REQUEST)],
    );
  });
}

function cutOff(name: string): RecordingError {
  return new RecordingError(
    "damaged",
    `${name} was cut off while it was read`,
    "Open it again; when it is being copied, wait for the copy to end.",
  );
}
