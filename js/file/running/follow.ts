/**
 * Follows a directory while a session writes it: every second the new bytes of its journals, and
 * every few seconds what lies in it.
 */

import type { Columns } from "../columns";
import type { SeriesInfo } from "../gaps";
import { type Entry, type Folder, GoneError, RecordingError } from "../place";
import {
  announce,
  type Directory,
  keyOf,
  type OpenJournal,
  rehosted,
  type Source,
  type Taken,
  takeBatches,
  wantsText,
} from "./directory";
import { JournalReader } from "./journal";
import type { Renames } from "./machines";
import { type JournalName, LOCK, type PartName, RUN, standing } from "./names";
import { readPart } from "./part";
import { rest } from "./rows";
import { isBeating } from "./writer";

const POLL_MS = 1000;
const LOOK_MS = 5000;
/** A writer that has been quiet for so long is asked less often. */
const QUIET_MS = 30_000;
const QUIET_POLL_MS = 5000;
const NOTHING: Taken = { rows: 0, latest: Number.NEGATIVE_INFINITY };

/** Rows of a series that have come, and some that came before them. */
export interface Fresh {
  readonly key: string;
  readonly before: Columns;
  readonly columns: Columns;
}

export interface Hearer {
  /** Rows were added to the directory. */
  came(fresh: readonly Fresh[]): void;
  /** So many bytes its files have now. */
  sized(bytes: number): void;
  /** It is no longer there: it has become a file. */
  gone(): void;
  /** Nobody writes any more, or what came does not fit to what is here: it is to be read anew. */
  again(): void;
  /** Nobody can see what is drawn: nothing is asked for. */
  hidden(): boolean;
}

export class Follower {
  readonly #folder: Folder;
  readonly #directory: Directory;
  readonly #hearer: Hearer;
  readonly #sources: Followed[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looked = performance.now();
  /** When something came last. */
  #heard = performance.now();
  #isOver = false;

  constructor(folder: Folder, directory: Directory, hearer: Hearer) {
    this.#folder = folder;
    this.#directory = directory;
    this.#hearer = hearer;
    this.#sources = directory.sources.map((source) => new Followed(source));
    this.#wait();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    if (this.#isOver) return;
    const isQuiet = performance.now() - this.#heard >= QUIET_MS;
    this.#timer = setTimeout(() => void this.#turn(), isQuiet ? QUIET_POLL_MS : POLL_MS);
  }

  async #turn(): Promise<void> {
    try {
      if (this.#hearer.hidden()) this.#heard = performance.now();
      else await this.#poll();
    } catch (problem) {
      // A server that does not answer now may answer in a moment.
      if (!(problem instanceof RecordingError)) {
        console.error("Pulse: a recording could not be followed", problem);
      }
    }
    this.#wait();
  }

  async #poll(): Promise<void> {
    let isMoved = false;
    for (const source of this.#sources.filter(({ isRunning }) => isRunning)) {
      for (const journal of source.journals) {
        const is = await this.#grow(source, journal).catch(passing);
        isMoved ||= is === "moved";
      }
    }
    if (isMoved || performance.now() - this.#looked >= LOOK_MS) await this.#look();
  }

  /** Take what has been written to a journal since. */
  async #grow(source: Followed, journal: OpenJournal): Promise<void> {
    const bytes = await this.#folder.since(journal.path, journal.reader.size);
    if (this.#isOver || bytes.length === 0) return;
    this.#heard = performance.now();
    this.#add(source, takeBatches(journal, journal.reader.take(bytes)));
  }

  #add(source: Followed, rows: readonly (readonly [SeriesInfo, Columns])[]): void {
    const fresh = rows.map(([own, columns]) => {
      const info = rehosted(own, source.rename);
      const all = announce(this.#directory.series, info).rows;
      const before = all.newest;
      all.add(columns);
      return { key: keyOf(info), before, columns };
    });
    if (fresh.length > 0) this.#hearer.came(fresh);
  }

