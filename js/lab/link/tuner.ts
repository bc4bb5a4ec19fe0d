/** Takes the packets of one kernel into stores: one for each session that it had. */

import { tryArrival } from "../../core/history/channel";
import { LiveStore } from "../../core/history/live-store";
import type { LinkStatus } from "../shared/protocol";
import { LinkChannel, startIn } from "./link-channel";

/** A session whose packets are heard. */
interface Tuned {
  readonly t0: number | undefined;
  readonly channel: LinkChannel;
  readonly store: LiveStore;
  /** Ends the view that keeps the kernel sending. */
  leave(): void;
}

type Send = (request: unknown) => boolean;

export class Tuner {
  #tuned: Tuned | null = null;
  /** The number of the stream that is heard; null before the first packet on a comm. */
  #stream: number | null = null;
  #send: Send | null = null;

  /** What is known of the newest session; null where none was heard of. */
  get store(): LiveStore | null {
    return this.#tuned?.store ?? null;
  }

  /** Requests go this way from now on. */
  plug(send: Send): void {
    this.#send = send;
  }

  /** There is no comm any more. */
  unplug(): void {
    this.#stream = null;
    this.#send = null;
    this.#tuned?.leave();
    this.#tuned?.channel.plug(null);
  }

  forget(): void {
    this.unplug();
    this.#tuned = null;
  }

  /** Returns whether `store` is another now. */
  take(stream: number, buffer: ArrayBuffer | ArrayBufferView, status: LinkStatus | null): boolean {
    const arrival = tryArrival(buffer);
    if (!arrival) return false;
    const before = this.store;
    if (stream !== this.#stream) {
      this.#stream = stream;
      this.#tune(startIn(arrival.packet) ?? status?.session?.t0);
    }
    this.#tuned?.channel.hear(arrival);
    return this.store !== before;
  }

  /** Hear the session that began at `t0`: what is known of it already is kept. */
  #tune(t0: number | undefined): void {
    const before = this.#tuned;
    before?.leave();
    before?.channel.plug(null);
    const goesOn = before && before.t0 !== undefined && before.t0 === t0 && !before.store.ended();
    const channel = goesOn ? before.channel : new LinkChannel();
    const store = goesOn ? before.store : new LiveStore(channel);
    // Before it is plugged: a view that arrives asks for a keyframe, with which a stream begins.
    const leave = store.attach();
    channel.plug(this.#send);
    this.#tuned = { t0, channel, store, leave };
  }
}
