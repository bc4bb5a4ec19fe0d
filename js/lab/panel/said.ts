/** What went wrong, as sentences. */

import { ActionError } from "../shared/monitors";

/** The problem, and what helps. */
export function sentenceOf(problem: unknown): string {
  const { message } = problem as Error;
  const remedy = problem instanceof ActionError ? problem.remedy : "";
  return [message, remedy].filter(Boolean).map(closed).join(" ");
}

/** As `sentenceOf`, without the folder that file names are in. */
export function sentenceIn(problem: unknown, folder: string): string {
  const said = sentenceOf(problem);
  return folder === "" ? said : said.replaceAll(folder, "");
}

/** The folder that a file is in, with its last separator; "" where none is named. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

function closed(text: string): string {
  return /[.!?…:]$/.test(text) ? text : `${text}.`;
}