  /** See what lies there now: writers, parts, journals. */
  async #look(): Promise<void> {
    this.#looked = performance.now();
    const items = await this.#folder.list("").catch(passing);
    if (this.#isOver) return;
    if (items === "moved" || !items.some(({ name }) => name === RUN)) return this.#over("gone");
    const names = items.flatMap(({ name, isFolder }) =>
      isFolder && name.startsWith("w-") ? name : [],
    );
    if (names.some((name) => !this.#sources.some((source) => source.name === name))) {
      return this.#over("again");
    }
    for (const source of this.#sources.filter(({ isRunning }) => isRunning)) {
      if (!(await this.#lookAt(source))) return this.#over("again");
      if (this.#isOver) return;
    }
    this.#hearer.sized(this.#sources.reduce((sum, { bytes }) => sum + bytes, 0));
    if (!this.#sources.some(({ isRunning }) => isRunning)) this.#over("again");
  }

  #over(how: "gone" | "again"): void {
    if (this.#isOver) return;
    this.stop();
    this.#hearer[how]();
  }

  /** False where something does not fit. */
  async #lookAt(source: Followed): Promise<boolean> {
    const entries = await this.#folder.list(source.name);
    const files = entries.filter(({ isFolder }) => !isFolder);
    source.bytes = bytesOf(files);
    const { parts, journals } = standing(files.map(({ name }) => name));
    for (const part of parts) {
      if (!(await this.#takePart(source, part))) return false;
    }
    for (const name of journals) {
      if (source.knows(name)) continue;
      const journal = source.open(name);
      await this.#grow(source, journal).catch(passing);
    }
    const lock = files.find(({ name }) => name === LOCK);
    source.isRunning = lock !== undefined && isBeating(lock, this.#folder.now());
    return true;
  }

  /** A journal has become a part: what was not read of it is in there. */
  async #takePart(source: Followed, part: PartName): Promise<boolean> {
    const unread = source.unread(part);
    if (unread.length === 0) return true;
    // Several journals at once: what of them is here cannot be told apart in it.
    if (unread.length > 1 || part.first !== part.last) return false;
    const called = `${source.name}/${part.name}`;
    const { rows } = await readPart(this.#folder.file(called), called, wantsText);
    const taken = source.taken(part.first);
    const fresh: (readonly [SeriesInfo, Columns])[] = [];
    for (const [info, columns] of rows) {
      const { rows: first, latest } = taken.get(keyOf(info)) ?? NOTHING;
      const left = rest(columns, first);
      // What was taken is the beginning of the part only where no time ran back.
      if (first > columns.time.length || (left.time[0] ?? latest) < latest) return false;
      if (left.time.length > 0) fresh.push([info, left]);
    }
    source.finish(part.first);
    this.#add(source, fresh);
    return true;
  }
}

/** One writer, and how far it was read. */
class Followed {
  readonly name: string;
  readonly journals: OpenJournal[];
  isRunning: boolean;
  /** Of its files. */
  bytes: number;
  readonly #source: Source;
  /** Journals of which every row is here. */
  readonly #done: PartName[];

  constructor(source: Source) {
    this.#source = source;
    this.name = source.writer.name;
    this.journals = [...source.journals];
    this.isRunning = source.writer.isRunning;
    this.bytes = bytesOf(source.writer.entries);
    this.#done = [...source.parts];
  }

  get rename(): Renames {
    return this.#source.rename;
  }

  knows({ number }: JournalName): boolean {
    return this.#isDone(number) || this.journals.some((one) => one.name.number === number);
  }

  open(name: JournalName): OpenJournal {
    const path = `${this.name}/${name.name}`;
    const journal = { path, name, reader: new JournalReader(), taken: new Map<string, Taken>() };
    this.journals.push(journal);
    return journal;
  }

  /** The journals in a part of which not every row is here, as far as is known; two are enough. */
  unread({ first, last }: PartName): number[] {
    const found: number[] = [];
    for (let number = first; number <= last && found.length < 2; number++) {
      if (!this.#isDone(number)) found.push(number);
    }
    return found;
  }

  /** Rows of each series that were taken from a journal. */
  taken(number: number): ReadonlyMap<string, Taken> {
    return this.journals.find(({ name }) => name.number === number)?.taken ?? new Map();
  }

  finish(number: number): void {
    const place = this.journals.findIndex(({ name }) => name.number === number);
    if (place >= 0) this.journals.splice(place, 1);
    this.#done.push({ name: "", first: number, last: number });
  }

  #isDone(number: number): boolean {
    return this.#done.some(({ first, last }) => first <= number && number <= last);
  }
}

/** A file that has gone tells that something became something else. */
function passing(problem: unknown): "moved" {
  if (problem instanceof GoneError) return "moved";
  throw problem;
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { size }) => sum + (size ?? 0), 0);
}
