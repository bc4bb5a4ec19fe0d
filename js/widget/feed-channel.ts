/** The channel of anywidget: custom messages of a model, and the keyframe that it keeps. */

import type { AnyModel } from "@anywidget/types";
import { type Channel, type Listener, type Request, tryArrival } from "../core/history/channel";
import { checkVersion } from "../core/wire/packet";

/** Known to every Jupyter model, though not part of what anywidget promises. */
interface LiveModel {
  readonly comm_live?: boolean;
}

type Buffers = readonly (DataView | ArrayBuffer)[];

export class FeedChannel implements Channel {
  /** Why nothing can be shown: the two ends do not understand each other. Null when they do. */
  readonly problem: string | null;
  readonly #feed: AnyModel;

  constructor(feed: AnyModel) {
    this.#feed = feed;
    this.problem = versionProblem(feed);
  }

  get closed(): boolean {
    return (this.#feed as LiveModel).comm_live === false;
  }

  subscribe(listener: Listener): () => void {
    if (this.problem) return () => undefined;
    const feed = this.#feed;
    const hear = (bytes: DataView | ArrayBuffer, kept = false) => {
      const arrival = tryArrival(bytes, kept);
      if (arrival) listener.hear(arrival);
    };
    const onSnapshot = () => {
      const snapshot = feed.get("snapshot") as DataView | undefined;
      if (snapshot && snapshot.byteLength > 0) hear(snapshot, true);
    };
    const onMessage = (message: unknown, buffers?: Buffers) => {
      const isPacket = (message as { kind?: unknown } | null)?.kind === "packet";
      if (isPacket && buffers?.[0]) hear(buffers[0]);
    };
    const onComm = () => {
      if (this.closed) listener.closed?.();
    };
    onSnapshot();
    feed.on("change:snapshot", onSnapshot);
    // Not part of what anywidget promises; hosts without it go on waiting.
    feed.on("comm_live_update", onComm);
    feed.on("msg:custom", onMessage);
    return () => {
      feed.off("change:snapshot", onSnapshot);
      feed.off("comm_live_update", onComm);
      feed.off("msg:custom", onMessage);
    };
  }

  send(request: Request): boolean {
    if (this.closed) return false;
    try {
      this.#feed.send(request);
      return true;
    } catch (problem) {
      // The kernel is gone; what is here can still be viewed.
      console.warn("Pulse: the kernel cannot be reached", problem);
      return false;
    }
  }
}

function versionProblem(feed: AnyModel): string | null {
  const [major = 1, minor = 0] = (feed.get("wire") ?? []) as number[];
  try {
    checkVersion(major, minor);
    return null;
  } catch (problem) {
    return (problem as Error).message;
  }
}
