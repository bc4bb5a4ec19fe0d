/** Reads rows out of the row groups of a finished file: what is asked for, and no damaged row. */

import type { CachedFile, Held, Range } from "./cache";
import { type Entry, textOf } from "./catalog";
import { type Columns, isRising, NO_ROWS, take } from "./columns";
import { MOST_BATCH, MOST_UNPACKED, type Price } from "./limits";
import { type Rows, readRows, touching } from "./parquet/column";
import { crc32 } from "./parquet/crc";
import type { Chunk, Footer } from "./parquet/footer";
import { type Located, locatedIn, timesIn } from "./parquet/pages";
import type { Want } from "./stored";
import { Turns } from "./turns";

/** The columns of a recording, in the order of the file. */
export const COLUMNS = [
  "host",
  "entity",
  "metric",
  "time",
  "step",
  "value",
  "text",
  "data",
] as const;
export type ColumnName = (typeof COLUMNS)[number];
const KEYS = ["host", "entity", "metric"] as const;

/** Where so much of a chunk is wanted, all of it is read. */
const MOSTLY = 0.6;
/** So many rows are read where all lie before those that are asked for: a rate needs two. */
const BEFORE = 2;

/** What is read of one row group. */
interface Plan {
  readonly group: number;
  readonly entries: readonly Entry[];
  /** The rows from `first` to `end`. */
  readonly first: number;
  readonly end: number;
  readonly parts: readonly Part[];
}

interface Part {
  readonly name: ColumnName;
  readonly chunk: Chunk;
  /** Where its pages lie, where that is known. */
  readonly located: readonly Located[] | null;
  /** Whether all of it is read, and its checksum checked. */
  readonly whole: boolean;
  readonly ranges: readonly Range[];
}

export class Groups {
  readonly #file: CachedFile;
  readonly #footer: Footer;
  readonly #sums: Uint32Array;
  readonly #turns = new Turns();
  /** Chunks that match their checksums. */
  readonly #sound = new Set<Chunk>();
  /** Row groups whose keys are as the index says. */
  readonly #proven = new Set<number>();
  /** By row group: 1 for each row that is damaged, as far as it was looked at. */
  readonly #lost = new Map<number, Uint8Array>();

  constructor(file: CachedFile, footer: Footer, sums: Uint32Array) {
    this.#file = file;
    this.#footer = footer;
    this.#sums = sums;
  }

