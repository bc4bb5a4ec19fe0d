/** Which files of a kernel the server's file browser can reach, and what they are called. */

/** Where people have their files; the server writes its root with ~ in the place of such a folder. */
const HOME = /^(?:\/home\/[^/]+|\/Users\/[^/]+|\/root|[A-Za-z]:\/Users\/[^/]+)(?=\/)/;

/**
 * The path of the contents API for a path on disk; null where it does not lie under the root, or in
 * a hidden folder there: unless it is told otherwise, a server has no such files.
 */
export function contentsPath(path: string, root: string): string | null {
  const plain = (text: string) => text.replaceAll("\\", "/").replace(/\/+$/, "");
  if (root === "") return null;
  const file = plain(path);
  const folder = plain(root).replace(/^~/, () => HOME.exec(file)?.[0] ?? "~");
  const inside = file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : null;
  return inside === null || /(?:^|\/)\./.test(inside) ? null : inside;
}

export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

const ENDING = /\.pulse(\.parquet)?$/;

/** Whether a name is that of a recording: a finished file, or a directory. */
export function isRecording(name: string): boolean {
  return ENDING.test(name);
}

/** The name of a recording without its ending. */
export function stemOf(name: string): string {
  return name.replace(ENDING, "");
}

/** The ending of the name of a recording. */
export function endingOf(name: string): string {
  return ENDING.exec(name)?.[0] ?? "";
}

/** Whether a recording may be called so: a name and no path, and nothing that is hidden. */
export function isPlainName(name: string): boolean {
  return !/^\.|[/\\]|\p{C}/u.test(name) && stemOf(name).trim() !== "" && name.length <= 255;
}

/** A name for a copy: of what it is of, and when it was made. */
export function nameForCopy(title: string, now: Date): string {
  const stem = title.replace(/\.ipynb$/, "").replace(/[^\p{L}\p{N}._-]+/gu, "-");
  const two = (n: number) => String(n).padStart(2, "0");
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("");
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join("");
  const plain = stem.replace(/^[-.]+|[-.]+$/g, "") || "pulse";
  return `${plain}-${day}-${time}.pulse.parquet`;
}
