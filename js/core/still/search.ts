/**
 * Finds what of a keyframe fits into a room, with few packings. The twin of
 * `pulse_widgets/exchange/search.py`.
 *
 * Packing thousands of series takes long. So each search begins where an estimate, from the packet
 * of a few series, says that it ends; and what is far too large by the estimate is never packed.
 */

/** So many series tell about what each of all takes. */
const TRIAL = 48;
/** What by the estimate is so much more than the room is not tried. */
const FAR = 1.5;
/** So often it is tried how many groups fit, at most. */
const PACKINGS = 8;

/** Ids of series, the most important first; a group is kept as a whole or not at all. */
type Groups = readonly (readonly number[])[];
/** The bytes of a packet of some series with a detail, from 0 for the finest. */
type Size = (ids: readonly number[], detail: number) => number;

interface Limits {
  /** Groups that are seen first. With others than the last detail all of them fit. */
  readonly first: number;
  /** With so many of the details, the finest ones, every series is tried. */
  readonly withAll: number;
  readonly details: number;
}

interface Fit {
  readonly ids: number[];
  readonly detail: number;
}

/** Which series fit into a room, and with which detail. */
export function whatFits(groups: Groups, room: number, limits: Limits, size: Size): Fit {
  const { withAll } = limits;
  const every = new Search(groups, room, size);
  const whole = every.firstDetail(groups.length, 0, withAll);
  if (whole < withAll) return { ids: every.ids(groups.length), detail: whole };
  const last = limits.details - 1;
  const fitting = groups.map((group) => !every.aloneTooLarge(group, last));
  const first = fitting.slice(0, limits.first).filter(Boolean).length;
  let rest = new Search(
    groups.filter((_, i) => fitting[i]),
    room,
    size,
  );
  let detail = rest.firstDetail(first, withAll - 1, last);
  let count = rest.mostGroups(detail, detail < last ? first : 0);
  while (count === 0 && rest.groups.length > 0) {
    if (detail < last) detail++;
    // The estimate did not see that the first one is too large.
    else rest = new Search(rest.groups.slice(1), room, size);
    count = rest.mostGroups(detail, 0);
  }
  return { ids: rest.ids(count), detail };
}

class Search {
  readonly #room: number;
  readonly #packed: Size;
  /** How many series so many groups have. */
  readonly #series: readonly number[];
  readonly #known = new Map<string, number>();

  constructor(
    readonly groups: Groups,
    room: number,
    packed: Size,
  ) {
    this.#room = room;
    this.#packed = packed;
    let sum = 0;
    this.#series = [0, ...groups.map(({ length }) => (sum += length))];
  }

  ids(count: number): number[] {
    return this.groups.slice(0, count).flat();
  }

  #once(name: string, make: () => number): number {
    const known = this.#known.get(name) ?? make();
    this.#known.set(name, known);
    return known;
  }

  #size(count: number, detail: number): number {
    return this.#once(`${count} ${detail}`, () => this.#packed(this.ids(count), detail));
  }

  #bare(): number {
    return this.#once("bare", () => this.#packed([], 0));
  }

  /** About how many bytes a series takes. */
  #each(detail: number): number {
    return this.#once(`each ${detail}`, () => {
      const ids = this.ids(this.groups.length);
      const every = Math.max(Math.ceil(ids.length / TRIAL), 1);
      const some = ids.filter((_, i) => i % every === 0);
      return (this.#packed(some, detail) - this.#bare()) / Math.max(some.length, 1);
    });
  }

  #guess(series: number, detail: number): number {
    return this.#bare() + this.#each(detail) * series;
  }

  /** The first detail from `start` with which so many groups fit, or `end`. */
  firstDetail(count: number, start: number, end: number): number {
    const room = this.#room;
    const series = this.#series[count] as number;
    let detail = start;
    while (detail < end && this.#guess(series, detail) > room * FAR) detail++;
    const passed = detail;
    while (detail < end && this.#size(count, detail) > room) detail++;
    if (detail === end || detail > passed) return detail;
    // Where less was needed than guessed, a finer one may do.
    const less = this.#size(count, detail) / this.#guess(series, detail);
    while (
      detail > start &&
      this.#guess(series, detail - 1) * less <= room &&
      this.#size(count, detail - 1) <= room
    )
      detail--;
    return detail;
  }

  /** Whether a group does not fit, although all others are left out. */
  aloneTooLarge(group: readonly number[], detail: number): boolean {
    const guess = this.#guess(group.length, detail);
    const near = this.#room < guess * 2 && guess * 2 < this.#room * 8;
    return (near ? this.#packed(group, detail) : guess) > this.#room;
  }

  /** How many groups fit, or nearly as many, where `least` do. */
  mostGroups(detail: number, least: number): number {
    const room = this.#room;
    const series = this.#series;
    let [low, high] = [least, this.groups.length + 1];
    if (low + 1 === high) return low;
    let have = low > 0 ? this.#size(low, detail) : this.#bare();
    let each = Math.max(this.#each(detail), 1);
    for (let tried = 0; tried < PACKINGS; tried++) {
      if (high - low <= 1) break;
      const before = series[low] as number;
      const wanted = before + (room - have) / each;
      const guess = series.filter((count) => count <= wanted).length - 1;
      const at = Math.min(Math.max(guess, low + 1), high - 1);
      const size = this.#size(at, detail);
      each = Math.max((size - have) / Math.max((series[at] as number) - before, 1), 1);
      if (size > room) high = at;
      else [low, have] = [at, size];
    }
    return low;
  }
}
