/** The store of a running session: it requests through its channel what it does not have. */

import type { Packet, RowsPacket } from "../wire/packet";
import type { Arrival, Channel } from "./channel";
import { Store } from "./store";
import { TextAsker } from "./text-asker";

/** How often the kernel is told that a view is open; without that the feed pauses after 60 s. */
const SEEN_MS = 20_000;
/** An unanswered request is no longer waited for after this long: the message may be lost. */
const PATIENCE_MS = 600_000;
/** After lost frames a keyframe comes unasked within this time; if not, it is requested. */
const HEALED_MS = 1_000;
/** Series in one request: the kernel answers no more at once (`REPLY_SERIES_MOST`). */
const SERIES_MOST = 1000;

/** Rows that a page asks for by itself, about, and buckets of them: all series together. */
const OWN_ROWS = 200_000;
const OWN_BUCKETS = 60_000;
const OWN_POINTS = 1000;

/** A request that was sent, and when. */
interface Pending {
  readonly sent: number;
  readonly ids: ReadonlySet<number>;
  readonly t0: number;
  readonly t1: number;
  readonly points: number;
}

export class LiveStore extends Store {
  /** Asks for printed lines. */
  readonly printed: TextAsker;
  readonly #channel: Channel;
  #views = 0;
  #seen: ReturnType<typeof setInterval> | undefined;
  #request = 0;
  /** The newest frame that was lost and that no keyframe has replaced yet; null for none. */
  #missed: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Requests without a reply so far. */
  readonly #pending = new Map<number, Pending>();
  /** The series whose past this page has asked for by itself. */
  readonly #healed = new Set<number>();

  constructor(channel: Channel) {
    super();
    this.#channel = channel;
    this.printed = new TextAsker(this.text, {
      send: (request) => this.#send(request),
      next: () => ++this.#request,
      state: () => this.state(),
    });
    channel.subscribe({
      hear: (arrival) => this.#hear(arrival),
      refused: (request) => {
        this.#pending.delete(request);
        this.printed.refused(request);
      },
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
    this.printed.renew();
    this.#seen ??= setInterval(() => {
      // A session that is over sends nothing more; its kernel is not to be kept from being idle.
      if (this.state().phase === "stopped") return;
      this.#send({ kind: "seen" });
      this.printed.renew();
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
    this.#ask(ids, t0, t1, points);
  }

  /** Returns the series that are asked for, in parts of what a request may hold. */
  #ask(ids: readonly number[], from: number, t1: number, wanted: number): readonly number[] {
    const sent = Date.now();
    this.#forget(sent - PATIENCE_MS);
    // Before the session began there is nothing to ask for.
    const t0 = Math.max(from, this.#began());
    if (!(t0 < t1)) return [];
    const density = wanted / (t1 - from);
    const same = [...this.#pending.values()].filter(
      (one) => one.t0 <= t0 && one.t1 >= t1 && one.points / (one.t1 - one.t0) >= density,
    );
    const points = density * (t1 - t0);
    const incomplete = this.incomplete(ids, t0, t1, points).filter(
      (id) => !same.some((one) => one.ids.has(id)),
    );
    for (let at = 0; at < incomplete.length; at += SERIES_MOST) {
      const request = ++this.#request;
      const some = incomplete.slice(at, at + SERIES_MOST);
      const asked = { t0, t1, points: Math.ceil(points) };
      if (!this.#send({ kind: "range", request, ids: some, ...asked })) return [];
      this.#pending.set(request, { sent, ids: new Set(some), ...asked });
    }
    return incomplete;
  }

  /** The first moment of the session; of samples, where its state names a later one. */
  #began(): number {
    const [first] = this.extent();
    const { t0 } = this.state();
    return Number.isFinite(first) ? Math.min(first, Number.isFinite(t0) ? t0 : first) : -Infinity;
  }

  /**
   * After a reload the past is known from a keyframe, in few buckets. Ask for as much of it as a
   * kernel gathers and sends in a moment, once for each series; it answers when it is free.
   */
  #askForPast(): void {
    if (this.#views === 0 || this.state().phase !== "running") return;
    const ids = this.catalog()
      .map(({ id }) => id)
      .filter((id) => !this.#healed.has(id));
    const [first, last] = this.extent();
    if (ids.length === 0 || !Number.isFinite(first)) return;
    const reach = (OWN_ROWS / ids.length) * Math.max(this.state().interval, 0.1);
    const points = Math.min(OWN_POINTS, Math.max(1, Math.floor(OWN_BUCKETS / ids.length)));
    for (const id of this.#ask(ids, Math.max(first, last - reach), last, points)) {
      this.#healed.add(id);
    }
  }

  /** True while a request has no reply yet: the kernel replies when it is free. */
  pending(): boolean {
    if (this.ended()) return false;
    this.#forget(Date.now() - PATIENCE_MS);
    return this.#pending.size > 0;
  }

  protected override printedOn(): boolean {
    return this.printed.isComplete;
  }

  protected override densityAsked({ request }: RowsPacket): number {
    const asked = this.#pending.get(request);
    return asked ? asked.points / (asked.t1 - asked.t0) : 0;
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
    this.printed.heard(packet);
    this.#heal(packet, lost);
    if (packet.kind === "keyframe" && !arrival.kept) this.#askForPast();
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
      this.#timer ??= setTimeout(() => this.#askAgain(), HEALED_MS);
    } else if (packet.kind === "keyframe" && packet.seq >= (this.#missed ?? 0)) {
      this.#missed = null;
    }
  }

  #askAgain(): void {
    this.#timer = undefined;
    if (this.#missed !== null && this.#views > 0) this.#send({ kind: "hello" });
  }

  #send(request: Parameters<Channel["send"]>[0]): boolean {
    return !this.ended() && this.#channel.send(request);
  }
}