  /** How many rows are known to be damaged. */
  get lost(): number {
    let sum = 0;
    for (const rows of this.#lost.values()) for (const one of rows) sum += one;
    return sum;
  }

  /** What would be fetched, at most: of a chunk all pages are counted. */
  cost(entries: readonly Entry[], want: Want): Price {
    const ranges = byGroup(entries).flatMap(([group, held]) =>
      this.#names(held, want).map((name): Range => {
        const { begin, end } = this.#chunk(group, name);
        return [begin, end];
      }),
    );
    return this.#file.cost(ranges);
  }

  /** The rows of entries, by the row group. Entries are in order of the file. */
  async *read(
    entries: readonly Entry[],
    want: Want,
  ): AsyncGenerator<readonly (readonly [Entry, Columns])[]> {
    const groups = byGroup(entries);
    const indexes = groups.flatMap(([group, held]) =>
      this.#indexRanges(group, this.#names(held, want)),
    );
    const index = await this.#file.hold(indexes);
    const plans = groups.map(([group, held]) => this.#plan(group, held, want, index));
    for (const batch of batches(plans)) {
      const held = await this.#file.hold(
        batch.flatMap(({ parts }) => parts.flatMap((p) => p.ranges)),
      );
      // Rows around damage are found with the help of the index of the pages.
      const broken = batch.flatMap((plan) => this.#broken(plan, held));
      const help = await this.#file.hold(
        broken.flatMap(({ offsets }) => (offsets ? [offsets] : [])),
      );
      for (const plan of batch) yield await this.#rows(plan, held, help, want);
    }
  }

  #names(entries: readonly Entry[], { texts }: Want): ColumnName[] {
    const isShared = entries.length > 1 || !this.#isAlone(entries[0] as Entry);
    const keys = isShared && !this.#proven.has((entries[0] as Entry).group) ? KEYS : [];
    const rest = texts && entries.some((entry) => entry.texts) ? ["text" as const] : [];
    return [...keys, "time", ...(texts ? [] : ["step" as const]), "value", ...rest];
  }

  #isAlone({ group, rows }: Entry): boolean {
    return this.#footer.groups[group]?.rows === rows;
  }

  #chunk(group: number, name: ColumnName): Chunk {
    return this.#footer.groups[group]?.chunks[COLUMNS.indexOf(name)] as Chunk;
  }

  #indexRanges(group: number, names: readonly ColumnName[]): Range[] {
    if (this.#areSmall(group, names)) return [];
    return names.flatMap((name) => {
      const { offsets, bounds } = this.#chunk(group, name);
      return [offsets, name === "time" ? bounds : null].filter((range) => range !== null);
    });
  }

  /** A chunk of so few bytes is read as a whole, which takes fewer requests than its pages. */
  #isSmall({ begin, end }: Chunk): boolean {
    return end - begin <= this.#file.gap;
  }

  #areSmall(group: number, names: readonly ColumnName[]): boolean {
    return names.every((name) => this.#isSmall(this.#chunk(group, name)));
  }

  #plan(group: number, entries: readonly Entry[], want: Want, index: Held): Plan {
    const names = this.#names(entries, want);
    const isKnown = !this.#areSmall(group, names);
    const located = new Map(
      isKnown ? names.map((name) => [name, this.#located(group, name, index)]) : [],
    );
    const [first, end] = this.#span(group, entries, want, located.get("time") ?? null, index);
    const parts = names.map((name): Part => {
      const chunk = this.#chunk(group, name);
      const pages = located.get(name) ?? null;
      const some = pages && touching(pages, first, end);
      const bytes = some?.reduce((sum, page) => sum + page.end - page.begin, 0) ?? Infinity;
      const whole = !some || this.#isSmall(chunk) || bytes > MOSTLY * (chunk.end - chunk.pages);
      if (whole) return { name, chunk, located: null, whole, ranges: [[chunk.begin, chunk.end]] };
      const words: Range[] = chunk.begin < chunk.pages ? [[chunk.begin, chunk.pages]] : [];
      const ranges = some.map((page): Range => [page.begin, page.end]);
      return { name, chunk, located: pages, whole, ranges: [...words, ...ranges] };
    });
    return { group, entries, first, end, parts };
  }

  #located(group: number, name: ColumnName, index: Held): Located[] | null {
    const chunk = this.#chunk(group, name);
    return chunk.offsets && locatedIn(index.bytes(...chunk.offsets), chunk);
  }

  /** Which rows may be wanted: of a long series those of the pages that the times tell. */
  #span(
    group: number,
    entries: readonly Entry[],
    want: Want,
    located: readonly Located[] | null,
    index: Held,
  ): [number, number] {
    const first = Math.min(...entries.map((entry) => entry.first));
    const end = Math.max(...entries.map((entry) => entry.first + entry.rows));
    const { since = -Infinity, end: until = Infinity, newest } = want;
    const newestFirst =
      newest === undefined || entries.length > 1 ? first : Math.max(first, end - newest);
    const { bounds } = this.#chunk(group, "time");
    if (entries.length > 1 || !located || !bounds || !this.#isAlone(entries[0] as Entry)) {
      return [newestFirst, end];
    }
    const times = timesIn(index.bytes(...bounds), located.length);
    if (!times || times.some(([least], i) => i > 0 && least < (times[i - 1]?.[1] as number))) {
      return [newestFirst, end];
    }
    const from = times.findIndex(([, most]) => most >= since);
    const to = times.findLastIndex(([least]) => least < until);
    if (from < 0 || to < from) return [Math.max(newestFirst, end - BEFORE), end];
    const { first: begin } = located[from] as Located;
    const isBefore = (times[from]?.[0] as number) < since;
    return [
      Math.max(newestFirst, isBefore ? begin : begin - 1),
      Math.min(end, (located[to] as Located).until),
    ];
  }

  /** The chunks that are read as a whole and do not match their checksum. */
  #broken({ group, parts }: Plan, held: Held): Chunk[] {
    return parts.flatMap(({ whole, chunk, name }) => {
      if (!whole || this.#sound.has(chunk)) return [];
      const sum = this.#sums[group * COLUMNS.length + COLUMNS.indexOf(name)];
      if (crc32(held.bytes(chunk.begin, chunk.end)) !== sum) return [chunk];
      this.#sound.add(chunk);
      return [];
    });
  }

  async #rows(
    plan: Plan,
    held: Held,
    help: Held,
    want: Want,
  ): Promise<readonly (readonly [Entry, Columns])[]> {
    const { group, entries, parts } = plan;
    const isWhole = parts.every(({ whole }) => whole);
    // With all of it at hand all damage is counted, whichever rows are wanted.
    const [first, end] = isWhole
      ? [0, this.#footer.groups[group]?.rows as number]
      : [plan.first, plan.end];
    const found = new Map<ColumnName, Rows>();
    const lost = new Uint8Array(end - first);
    for (const part of parts) {
      await this.#turns.next();
      const rows = this.#column(part, held, help, first, end);
      found.set(part.name, rows);
      if (rows.lost)
        for (let i = 0; i < lost.length; i++)
          lost[i] = (lost[i] as number) | (rows.lost[i] as number);
    }
    this.#prove(group, first, found, lost, entries);
    const pieces = entries.map((entry) => {
      const from = Math.max(entry.first, first);
      const to = Math.min(entry.first + entry.rows, end);
      const made = from < to ? piece(found, lost, from - first, to - first, want) : NO_ROWS;
      return [entry, this.#ordered(entry, made, lost, from - first, to - first)] as const;
    });
    this.#lose(group, first, lost);
    return pieces;
  }

  #column(
    { chunk, located, whole }: Part,
    held: Held,
    help: Held,
    first: number,
    end: number,
  ): Rows {
    if (chunk.unpacked > MOST_UNPACKED) return lostRows(end - first);
    const bytes = (begin: number, until: number) => held.bytes(begin, until);
    if (!whole || this.#sound.has(chunk)) return readRows(bytes, chunk, located, first, end);
    const pages = chunk.offsets && locatedIn(help.bytes(...chunk.offsets), chunk);
    return pages ? readRows(bytes, chunk, pages, first, end) : lostRows(end - first);
  }

  /** Hold the keys of a shared row group against the index: rows of other series are lost. */
  #prove(
    group: number,
    first: number,
    found: ReadonlyMap<ColumnName, Rows>,
    lost: Uint8Array,
    entries: readonly Entry[],
  ): void {
    if (!found.has("host")) return;
    const words = new Map<Uint8Array, string>();
    const word = (bytes: Uint8Array) => {
      const known = words.get(bytes) ?? textOf(bytes);
      words.set(bytes, known);
      return known;
    };
    let isTrue = true;
    for (const { key, first: begin, rows } of entries) {
      for (let i = begin - first; i < begin - first + rows; i++) {
        const names = lost[i] === 0 ? KEYS : [];
        if (names.some((name) => word(found.get(name)?.texts[i] as Uint8Array) !== key[name])) {
          lost[i] = 1;
          isTrue = false;
        }
      }
    }
    const all = entries.reduce((sum, { rows }) => sum + rows, 0);
    if (isTrue && all === this.#footer.groups[group]?.rows) this.#proven.add(group);
  }

  /** Rows whose times are not in order, or not those that the index tells, are lost. */
  #ordered(entry: Entry, columns: Columns, lost: Uint8Array, first: number, end: number): Columns {
    const { time } = columns;
    const [from, to] = [time[0] ?? entry.start, time.at(-1) ?? entry.end];
    if (isRising(time) && from >= entry.start && to <= entry.end) return columns;
    lost.fill(1, first, end);
    return NO_ROWS;
  }

  #lose(group: number, first: number, lost: Uint8Array): void {
    if (!lost.includes(1)) return;
    const all = this.#lost.get(group) ?? new Uint8Array(this.#footer.groups[group]?.rows as number);
    for (let i = 0; i < lost.length; i++)
      all[first + i] = (all[first + i] as number) | (lost[i] as number);
    this.#lost.set(group, all);
  }
}

