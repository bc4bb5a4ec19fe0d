/**
 * What a directory holds: the rows of the parts and journals of all its writers, as they are now.
 * `pulse_widgets/storage/reader.py` and `folder.py` read it in the same way.
 */

import { kindOf } from "../../core/vocabulary/kinds";
import type { Columns } from "../columns";
import type { SeriesInfo } from "../gaps";
import { type Json, objectOf, sentencesOf, wordsOf } from "../json";
import { type Folder, GoneError, RecordingError } from "../place";
import type { Run } from "../stored";
import type { Batch } from "./arrow-stream";
import { type Announced, JournalReader } from "./journal";
import { entityCalled, nameGpus, nameMachines, type Renames } from "./machines";
import { ABOUT, type JournalName, type PartName, standing } from "./names";
import { type Part, readPart } from "./part";
import { GrowingRows, rowsOfBatch } from "./rows";
import { readRun } from "./run";
import { entitiesOf, gone, rowsOf, type Writer, writersIn } from "./writer";

/** More is not held on a page; a kernel reads it from the disk. */
export const MOST_ROWS = 4_000_000;
export const MOST_BYTES = 96 * 2 ** 20;
/** While files come and go a directory is read again, so often at most. */
const TRIES = 5;

/** A series, and its rows of all writers. */
export interface Series {
  readonly info: SeriesInfo;
  readonly rows: GrowingRows;
}

/** A journal that is read, and how far. */
export interface OpenJournal {
  readonly path: string;
  readonly name: JournalName;
  readonly reader: JournalReader;
  /** Rows of each series that were taken from it, by the key of the series. */
  readonly taken: Map<string, Taken>;
}

export interface Taken {
  readonly rows: number;
  /** The greatest time, in microseconds. */
  readonly latest: number;
}

/** What was read of one writer. */
export interface Source {
  readonly writer: Writer;
  readonly parts: readonly PartName[];
  readonly journals: OpenJournal[];
  readonly pieces: readonly Piece[];
  readonly problems: readonly string[];
  /** The ids of hosts to be called otherwise. */
  rename: Renames;
}

/** What one part or journal has: its series, and their rows. */
interface Piece {
  readonly first: number;
  readonly infos: readonly SeriesInfo[];
  readonly rows: readonly (readonly [SeriesInfo, Columns])[];
}

export interface Directory {
  readonly run: Run;
  readonly about: Json;
  readonly sources: readonly Source[];
  readonly series: Map<string, Series>;
  /** Host to entity to labels. */
  readonly entities: ReadonlyMap<string, ReadonlyMap<string, Readonly<Record<string, string>>>>;
  readonly machines: ReadonlyMap<string, Json>;
  readonly problems: readonly string[];
  readonly running: boolean;
  /** Bytes of its files. */
  readonly bytes: number;
}

export function keyOf({ host, entity, metric }: SeriesInfo): string {
  return JSON.stringify([host, entity, metric]);
}

/** Texts are kept where they become moments or spans. */
export function wantsText(info: SeriesInfo): boolean {
  const { drawnAs, inKeyframes } = kindOf(info);
  return drawnAs === "text" || (inKeyframes && (drawnAs === "moment" || drawnAs === "span"));
}

export function rehosted(info: SeriesInfo, rename: Renames): SeriesInfo {
  const host = rename.hosts.get(info.host) ?? info.host;
  const entity = entityCalled(info.entity, info.host, rename);
  return host === info.host && entity === info.entity ? info : { ...info, host, entity };
}

/**
 * Everything that can be read of a directory.
 *
 * @throws RecordingError when it is no recording, newer, or larger than may be held.
 */
export async function readDirectory(folder: Folder): Promise<Directory> {
  for (let tries = 1; ; tries++) {
    try {
      return await look(folder);
    } catch (problem) {
      // A journal became a part, or parts were merged, after they were listed.
      if (!(problem instanceof GoneError) || tries === TRIES || !(await isThere(folder)))
        throw problem;
    }
  }
}

