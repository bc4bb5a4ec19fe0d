/** The description of a run: `run.pulse.json`. */

import { type Json, objectOf, parseJson } from "../json";
import { type Folder, RecordingError } from "../place";
import { RUN } from "./names";

const MAJOR = 1;
const MOST_RUN = 8 * 2 ** 20;
/** The last moment that tables of pandas can hold, in the year 2262. */
const MOST_US = 9_223_372_036_854_775;

export interface Run {
  readonly id: string;
  /** Microseconds since the epoch. */
  readonly start: number;
  readonly about: Json;
}

/** @throws RecordingError when there is none, or a newer program wrote it. */
export async function readRun(folder: Folder): Promise<Run> {
  const file = folder.file(RUN);
  const size = await file.size();
  if (size > MOST_RUN) throw foreign(folder.name);
  let content: Json;
  const bytes = await file.read(0, size);
  try {
    content = objectOf(parseJson(bytes));
  } catch {
    throw foreign(folder.name);
  }
  const { version, id, start, about } = content;
  if (version === undefined) throw foreign(folder.name);
  checkVersion(String(version), folder.name);
  const isTime = Number.isInteger(start) && (start as number) >= 0 && (start as number) <= MOST_US;
  if (typeof id !== "string" || !isTime) throw foreign(folder.name);
  return { id, start: start as number, about: objectOf(about) };
}

function checkVersion(version: string, name: string): void {
  const [, major] = /^(\d{1,8})\.\d{1,8}$/.exec(version) ?? [];
  if (major === undefined) throw foreign(name);
  if (Number(major) <= MAJOR) return;
  throw new RecordingError(
    "newer",
    `${name} has format ${version}; this version reads format ${MAJOR}.`,
    "Upgrade with: pip install --upgrade pulse_widgets",
  );
}

function foreign(name: string): RecordingError {
  return new RecordingError(
    "foreign",
    `${name} is not a recording: its description is not JSON with a version, an id and a start.`,
    `Open a .pulse.parquet file, or the ${RUN} of a .pulse directory.`,
  );
}
