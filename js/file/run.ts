/** What a recording says of itself as a whole, and whether it is of a version that can be read. */

import { isObject, objectOf, parseJson } from "./json";
import { RecordingError } from "./place";
import type { Run } from "./stored";

/** Major version of the format that is read here. */
const MAJOR = 1;
const MOST_VERSION = 16;

/** @throws RecordingError when it is newer, or no version. */
export function checkVersion(text: string, name: string): void {
  const [, major] = /^(\d+)\.(\d+)$/.exec(text) ?? [];
  if (major === undefined || text.length >= MOST_VERSION) {
    throw new RecordingError(
      "damaged",
      `${name} gives '${text.slice(0, 40)}' as its format version`,
      "Check that the file is a pulse recording and was copied whole.",
    );
  }
  if (Number(major) > MAJOR) {
    throw new RecordingError(
      "newer",
      `${name} has format ${text}; this version reads format ${MAJOR}`,
      "Upgrade with: pip install --upgrade pulse_widgets",
    );
  }
}

/** @throws RecordingError when it is not what a recording says of itself. */
export function decodeRun(mark: Uint8Array, name: string): Run {
  let content: unknown = null;
  try {
    content = parseJson(mark);
  } catch {
    // Told below.
  }
  const { version, id, start, about } = objectOf(content);
  if (isObject(content) && version !== undefined) checkVersion(String(version), name);
  if (typeof id !== "string" || !Number.isSafeInteger(start) || (start as number) < 0) {
    throw new RecordingError(
      "damaged",
      `${name} is not a recording: its description is not JSON with a version, an id and a start`,
      "It is damaged; use another copy of it.",
    );
  }
  return { id, start: start as number, about: objectOf(about) };
}
