/** Where the bytes of a recording come from: a server that serves ranges, its contents API, memory. */

/** One file, readable in ranges. */
export interface RandomAccess {
  /** For people: its name or path. */
  readonly name: string;
  /** Its size in bytes; asks for it when it is not known yet. */
  size(): Promise<number>;
  /**
   * Exactly the bytes from `begin` to `end`.
   *
   * @throws RecordingError when they cannot be read.
   */
  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The last `most` bytes, or all of a shorter file; afterwards its size is known. */
  tail(most: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A directory of a recording that is still written, or that a crash left. */
export interface Folder {
  readonly name: string;
  /** What lies in the folder of this path, which is relative; "" is the folder itself. */
  list(path: string): Promise<readonly Entry[]>;
  file(path: string): RandomAccess;
  /** The bytes of a file that grows, from `begin` to its end as it is now; none where it has not grown. */
  since(path: string, begin: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Unix seconds, by the clock that says when entries were modified. */
  now(): number;
}

export interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  /** Bytes of a file, where that is known. */
  readonly size: number | null;
  /** Unix seconds; NaN where it is not known. */
  readonly modified: number;
}

/** Why a recording cannot be shown. */
export type Trouble =
  /** It cannot be fetched: it has gone, no permission, no connection. */
  | "unreachable"
  /** It is no recording, and no table that could be shown as one. */
  | "foreign"
  | "empty"
  | "damaged"
  /** Of a newer major version. */
  | "newer"
  /** Larger than may be held here. */
  | "too large";

/** The one error of this folder: a sentence, and what to do about it. */
export class RecordingError extends Error {
  readonly trouble: Trouble;
  readonly remedy: string;

  constructor(trouble: Trouble, problem: string, remedy = "") {
    super(problem);
    this.name = "RecordingError";
    this.trouble = trouble;
    this.remedy = remedy;
  }
}

/** It is not there any more. */
export class GoneError extends RecordingError {
  constructor(problem: string, remedy = "") {
    super("unreachable", problem, remedy);
  }
}
