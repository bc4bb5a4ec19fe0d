/** A finished file as this program writes it. */

import type { CachedFile } from "./cache";
import {
  byKey,
  type Catalog,
  decodeCatalog,
  decodeIndex,
  type Entry,
  indexProblem,
} from "./catalog";
import { type Columns, type Extent, join, type SeriesKey } from "./columns";
import { COLUMNS, Groups } from "./groups";
import { sentencesOf } from "./json";
import type { Price } from "./limits";
import { Overview } from "./overview";
import { DamageError } from "./parquet/damage";
import { BYTE_ARRAY, DOUBLE, type Footer, INT64 } from "./parquet/footer";
import type { RecordingError } from "./place";
import type { Run, Stored, Summary, Want } from "./stored";
import { Turns } from "./turns";

const KINDS = [BYTE_ARRAY, BYTE_ARRAY, BYTE_ARRAY, INT64, INT64, DOUBLE, BYTE_ARRAY, BYTE_ARRAY];
const REQUIRED = 4;

/** Whether the columns are exactly those that this program writes. */
export function isOurs({ leaves, marks }: Footer): boolean {
  const same = leaves.every(
    ({ path, kind, defined, repeated }, i) =>
      path.length === 1 &&
      path[0] === COLUMNS[i] &&
      kind === KINDS[i] &&
      defined === Number(i >= REQUIRED) &&
      repeated === 0,
  );
  return (
    same &&
    leaves.length === COLUMNS.length &&
    marks.has("pulse.version") &&
    marks.has("pulse.index")
  );
}

/** The entries of a file; null when they cannot be those of its rows. */
export function entriesOf({ marks, groups }: Footer): Entry[] | null {
  try {
    const entries = decodeIndex(marks.get("pulse.index") as Uint8Array);
    const isRight = indexProblem(entries, groups) === "" && areInOrder(entries);
    return isRight ? entries : null;
  } catch (problem) {
    if (problem instanceof DamageError) return null;
    throw problem;
  }
}

/** Whether series come in the order of their keys, each once. */
function areInOrder(entries: readonly Entry[]): boolean {
  return entries.every(({ key }, i) => {
    const before = entries[i - 1]?.key;
    return !before || key === before || byKey(before, key) <= 0;
  });
}

export class Finished implements Stored {
  readonly name: string;
  readonly bytes: number;
  readonly run: Run;
  readonly catalog: Catalog;
  readonly keys: readonly SeriesKey[];
  readonly extents: readonly Extent[];
  readonly running = false;
  readonly #file: CachedFile;
  readonly #groups: Groups;
  readonly #mark: Uint8Array | undefined;
  readonly #entries: readonly (readonly Entry[])[];
  readonly #known: readonly string[];
  #overview: Promise<Summary | null> | null = null;

  constructor(
    file: CachedFile,
    footer: Footer,
    entries: readonly Entry[],
    sums: Uint32Array,
    run: Run,
  ) {
    this.name = file.name;
    this.bytes = file.size;
    this.run = run;
    this.#file = file;
    this.#groups = new Groups(file, footer, sums);
    this.#mark = footer.marks.get("pulse.overview");
    this.#entries = bySeries(entries);
    this.keys = this.#entries.map(([entry]) => (entry as Entry).key);
    this.catalog = decodeCatalog(
      footer.marks.get("pulse.catalog") ?? new TextEncoder().encode("{}"),
      this.keys,
    );
    this.extents = this.#entries.map((held) => ({
      rows: held.reduce((sum, { rows }) => sum + rows, 0),
      start: Math.min(...held.map(({ start }) => start)),
      end: Math.max(...held.map(({ end }) => end)),
    }));
    this.#known = sentencesOf(run.about["problems"]);
  }

  get problems(): readonly string[] {
    const { lost } = this.#groups;
    const what = lost === 1 ? "row is" : "rows are";
    const damage = lost > 0 ? [`${lost} ${what} damaged in ${this.name} and left out`] : [];
    const { leftOut } = this.catalog;
    const without = leftOut ? [`${this.name} is without ${leftOut}: too many`] : [];
    return [...this.#known, ...damage, ...without];
  }

  cost(numbers: readonly number[], want: Want): Price {
    return this.#groups.cost(this.#chosen(numbers, want), want);
  }

  async read(
    numbers: readonly number[],
    want: Want,
    each: (number: number, columns: Columns) => void,
  ): Promise<void> {
    const turns = new Turns();
    const numberOf = new Map(this.keys.map((key, number) => [key, number]));
    const open = { number: -1, pieces: [] as Columns[] };
    const settle = async () => {
      if (open.pieces.length === 0) return;
      await turns.next();
      each(open.number, join(open.pieces));
      open.pieces = [];
      await turns.next();
    };
    for await (const rows of this.#groups.read(this.#chosen(numbers, want), want)) {
      for (const [entry, columns] of rows) {
        const number = numberOf.get(entry.key) as number;
        if (open.number !== number) await settle();
        open.number = number;
        if (columns.time.length > 0) open.pieces.push(columns);
      }
      await turns.next();
    }
    await settle();
  }

  overview(): Promise<Summary | null> {
    const mark = this.#mark;
    if (!mark) return Promise.resolve(null);
    this.#overview ??= Overview.open(this.#file, mark).catch((problem: unknown) => {
      if (problem instanceof DamageError) return null;
      this.#overview = null; // it may be fetched another time
      throw problem as RecordingError;
    });
    return this.#overview;
  }

  #chosen(numbers: readonly number[], want: Want): Entry[] {
    const { since = -Infinity, end = Infinity, newest = Infinity } = want;
    return [...new Set(numbers)]
      .sort((a, b) => a - b)
      .flatMap((number) => {
        const all = (this.#entries[number] ?? []).filter((entry) => entry.start < end);
        // The row before those that are wanted may lie in the stretch before.
        const from = Math.max(
          0,
          all.findLastIndex((entry) => entry.start < since),
        );
        let left = newest;
        const chosen: Entry[] = [];
        for (const entry of all.slice(from).reverse()) {
          if (left > 0) chosen.push(entry);
          left -= entry.rows;
        }
        return chosen.reverse();
      });
  }
}

/** Entries by their series; those of one share their key. */
function bySeries(entries: readonly Entry[]): Entry[][] {
  const series: Entry[][] = [];
  let before: SeriesKey | null = null;
  for (const entry of entries) {
    const { host, entity, metric } = entry.key;
    const isSame = before?.host === host && before.entity === entity && before.metric === metric;
    if (isSame && before) series.at(-1)?.push({ ...entry, key: before });
    else series.push([entry]);
    if (!isSame) before = entry.key;
  }
  return series;
}
