/** Asks kernels that nobody follows whether a monitor runs there: briefly, and beside their cells. */

import { RUNNING } from "../shared/protocol";
import type { Own } from "./replay";
import { listsComm } from "./wire";

/** An answer is believed for so long. */
const FRESH_MS = 3000;
/** A kernel that has not answered by then says nothing. */
const PATIENCE_MS = 2000;
/** Kernels that are asked at once. */
const MOST = 8;

interface Told {
  readonly runs: boolean | null;
  readonly at: number;
}

export class Asked {
  readonly #told = new Map<string, Told>();
  readonly #connect: (kernel: string) => Own | null;

  /** @param connect Makes a connection of our own to a kernel; null where there is none. */
  constructor(connect: (kernel: string) => Own | null) {
    this.#connect = connect;
  }

  has(kernel: string): boolean {
    return this.#told.has(kernel);
  }

  /** Whether a monitor runs there, as it was when it was asked; null where it did not tell. */
  get(kernel: string): boolean | null {
    return this.#told.get(kernel)?.runs ?? null;
  }

  /** Ask some kernels; resolves when all have answered, or were waited for long enough. */
  async ask(kernels: readonly string[]): Promise<void> {
    for (const known of this.#told.keys()) if (!kernels.includes(known)) this.#told.delete(known);
    const isOld = (id: string) => !(Date.now() - (this.#told.get(id)?.at ?? 0) < FRESH_MS);
    const left = kernels.filter(isOld);
    const next = async (): Promise<void> => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) {
        this.#told.set(id, { runs: await this.#runsIn(id), at: Date.now() });
      }
    };
    await Promise.all(Array.from({ length: MOST }, next));
  }

  async #runsIn(id: string): Promise<boolean | null> {
    const own = this.#connect(id);
    if (!own) return null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), PATIENCE_MS);
    });
    try {
      return await Promise.race([listsComm(own.kernel, RUNNING), late]);
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
      own.dispose();
    }
  }
}
