/** A folder of files in memory, for tests. */

import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { memoryFile } from "../access";
import { type Entry, type Folder, GoneError, type RandomAccess } from "../place";

export class MemoryFolder implements Folder {
  readonly name: string;
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  /** Seconds since the heartbeat of each writer. */
  silentFor = 1000;
  /** Sizes that are told instead of those of the bytes. */
  readonly sizes = new Map<string, number>();
  /** What was asked for: "list", "read" or "since", and the path. */
  readonly asked: string[] = [];

  constructor(name: string, files: Iterable<readonly [string, Uint8Array<ArrayBuffer>]> = []) {
    this.name = name;
    this.files = new Map(files);
  }

  /** The files of a directory on the disk. */
  static of(path: string, name = posix.basename(path)): MemoryFolder {
    const entries = readdirSync(path, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const whole = posix.join(entry.parentPath, entry.name);
        return [posix.relative(path, whole), new Uint8Array(readFileSync(whole))] as const;
      });
    return new MemoryFolder(name, files);
  }

  now(): number {
    return 5000;
  }

  async list(path: string): Promise<Entry[]> {
    this.asked.push(`list ${path}`);
    const begin = path === "" ? "" : `${path}/`;
    const inside = [...this.files].filter(([name]) => name.startsWith(begin));
    if (inside.length === 0) throw new GoneError(`${this.name}/${path} is not there.`);
    const entries = new Map<string, Entry>();
    for (const [whole, { length }] of inside) {
      const [name = "", ...more] = whole.slice(begin.length).split("/");
      const isFolder = more.length > 0;
      const size = isFolder ? null : (this.sizes.get(whole) ?? length);
      entries.set(name, { name, isFolder, size, modified: this.now() - this.silentFor });
    }
    return [...entries.values()];
  }

  file(path: string): RandomAccess {
    const file = () => {
      this.asked.push(`read ${path}`);
      return memoryFile(path, this.#bytes(path));
    };
    return {
      name: path,
      size: async () => file().size(),
      read: async (begin, end) => file().read(begin, end),
      tail: async (most) => file().tail(most),
    };
  }

  async since(path: string, begin: number): Promise<Uint8Array<ArrayBuffer>> {
    this.asked.push(`since ${path} ${begin}`);
    return this.#bytes(path).slice(begin);
  }

  #bytes(path: string): Uint8Array<ArrayBuffer> {
    const bytes = this.files.get(path);
    if (!bytes) throw new GoneError(`${path} is not there.`);
    return bytes;
  }
}
