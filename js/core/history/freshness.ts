/**
 * Tells whether what a page shows may be out of date, because it is from a picture that was kept.
 * What frames do not repeat, such as that a GPU was lost, only a picture that is sent tells.
 */

import type { FramePacket, Packet } from "../wire/packet";

/** Frames that are lost while a page loads: a picture so much older is not out of date. */
const LOADING_FRAMES = 10;

export class Freshness {
  /** The last moment of the newest picture that was kept, before anything newer was heard. */
  asOf = Number.NaN;
  #heard = false;
  /** The series of which nothing is known but what was kept, some time ago. */
  readonly #old = new Set<number>();

  get stale(): boolean {
    return !this.#heard || this.#old.size > 0;
  }

  /** A frame comes, `missed` after the newest known packet; `known` are the series until then. */
  frame({ rows }: FramePacket, missed: number, known: Iterable<number>): void {
    if (missed > LOADING_FRAMES && !this.#heard) for (const id of known) this.#old.add(id);
    for (const id of rows.series) this.#old.delete(id);
  }

  /** A packet was taken in that changed something; what is known goes up to `end()`. */
  took({ kind }: Packet, kept: boolean, end: () => number): void {
    if (kept) {
      if (!this.#heard) this.asOf = end();
      return;
    }
    this.#heard = true;
    if (kind === "keyframe") this.#old.clear();
  }
}
