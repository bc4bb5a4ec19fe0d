/** The store of a running session: it requests through its channel what it does not have. */

import type { Packet } from "../wire/packet";
import type { Arrival, Channel } from "./channel";
import { Store } from "./store";

/** How often the kernel is told that a view is open; without that the feed pauses after 60 s. */
const SEEN_MS = 20_000;
/** An unanswered request is no longer waited for after this long: the message may be lost. */
const PATIENCE_MS = 600_000;
/** After lost frames a keyframe comes unasked within this time; if not, it is requested. */
const HEALED_MS = 1_000;
/** Series in one request: the kernel answers no more at once (`REPLY_SERIES_MOST`). */
const SERIES_MOST = 1000;

/** A request that was sent, and when. */
interface Pending {
  readonly sent: number;
  readonly ids: ReadonlySet<number>;
  readonly t0: number;
  readonly t1: number;
  readonly points: number;
}

export class LiveStore extends Store {
  readonly #channel: Channel;
  #views = 0;
  #seen: ReturnType<typeof setInterval> | undefined;
  #request = 0;
  /** The newest frame that was lost and that no keyframe has replaced yet; null for none. */
  #missed: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Requests without a reply so far. */
  readonly #pending = new Map<number, Pending>();

  constructor(channel: Channel) {
    super();
    this.#channel = channel;
    channel.subscribe({
      hear: (arrival) => this.#hear(arrival),
      closed: () => {
        // Widget managers close a comm on a restart, before the kind of ending can be known.
        if (!this.ended()) this.end("restarted");
      },
    });
  }

  /** A view shows this feed until it calls the function returned. */
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

  /** No view is open, and the kernel has closed the feed, so nothing more will come. */
  get abandoned(): boolean {
    return this.#views === 0 && this.#channel.closed;
  }

  /** Request exact rows, only of series that neither have them nor wait for them. */
  request(ids: readonly number[], t0: number, t1: number, points: number): void {
    const sent = Date.now();
    this.#forget(sent - PATIENCE_MS);
    const density = points / (t1 - t0);
    const same = [...this.#pending.values()].filter(
      (one) => one.t0 <= t0 && one.t1 >= t1 && one.points / (one.t1 - one.t0) >= density,
    );
    const incomplete = this.incomplete(ids, t0, t1, points).filter(
      (id) => !same.some((one) => one.ids.has(id)),
    );
    for (let from = 0; from < incomplete.length; from += SERIES_MOST) {
      const request = ++this.#request;
      const some = incomplete.slice(from, from + SERIES_MOST);
      if (!this.#send({ kind: "range", request, ids: some, t0, t1, points })) return;
      this.#pending.set(request, { sent, ids: new Set(some), t0, t1, points });
    }
  }

  /** True while a request has no reply yet: the kernel replies when it is free. */
  pending(): boolean {
    if (this.ended()) return false;
    this.#forget(Date.now() - PATIENCE_MS);
    return this.#pending.size > 0;
  }

  /** Wait no longer for the answers to what was sent before `since`. */
  #forget(since: number): void {
    for (const [request, { sent }] of this.#pending) {
      if (sent < since) this.#pending.delete(request);
    }
  }

  #hear(arrival: Arrival): void {
    const lost = this.lost();
    this.take(arrival);
    const { packet } = arrival;
    this.#heal(packet, lost);
    // The kernel answers in order, so what was asked before this answer will not come.
    if (packet.kind !== "rows") return;
    for (const request of this.#pending.keys()) {
      if (request <= packet.request) this.#pending.delete(request);
    }
  }

  /** After lost frames a keyframe is needed; outside of a cell it is sent only when requested. */
  #heal(packet: Packet, lostBefore: number): void {
    if (packet.kind === "frame" && this.lost() > lostBefore) {
      this.#missed = packet.seq - 1;
      this.#timer ??= setTimeout(() => this.#ask(), HEALED_MS);
    } else if (packet.kind === "keyframe" && packet.seq >= (this.#missed ?? 0)) {
      this.#missed = null;
    }
  }

  #ask(): void {
    this.#timer = undefined;
    if (this.#missed !== null && this.#views > 0) this.#send({ kind: "hello" });
  }

  #send(request: Parameters<Channel["send"]>[0]): boolean {
    return !this.ended() && this.#channel.send(request);
  }
}
