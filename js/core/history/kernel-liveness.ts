/** Whether the kernel of a session has gone, from words that come late and in any order. */

import type { Ending } from "../source";
import type { State } from "../state.gen";
import { isMoreExact } from "../vocabulary/ending";

/** All that is to be heard of a kernel that goes arrives within so many ms. */
const LAST_WORDS_MS = 10_000;

export class KernelLiveness {
  #ended: Ending | null = null;
  #endedAt = Number.NEGATIVE_INFINITY;
  /** When the session said that it was over: long ago where a cell had stopped it. */
  #stoppedAt = Number.POSITIVE_INFINITY;

  /** How the kernel went; null while it has not. */
  get ended(): Ending | null {
    return this.#ended;
  }

  /**
   * The kernel has gone; returns whether that is news.
   *
   * A session that has been over for some time is not concerned.
   */
  end(how: Ending): boolean {
    const now = performance.now();
    if (now - this.#stoppedAt > LAST_WORDS_MS) return false;
    if (this.#ended !== null) {
      const more = isMoreExact(how, this.#ended) && now - this.#endedAt < LAST_WORDS_MS;
      if (!more) return false;
    }
    this.#ended = how;
    this.#endedAt = now;
    return true;
  }

  /** Something came from the kernel: long after its last words, it has not gone after all. */
  hear(): void {
    if (performance.now() - this.#endedAt > LAST_WORDS_MS) this.#ended = null;
  }

  /** The session said how it is; `running` is how it was before. */
  told(state: State, running: boolean): void {
    if (state.phase === "running") this.#stoppedAt = Number.POSITIVE_INFINITY;
    else if (running || this.#stoppedAt === Number.POSITIVE_INFINITY) {
      // A kernel that goes ends its session when no cell runs any more.
      const asked = state.kernel.busy && this.#ended === null;
      this.#stoppedAt = asked ? Number.NEGATIVE_INFINITY : performance.now();
    }
  }
}