async function isThere(folder: Folder): Promise<boolean> {
  return folder.list("").then(
    () => true,
    () => false,
  );
}

async function look(folder: Folder): Promise<Directory> {
  const [run, writers] = await Promise.all([readRun(folder), writersIn(folder)]);
  const bytes = checkSize(folder.name, writers);
  const sources: Source[] = [];
  for (const writer of writers) sources.push(await read(folder, writer));
  const { renames, machines } = nameMachines(
    sources.map(({ writer, pieces }) => ({
      hosts: writer.about["hosts"],
      used: [
        ...pieces.flatMap(({ rows }) => rows.map(([{ host }]) => host)),
        ...entitiesOf(writer).keys(),
      ],
    })),
  );
  const gpus = nameGpus(
    sources.map(({ writer }) => entitiesOf(writer)),
    renames,
  );
  const series = new Map<string, Series>();
  const entities = new Map<string, Map<string, Record<string, string>>>();
  let about: Json = run.about;
  for (const [k, source] of sources.entries()) {
    source.rename = { hosts: renames[k] ?? new Map(), gpus: gpus[k] ?? new Map() };
    for (const { infos, rows } of source.pieces) {
      for (const info of infos) announce(series, rehosted(info, source.rename));
      for (const [info, columns] of rows) {
        announce(series, rehosted(info, source.rename)).rows.add(columns);
      }
    }
    label(entities, source);
    about = { ...about, ...objectOf(source.writer.about["about"]) };
  }
  const { problems: _, ...rest } = about;
  const problems = [...sentencesOf(run.about["problems"]), ...sources.flatMap((s) => s.problems)];
  return {
    run,
    about: rest,
    sources,
    series,
    entities,
    machines,
    problems: sentencesOf(problems),
    running: writers.some(({ isRunning }) => isRunning),
    bytes,
  };
}

/** Bytes of all files. */
function checkSize(name: string, writers: readonly Writer[]): number {
  let [read, rows, all] = [0, 0, 0];
  for (const writer of writers) {
    const { parts, journals } = standing(writer.entries.map((entry) => entry.name));
    const wanted = new Set([...parts, ...journals].map((one) => one.name));
    for (const { name: file, size } of writer.entries) {
      all += size ?? 0;
      if (wanted.has(file)) read += size ?? 0;
    }
    for (const part of parts) rows += rowsOf(writer, part.name) ?? 0;
  }
  if (read > MOST_BYTES || rows > MOST_ROWS) throw tooLarge(name);
  return all;
}

export function tooLarge(name: string): RecordingError {
  const most = `${MOST_ROWS / 1e6} million rows or ${MOST_BYTES / 2 ** 20} MB`;
  return new RecordingError(
    "too large",
    `${name} has more than ${most}, which is too much for a page to hold.`,
    "Open it in a notebook. Once it is finished, its file opens here.",
  );
}

async function read(folder: Folder, writer: Writer): Promise<Source> {
  const { parts, journals } = standing(
    writer.entries.filter(({ isFolder }) => !isFolder).map(({ name }) => name),
  );
  const problems: string[] = [];
  const pieces: Piece[] = [];
  const opened: OpenJournal[] = [];
  let rows = 0;
  const hold = (piece: Piece) => {
    pieces.push(piece);
    for (const [, columns] of piece.rows) rows += columns.time.length;
    if (rows > MOST_ROWS) throw tooLarge(folder.name);
  };
  for (const part of parts) {
    const found = await partOf(folder, writer, part, problems);
    if (found) hold({ ...found, first: part.first });
  }
  for (const journal of journals) {
    const { piece, open } = await journalOf(folder, writer, journal, problems);
    hold(piece);
    opened.push(open);
  }
  pieces.sort((a, b) => a.first - b.first);
  if (!writer.isRunning) {
    problems.push(...gone(writer, parts));
    if (writer.fault !== "" && pieces.length > 0) {
      const lost = "what it says of its machine and devices is missing";
      problems.push(`${writer.name}/${ABOUT} cannot be read, ${lost}: ${writer.fault}`);
    }
  }
  problems.push(...writer.problems);
  return {
    writer,
    parts,
    journals: opened,
    pieces,
    problems,
    rename: { hosts: new Map(), gpus: new Map() },
  };
}

