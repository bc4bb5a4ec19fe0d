/** The channel of the link: packets of one session, over one comm after another. */

import type { Arrival, Channel, Listener, Request } from "../../core/history/channel";
import type { Packet } from "../../core/wire/packet";

export class LinkChannel implements Channel {
  readonly #listeners = new Set<Listener>();
  #send: ((request: Request) => boolean) | null = null;
  readonly closed = false;

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  send(request: Request): boolean {
    return this.#send?.(request) ?? false;
  }

  /** Requests go this way from now on; null: nowhere, until there is a comm again. */
  plug(send: ((request: Request) => boolean) | null): void {
    this.#send = send;
  }

  hear(arrival: Arrival): void {
    for (const listener of this.#listeners) listener.hear(arrival);
  }
}

/** When the session began of which a packet says so; undefined of others. */
export function startIn(packet: Packet): number | undefined {
  if (packet.kind !== "keyframe" && packet.kind !== "frame") return undefined;
  const t0 = packet.state?.t0;
  return t0 !== undefined && Number.isFinite(t0) ? t0 : undefined;
}
