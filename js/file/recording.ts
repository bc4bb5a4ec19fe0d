/** A recording that is read on this page, without a kernel. */

import type { Channel } from "../core/history/channel";

/**
 * It answers what a kernel answers for `pw.replay(...)`: after `hello` a keyframe, after `range`
 * the rows or envelopes of a stretch. `subscribe` brings packets; they need not be encoded.
 */
export interface RecordingChannel extends Channel {
  /** Sentences about what is missing from it, as `Recording.problems` of Python has them. */
  readonly problems: readonly string[];
  /** It is still being written: `subscribe` goes on bringing what is new. */
  readonly running: boolean;
  /** Requests made and bytes fetched so far. */
  readonly cost: { readonly requests: number; readonly bytes: number };
  /** Lets go of everything. Nothing is brought after that. */
  close(): void;
}
