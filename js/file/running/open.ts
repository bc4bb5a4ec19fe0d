/** Opens the directory of a recording that is not finished, on this page and without a kernel. */

import type { Folder } from "../place";
import type { RecordingChannel } from "../recording";
import { RunningChannel } from "./channel";
import { readDirectory } from "./directory";

/** What whoever shows a directory can tell, and wants to hear. */
export interface Around {
  /** Nobody can see it: nothing is asked for. */
  hidden(): boolean;
  /** The directory is no longer there: it has become a file. */
  gone(): void;
  /** Nobody writes any more, or what came does not fit to what is here: open it anew. */
  again(): void;
}

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
