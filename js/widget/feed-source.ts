/** A live feed: an anywidget model whose messages fill a `Store`, shared by all views of a page. */

import type { AnyModel } from "@anywidget/types";
import { Store } from "../core/history/store";
import { checkVersion, type Packet } from "../core/wire/packet";

/** How often the kernel hears that somebody looks; without it the feed falls silent after 60 s. */
const SEEN_MS = 20_000;
/** An unanswered request is no longer waited for after this long: the message may be lost. */
const PATIENCE_MS = 600_000;
/** A keyframe that follows a hole in the frames by itself comes within this; else it is asked for. */
const HEALED_MS = 1_000;
/** Series in one request: the kernel answers no more at once (`REPLY_SERIES_MOST`). */
const SERIES_MOST = 1000;

/** A request that was sent, and when. */
interface Asked {
  readonly sent: number;
  readonly ids: ReadonlySet<number>;
  readonly t0: number;
  readonly t1: number;
  readonly points: number;
}

/** Known to every Jupyter model, though not part of what anywidget promises. */
interface LiveModel {
  readonly comm_live?: boolean;
}

export class FeedSource extends Store {
  readonly feed: AnyModel;
  /** Why nothing can be shown: the two ends do not understand each other. Null when they do. */
  problem: string | null = null;
  #views = 0;
  #seen: ReturnType<typeof setInterval> | undefined;
  #request = 0;
  /** The newest frame that was missed and that no keyframe has told of; null for none. */
  #missed: number | null = null;
  #asking: ReturnType<typeof setTimeout> | undefined;
  /** The unanswered requests. */
  readonly #waiting = new Map<number, Asked>();

  constructor(feed: AnyModel) {
    super();
    this.feed = feed;
    const [major = 1, minor = 0] = (feed.get("wire") ?? []) as number[];
    try {
      checkVersion(major, minor);
    } catch (problem) {
      this.problem = (problem as Error).message;
    }
    this.#takeSnapshot();
    feed.on("change:snapshot", () => this.#takeSnapshot());
    // Not part of what anywidget promises; hosts without it go on waiting.
    feed.on("comm_live_update", () => {
      // A manager does this on a restart, before anybody could know of which kind.
      if ((this.feed as LiveModel).comm_live === false && !this.ended()) this.end("restarted");
    });
    feed.on("msg:custom", (message: unknown, buffers?: readonly (DataView | ArrayBuffer)[]) => {
      const isPacket = (message as { kind?: unknown } | null)?.kind === "packet";
      if (isPacket && buffers?.[0]) this.#take(buffers[0]);
    });
  }

  /** A view shows this feed, until it calls what it gets. */
  attach(): () => void {
    this.#views++;
    this.#send({ kind: "hello" });
    this.#seen ??= setInterval(() => {
      // A session that is over sends nothing more; its kernel is not to be kept from being idle.
      if (this.state().phase !== "stopped") this.#send({ kind: "seen" });
    }, SEEN_MS);
    let here = true;
    return () => {
      if (!here) return;
      here = false;
      if (--this.#views > 0) return;
      clearInterval(this.#seen);
      this.#seen = undefined;
    };
  }

  /** Nobody looks, and nothing will come any more: the kernel has closed the feed. */
  get abandoned(): boolean {
    return this.#views === 0 && (this.feed as LiveModel).comm_live === false;
  }

  /** Ask for exact rows, and only for what is neither here nor asked for. */
  request(ids: readonly number[], t0: number, t1: number, points: number): void {
    const sent = Date.now();
    this.#forget(sent - PATIENCE_MS);
    const density = points / (t1 - t0);
    const asked = [...this.#waiting.values()].filter(
      (one) => one.t0 <= t0 && one.t1 >= t1 && one.points / (one.t1 - one.t0) >= density,
    );
    const lacking = this.lacking(ids, t0, t1, points).filter(
      (id) => !asked.some((one) => one.ids.has(id)),
    );
    for (let from = 0; from < lacking.length; from += SERIES_MOST) {
      const request = ++this.#request;
      const some = lacking.slice(from, from + SERIES_MOST);
      if (!this.#send({ kind: "range", request, ids: some, t0, t1, points })) return;
      this.#waiting.set(request, { sent, ids: new Set(some), t0, t1, points });
    }
  }

  /** True while detail was asked for that has not come: the kernel answers when it is free. */
  pending(): boolean {
    if (this.ended()) return false;
    this.#forget(Date.now() - PATIENCE_MS);
    return this.#waiting.size > 0;
  }

  /** Wait no longer for the answers to what was sent before `since`. */
  #forget(since: number): void {
    for (const [request, { sent }] of this.#waiting) {
      if (sent < since) this.#waiting.delete(request);
    }
  }

  #takeSnapshot(): void {
    const snapshot = this.feed.get("snapshot") as DataView | undefined;
    if (!this.problem && snapshot && snapshot.byteLength > 0) this.#take(snapshot);
  }

  /** Frames may be lost on the way; outside a cell a keyframe comes only to who asks for it. */
  #heal(packet: Packet, lostBefore: number): void {
    if (packet.kind === "frame" && this.lost() > lostBefore) {
      this.#missed = packet.seq - 1;
      this.#asking ??= setTimeout(() => this.#ask(), HEALED_MS);
    } else if (packet.kind === "keyframe" && packet.seq >= (this.#missed ?? 0)) {
      this.#missed = null;
    }
  }

  #ask(): void {
    this.#asking = undefined;
    if (this.#missed !== null && this.#views > 0) this.#send({ kind: "hello" });
  }

  #take(bytes: ArrayBuffer | ArrayBufferView): void {
    const lost = this.lost();
    try {
      const packet = this.receive(bytes);
      this.#heal(packet, lost);
      // The kernel answers in order, so what was asked before this answer will not come.
      if (packet.kind !== "rows") return;
      for (const request of this.#waiting.keys()) {
        if (request <= packet.request) this.#waiting.delete(request);
      }
    } catch (problem) {
      // The store is as it was; the next frame shows that one is missing, and it is asked for.
      console.error("Pulse: a packet was refused", problem);
    }
  }

  /** Tell the kernel something; returns whether there is one that may hear it. */
  #send(message: Readonly<Record<string, unknown>>): boolean {
    if (this.ended() || (this.feed as LiveModel).comm_live === false) return false;
    try {
      this.feed.send(message);
      return true;
    } catch (problem) {
      // Without a kernel nobody listens; what is here can still be looked at.
      console.warn("Pulse: the kernel cannot be reached", problem);
      return false;
    }
  }
}

const SOURCES = Symbol.for("pulse_widgets.sources");

type Page = Record<symbol, Map<string, FeedSource> | undefined>;

/**
 * The one source of a feed on this page. A kernel that restarted may give its new feed an id that
 * was there before, so the model itself is compared too.
 */
export function sourceOf(feed: AnyModel, id: string): FeedSource {
  const page = globalThis as unknown as Page;
  page[SOURCES] ??= new Map();
  const sources = page[SOURCES];
  let source = sources.get(id);
  if (source?.feed !== feed) {
    for (const [key, one] of sources) if (one.abandoned) sources.delete(key);
    source = new FeedSource(feed);
    sources.set(id, source);
  }
  return source as FeedSource;
}
