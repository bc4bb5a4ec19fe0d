/** The description of a run: `run.pulse.json`. */

import { type Folder, RecordingError } from "../place";
import { decodeRun } from "../run";
import type { Run } from "../stored";
import { RUN } from "./names";

const MOST_RUN = 8 * 2 ** 20;

/** @throws RecordingError when there is none, or a newer program wrote it. */
export async function readRun(folder: Folder): Promise<Run> {
  const content = await folder.file(RUN).tail(MOST_RUN + 1);
  if (content.length <= MOST_RUN) return decodeRun(content, folder.name);
  const problem = `${folder.name} is not a recording: its description is larger than any`;
  throw new RecordingError("damaged", problem, "Use another copy of it.");
}
