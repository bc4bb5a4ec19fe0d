/** Decides whether the kernel of a session is gone, from signs that come late and in any order. */

import type { Ending } from "../source";
import type { State } from "../state.gen";
import { isMoreExact } from "../vocabulary/ending";

/** The last messages of a kernel that ends all arrive within so many ms. */
const LAST_MESSAGES_MS = 10_000;

export class KernelLiveness {
  #ended: Ending | null = null;
  #endedAt = Number.NEGATIVE_INFINITY;
  /** When the session reported its end; minus infinity if a cell had stopped it. */
  #stoppedAt = Number.POSITIVE_INFINITY;

  /** How the kernel ended; null while it has not. */
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
    if (now - this.#stoppedAt > LAST_MESSAGES_MS) return false;
    if (this.#ended !== null) {
      const more = isMoreExact(how, this.#ended) && now - this.#endedAt < LAST_MESSAGES_MS;
      if (!more) return false;
    }
    this.#ended = how;
    this.#endedAt = now;
    return true;
  }

  /** A message came from the kernel. If that is long after its end, it did not end after all. */
  hear(): void {
    if (performance.now() - this.#endedAt > LAST_MESSAGES_MS) this.#ended = null;
  }

  /** A new state of the session; `running` says whether it was running before. */
  update(state: State, running: boolean): void {
    if (state.phase === "running") this.#stoppedAt = Number.POSITIVE_INFINITY;
    else if (running || this.#stoppedAt === Number.POSITIVE_INFINITY) {
      // A kernel that ends stops its session when no cell is running any more.
      const asked = state.kernel.busy && this.#ended === null;
      this.#stoppedAt = asked ? Number.NEGATIVE_INFINITY : performance.now();
    }
  }
}
