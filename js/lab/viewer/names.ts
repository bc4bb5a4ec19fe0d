/** Which files are recordings, by their names; paths are those of the contents API. */

export const FINISHED = ".pulse.parquet";
export const SUFFIX = ".pulse";
export const RUN = "run.pulse.json";

/** A file that the viewer opens. */
export function isRecording(path: string): boolean {
  return path.endsWith(FINISHED) || path.split(/[/:]/).pop() === RUN;
}

/** The folder that a run's description lies in; null for other files. */
export function folderOf(path: string): string | null {
  if (path.split(/[/:]/).pop() !== RUN) return null;
  return path.slice(0, -RUN.length).replace(/\/$/, "");
}

/** The file that a directory becomes; null where it has another name than ours. */
export function finishedOf(folder: string): string | null {
  return folder.endsWith(SUFFIX) ? folder.slice(0, -SUFFIX.length) + FINISHED : null;
}

/** The code that opens a recording in a kernel. */
export function replayLine(path: string): string {
  return `import pulse_widgets as pw\npw.replay(${JSON.stringify(path)})`;
}
