/** The newest keyframes of a session, whole, for a page that saves what it shows. */

import type { KeyframePacket } from "../wire/packet";

export class Keyframes {
  /** The newest one; null before any. */
  newest: Uint8Array | null = null;
  /** The newest that the kernel has redacted: only this may be saved. */
  redacted: Uint8Array | null = null;
  #seq = -1;

  /** Keep the newest; of two of the same time the one with all names. */
  add({ seq }: KeyframePacket, bytes: Uint8Array | null, kept: boolean): void {
    if (kept) this.redacted = bytes;
    if (bytes === null || (kept && seq <= this.#seq)) return;
    this.newest = bytes;
    this.#seq = seq;
  }
}
