/** What the panel needs of the page around it. */

/** A recording that the file browser shows. */
export interface Filed {
  readonly name: string;
  /** A path of the contents API. */
  readonly path: string;
  /** Unix seconds of its last change; null where that is not known. */
  readonly changed: number | null;
  readonly bytes: number | null;
  /** It is a directory: still being written, or left by a crash. */
  readonly isFolder: boolean;
}

export type IconName = "rename" | "delete" | "folder" | "refresh";

export interface Host {
  /** The folder on disk that the file browser shows as its root; "" where it is not known. */
  readonly root: string;
  /** Open a recording by its path of the contents API, or else by its path in the kernel. */
  open: ((where: { file: string } | { path: string; title: string }) => void) | null;
  /** Show a path of the contents API in the file browser; null where there is none. */
  readonly show: ((path: string) => void) | null;
  launcher(): void;
  /** Ask before something is deleted. */
  confirm(question: string, consequence: string, button: string): Promise<boolean>;
  /** The recordings in the folder that the file browser shows. */
  list(): Promise<readonly Filed[]>;
  /** @throws Error when the server refuses. */
  rename(path: string, name: string): Promise<void>;
  remove(path: string): Promise<void>;
  icon(name: IconName): HTMLElement | null;
  copy(text: string): Promise<void>;
}
