/** Opens the directory of a recording that is not finished, on this page and without a kernel. */

import type { Folder } from "../place";
import type { RecordingChannel } from "../recording";
import { type Around, RunningChannel } from "./channel";
import { readDirectory } from "./directory";

const ALONE: Around = { hidden: () => false, gone: () => undefined, again: () => undefined };

/**
 * Open a `.pulse` directory; while a session writes it, it is followed.
 *
 * @throws RecordingError when it cannot be shown.
 */
export async function openDirectory(
  folder: Folder,
  around: Around = ALONE,
): Promise<RecordingChannel> {
  return new RunningChannel(folder, await readDirectory(folder), around);
}
