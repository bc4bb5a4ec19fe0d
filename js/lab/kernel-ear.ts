/**
 * Hears a feed's packets on the kernel connection itself. After a reload the widget manager
 * restores nothing until the running cell has ended, but the messages arrive all the same.
 */

import type { ISessionContext } from "@jupyterlab/apputils";
import type { Kernel, KernelMessage } from "@jupyterlab/services";

export type Packet = ArrayBuffer | ArrayBufferView;

export class KernelEar {
  readonly #session: ISessionContext;
  readonly #feed: string;
  readonly #hear: (packet: Packet) => void;
  #kernel: Kernel.IKernelConnection | null = null;

  constructor(session: ISessionContext, feed: string, hear: (packet: Packet) => void) {
    this.#session = session;
    this.#feed = feed;
    this.#hear = hear;
    session.kernelChanged.connect(this.#hook, this);
    session.sessionChanged.connect(this.#hook, this);
    this.#hook();
  }

  dispose(): void {
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
    if (packet) this.#hear(packet);
  }
}

/** The packet in a message of this feed's comm, or null. */
export function packetOf(message: KernelMessage.IIOPubMessage, feed: string): Packet | null {
  if (message.header.msg_type !== "comm_msg") return null;
  const { comm_id, data } = message.content as KernelMessage.ICommMsgMsg["content"];
  if (comm_id !== feed) return null;
  const content = data["content"] as { kind?: unknown } | undefined;
  return content?.kind === "packet" ? (message.buffers?.[0] ?? null) : null;
}
