/** What all recordings that are read on this page share: who listens, and what waits for an answer. */

import type { Arrival, Listener, Request } from "../core/history/channel";
import type { Packet } from "../core/wire/packet";
import type { RecordingChannel } from "./recording";

export abstract class Answering implements RecordingChannel {
  abstract readonly problems: readonly string[];
  abstract readonly running: boolean;
  abstract readonly cost: RecordingChannel["cost"];
  readonly #listeners = new Set<Listener>();
  readonly #waiting: Request[] = [];
  #isBusy = false;
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  send(request: Request): boolean {
    if (this.#closed) return false;
    if (request.kind === "seen") return true;
    this.#waiting.push(request);
    void this.#work();
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.length = 0;
    this.#listeners.clear();
    this.release();
  }

  protected abstract answer(request: Request): Promise<void>;

  /**
   * An answer has failed. A request that still waits afterwards is tried again when the result
   * resolves; one that is refused is not.
   */
  protected abstract failed(problem: unknown): Promise<void> | void;

  /** Let go of everything. */
  protected abstract release(): void;

  protected deliver(packet: Packet): void {
    const arrival: Arrival = { packet, bytes: null, kept: false };
    if (!this.#closed) for (const listener of [...this.#listeners]) listener.hear(arrival);
  }

  /** So many of those that wait are not answered. */
  protected refuse(many: number): void {
    for (const request of this.#waiting.splice(0, many)) {
      if (!("request" in request)) continue;
      for (const listener of [...this.#listeners]) listener.refused?.(request.request);
    }
  }

  /** Answer what waits, one after the other: a page counts on the order. */
  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#waiting.length > 0 && !this.#closed) {
      try {
        await this.answer(this.#waiting[0] as Request);
        this.#waiting.shift();
      } catch (problem) {
        if (!this.#closed) await this.failed(problem);
      }
    }
    this.#isBusy = false;
  }
}
