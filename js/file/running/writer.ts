/** What the folder of one writer says of itself: `writer.json`, and what the writer could not write. */

import { type Json, objectOf, parseJson, sentencesOf } from "../json";
import { MOST_JSON } from "../limits";
import { type Entry, type Folder, RecordingError } from "../place";
import { ABOUT, LOCK, type PartName, standing } from "./names";

/** A writer whose heartbeat is older has ended. */
const SILENCE_S = 30;
/** Lost parts that are named one by one. */
const NAMED = 10;
/** Bytes of a lock. */
const MOST_LOCK = 4096;

export interface Writer {
  readonly name: string;
  /** Content of `writer.json`; empty when it cannot be read. */
  readonly about: Json;
  /** Why it cannot be read; "" where it can. */
  readonly fault: string;
  /** Microseconds; 0 where it is not known. */
  readonly start: number;
  readonly entries: readonly Entry[];
  /** It still writes, or may write. */
  readonly isRunning: boolean;
  /** What it says that is missing. */
  readonly problems: readonly string[];
}

/** The writers of a directory, in order of their start. */
export async function writersIn(folder: Folder): Promise<Writer[]> {
  const items = await folder.list("");
  const names = items.filter(({ name, isFolder }) => isFolder && name.startsWith("w-"));
  const writers = await Promise.all(names.map(({ name }) => writerIn(folder, name)));
  return writers.sort((a, b) => a.start - b.start || (a.name < b.name ? -1 : 1));
}

export async function writerIn(folder: Folder, name: string): Promise<Writer> {
  const entries = await folder.list(name);
  const { about, fault } = await aboutOf(folder, name, entries);
  const start = about["start"];
  const lock = entries.find((entry) => entry.name === LOCK && !entry.isFolder);
  return {
    name,
    about,
    fault,
    start: Number.isSafeInteger(start) ? (start as number) : 0,
    entries,
    isRunning: lock !== undefined && isBeating(lock, folder.now()),
    problems: [
      ...sentencesOf(objectOf(about["about"])["problems"]),
      ...(lock ? await written(folder, `${name}/${LOCK}`) : []),
    ],
  };
}

export function isBeating({ modified }: Entry, now: number): boolean {
  return now - modified < SILENCE_S;
}

async function aboutOf(
  folder: Folder,
  name: string,
  entries: readonly Entry[],
): Promise<{ about: Json; fault: string }> {
  const entry = entries.find((one) => one.name === ABOUT);
  if (!entry) return { about: {}, fault: "it is not there" };
  try {
    const content = parseJson(await folder.file(`${name}/${ABOUT}`).tail(MOST_JSON + 1));
    if (typeof content !== "object" || content === null || Array.isArray(content)) {
      return { about: {}, fault: "it is not a JSON object" };
    }
    return { about: content as Json, fault: "" };
  } catch (problem) {
    if (problem instanceof RecordingError) throw problem;
    return { about: {}, fault: problem instanceof Error ? problem.message : String(problem) };
  }
}

/** What the writer says in its lock that it could not write: JSON, filled up with spaces. */
async function written(folder: Folder, path: string): Promise<string[]> {
  try {
    const bytes = await folder.file(path).tail(MOST_LOCK);
    const content: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return Array.isArray(content) ? content.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

/** The rows that a part has according to its writer; null when it does not say. */
export function rowsOf({ about }: Writer, part: string): number | null {
  const rows = objectOf(about["rows"])[part];
  return Number.isSafeInteger(rows) && (rows as number) >= 0 ? (rows as number) : null;
}

/**
 * Sentences on parts that the writer lists and that are not there. A writer that is killed right
 * after a merge lists the parts that were merged, and not yet the one that has their rows.
 */
export function gone(writer: Writer, parts: readonly PartName[]): string[] {
  const listed = Object.keys(objectOf(writer.about["parts"]));
  const there = new Set(parts.map(({ name }) => name));
  const wanted = standing([...listed, ...there]).parts.map(({ name }) => name);
  const missing = wanted.filter((name) => !there.has(name));
  const sentences = missing.map(
    (name) => `${writer.name}/${name} is missing${withRows(rowsOf(writer, name))}`,
  );
  if (missing.length <= NAMED) return sentences;
  const counts = missing.slice(NAMED).flatMap((name) => rowsOf(writer, name) ?? []);
  const sum = counts.length > 0 ? counts.reduce((a, b) => a + b) : null;
  const rest = `${missing.length - NAMED} more parts of ${writer.name} are missing`;
  return [...sentences.slice(0, NAMED), `${rest}${withRows(sum)}`];
}

function withRows(rows: number | null): string {
  return rows === null ? "" : `, with ${rows} rows`;
}

/** What the writer says of its entities: host to entity to labels. */
export function entitiesOf({ about }: Writer): ReadonlyMap<string, Json> {
  const hosts = Object.entries(objectOf(about["entities"]));
  return new Map(hosts.map(([host, named]) => [host, objectOf(named)]));
}
