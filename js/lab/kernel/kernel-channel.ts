/**
 * A channel that reads a feed's packets from the kernel connection itself. After a reload of the
 * page the widget manager restores nothing until the running cell has ended, but messages arrive.
 */

import type { ISessionContext } from "@jupyterlab/apputils";
import type { Kernel, KernelMessage } from "@jupyterlab/services";
import { type Channel, type Listener, tryArrival } from "../../core/history/channel";

export class KernelChannel implements Channel {
  readonly #session: ISessionContext;
  readonly #feed: string;
  readonly #listeners = new Set<Listener>();
  #kernel: Kernel.IKernelConnection | null = null;
  closed = false;

  constructor(session: ISessionContext, feed: string) {
    this.#session = session;
    this.#feed = feed;
    session.kernelChanged.connect(this.#hook, this);
    session.sessionChanged.connect(this.#hook, this);
    this.#hook();
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** It only listens: it has no comm of its own to send on. */
  send(): boolean {
    return false;
  }

  dispose(): void {
    this.closed = true;
    this.#listeners.clear();
    this.#session.kernelChanged.disconnect(this.#hook, this);
    this.#session.sessionChanged.disconnect(this.#hook, this);
    this.#kernel?.iopubMessage.disconnect(this.#message, this);
    this.#kernel = null;
  }

  #hook(): void {
    const kernel = this.#session.session?.kernel ?? null;
    if (kernel === this.#kernel) return;
    this.#kernel?.iopubMessage.disconnect(this.#message, this);
    this.#kernel = kernel;
    kernel?.iopubMessage.connect(this.#message, this);
  }

  #message(_: unknown, message: KernelMessage.IIOPubMessage): void {
    const packet = packetOf(message, this.#feed);
    const arrival = packet && tryArrival(packet);
    if (arrival) for (const listener of this.#listeners) listener.hear(arrival);
  }
}

/** The packet in a message of this feed's comm, or null. */
export function packetOf(
  message: KernelMessage.IIOPubMessage,
  feed: string,
): ArrayBuffer | ArrayBufferView | null {
  if (message.header.msg_type !== "comm_msg") return null;
  const { comm_id, data } = message.content as KernelMessage.ICommMsgMsg["content"];
  if (comm_id !== feed) return null;
  const content = data["content"] as { kind?: unknown } | undefined;
  return content?.kind === "packet" ? (message.buffers?.[0] ?? null) : null;
}
