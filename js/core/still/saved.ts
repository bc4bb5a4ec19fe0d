/** Reads a saved output: its keyframe, and the id of the feed that may still be alive. */

import { arrivalOf, type Channel } from "../history/channel";
import { Store } from "../history/store";
import type { Ending } from "../source";
import type { State } from "../state.gen";
import { readEnding } from "../vocabulary/ending";
import { WireError } from "../wire/header";

export const REPLAY_MIME = "application/vnd.pulse.replay+json";

const VERSION = 1;
/** Far above what is ever saved; guards against damaged notebooks. */
const MOST_CHARACTERS = 8 * 2 ** 20;

export interface Saved {
  /** Model id of the feed; null when the session is over. */
  readonly feed: string | null;
  /** The text of the keyframe, to tell one picture from another. */
  readonly text: string;
  readonly keyframe: Uint8Array;
  readonly layout: Layout;
  /** Globs of metric names the view was limited to; null shows all. */
  readonly metrics: readonly string[] | null;
  /** How the kernel ended, if it ended before its session did. */
  readonly ended: Ending | null;
}

export type Layout = "dashboard" | "strip" | "charts";

/**
 * Read the data of an output of type `REPLAY_MIME`.
 *
 * @throws WireError when it is damaged or of a newer version.
 */
export function readSaved(data: unknown): Saved {
  const saved = (data ?? {}) as Record<string, unknown>;
  const { version, feed, keyframe, layout, metrics, ended } = saved;
  if (typeof version === "number" && version > VERSION) {
    throw new WireError(
      `this picture has version ${version}, this extension reads ${VERSION}. ` +
        "Upgrade it: pip install -U pulse_widgets",
    );
  }
  if (version !== VERSION || typeof keyframe !== "string" || keyframe.length > MOST_CHARACTERS) {
    throw new WireError("this picture is damaged. Run the cell again");
  }
  return {
    feed: typeof feed === "string" && feed !== "" ? feed : null,
    text: keyframe,
    keyframe: fromBase64(keyframe),
    layout: layout === "strip" || layout === "charts" ? layout : "dashboard",
    metrics: Array.isArray(metrics) ? metrics.map(String) : null,
    ended: readEnding(ended),
  };
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    throw new WireError("this picture is damaged. Run the cell again");
  }
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  // `apply` with all bytes at once would be too many arguments.
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

/**
 * The channel of a saved output: it brings one keyframe and takes no requests.
 *
 * @throws WireError when the keyframe is damaged.
 */
export function savedChannel({ keyframe }: Pick<Saved, "keyframe">): Channel {
  const arrival = arrivalOf(keyframe, true);
  return {
    closed: true,
    subscribe(listener) {
      listener.hear(arrival);
      return () => undefined;
    },
    send: () => false,
  };
}

/** The store of a saved output: what was running when it was saved is not running now. */
export class SavedStore extends Store {
  /** True once a new packet of the session has arrived. */
  live = false;

  override state(): State {
    const state = super.state();
    return this.live || state.phase !== "running" ? state : { ...state, phase: "replay" };
  }

  override stale(): boolean {
    return this.live ? super.stale() : super.state().phase === "running";
  }
}