function lostRows(rows: number): Rows {
  const lost = new Uint8Array(rows).fill(1);
  return { numbers: new Float64Array(rows).fill(Number.NaN), texts: [], absent: null, lost };
}

/** Entries by their row group, in order. */
function byGroup(entries: readonly Entry[]): [number, Entry[]][] {
  const groups: [number, Entry[]][] = [];
  for (const entry of entries) {
    const last = groups.at(-1);
    if (last?.[0] === entry.group) last[1].push(entry);
    else groups.push([entry.group, [entry]]);
  }
  return groups;
}

/** Row groups that are fetched together. */
function* batches(plans: readonly Plan[]): Iterable<readonly Plan[]> {
  let [batch, bytes] = [[] as Plan[], 0];
  for (const plan of plans) {
    const own = plan.parts.flatMap(({ ranges }) => ranges).reduce((sum, [a, b]) => sum + b - a, 0);
    if (batch.length > 0 && bytes + own > MOST_BATCH) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(plan);
    bytes += own;
  }
  if (batch.length > 0) yield batch;
}

function piece(
  found: ReadonlyMap<ColumnName, Rows>,
  lost: Uint8Array,
  first: number,
  end: number,
  { texts }: Want,
): Columns {
  const [time, value, step, text] = (["time", "value", "step", "text"] as const).map((name) =>
    found.get(name),
  );
  const numbers = (rows: Rows | undefined) =>
    rows ? rows.numbers.slice(first, end) : new Float64Array(end - first).fill(Number.NaN);
  const hasAny = (rows: Rows | undefined) =>
    rows?.numbers.subarray(first, end).some((one) => !Number.isNaN(one));
  const columns: Columns = {
    time: numbers(time),
    value: numbers(value),
    missing: value?.absent?.slice(first, end) ?? null,
    step: hasAny(step) ? numbers(step) : null,
    texts: texts
      ? Array.from({ length: end - first }, (_, i) => decoded(text?.texts[first + i]))
      : null,
  };
  if (!lost.subarray(first, end).includes(1)) return columns;
  const kept = Array.from({ length: end - first }, (_, i) => i).filter(
    (i) => lost[first + i] === 0,
  );
  return take(columns, kept);
}

const decoder = new TextDecoder();

function decoded(bytes: Uint8Array | null | undefined): string {
  return bytes ? decoder.decode(bytes) : "";
}