async function partOf(
  folder: Folder,
  writer: Writer,
  part: PartName,
  problems: string[],
): Promise<Part | null> {
  const called = `${writer.name}/${part.name}`;
  try {
    const found = await readPart(folder.file(called), called, wantsText);
    problems.push(...found.problems);
    return found;
  } catch (problem) {
    const { trouble, message } = problem as Partial<RecordingError> & Error;
    if (trouble === "unreachable" || trouble === "newer") throw problem;
    const rows = rowsOf(writer, part.name);
    const lost = rows === null ? "its rows are missing" : `its ${rows} rows are missing`;
    problems.push(`${called} cannot be read, ${lost}: ${message}`);
    return null;
  }
}

async function journalOf(
  folder: Folder,
  writer: Writer,
  name: JournalName,
  problems: string[],
): Promise<{ piece: Piece; open: OpenJournal }> {
  const path = `${writer.name}/${name.name}`;
  const reader = new JournalReader();
  const open: OpenJournal = { path, name, reader, taken: new Map() };
  const batches = reader.take(await folder.since(path, 0));
  const rows = takeBatches(open, batches);
  const { bytes, reason } = reader.dropped;
  if (bytes > 0 && !writer.isRunning) {
    problems.push(`${bytes} bytes at the end of ${path} were dropped: ${reason}`);
  }
  const infos = [...reader.series.values()].map(infoOf);
  return { piece: { first: name.number, infos, rows }, open };
}

/** The rows of batches by series; hosts are called as their writer calls them. */
export function takeBatches(
  { reader, taken }: OpenJournal,
  batches: readonly Batch[],
): (readonly [SeriesInfo, Columns])[] {
  return batches.flatMap((batch) => {
    const of = (id: number) => infoOf(reader.series.get(id) as Announced);
    const rows = rowsOfBatch(batch, (id) => wantsText(of(id)));
    return [...rows].map(([id, columns]) => {
      const info = of(id);
      const key = keyOf(info);
      const before = taken.get(key) ?? { rows: 0, latest: Number.NEGATIVE_INFINITY };
      const latest = columns.time.reduce((a, b) => Math.max(a, b), before.latest);
      taken.set(key, { rows: before.rows + columns.time.length, latest });
      return [info, columns] as const;
    });
  });
}

function infoOf({ id: _, ...info }: Announced): SeriesInfo {
  return info;
}

/** The series of that name; labels are joined, and the unit and kind that were first told stay. */
export function announce(all: Map<string, Series>, info: SeriesInfo): Series {
  const key = keyOf(info);
  const known = all.get(key);
  if (!known) {
    const fresh = { info, rows: new GrowingRows() };
    all.set(key, fresh);
    return fresh;
  }
  const isNew = Object.keys(info.labels).some((name) => !(name in known.info.labels));
  if (!isNew) return known;
  const labels = { ...info.labels, ...known.info.labels };
  const joined = { info: { ...known.info, labels }, rows: known.rows };
  all.set(key, joined);
  return joined;
}

function label(
  all: Map<string, Map<string, Record<string, string>>>,
  { writer, rename }: Source,
): void {
  for (const [host, named] of entitiesOf(writer)) {
    const called = rename.hosts.get(host) ?? host;
    const held = all.get(called) ?? new Map<string, Record<string, string>>();
    all.set(called, held);
    for (const [entity, labels] of Object.entries(named)) {
      const name = entityCalled(entity, host, rename);
      held.set(name, { ...held.get(name), ...wordsOf(labels) });
    }
  }
}
