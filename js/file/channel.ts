/** The channel of an opened recording: requests of a page, and the packets that answer them. */

import type { Arrival, Listener, Request } from "../core/history/channel";
import type { Packet } from "../core/wire/packet";
import type { CountedFile } from "./access";
import { GoneError, RecordingError } from "./place";
import type { Provider, RangeRequest } from "./provider";
import type { RecordingChannel } from "./recording";
import type { Stored } from "./stored";

/** Seconds until what could not be fetched is tried again; the last one stays. */
const AGAIN_S = [1, 3, 10, 30];

export interface Opened {
  readonly stored: Stored;
  readonly provider: Provider;
  /** The bytes, which are let go of when the channel is closed. */
  readonly close: () => void;
  readonly cost: CountedFile["cost"];
}

export class FileChannel implements RecordingChannel {
  readonly #opened: Opened;
  readonly #listeners = new Set<Listener>();
  readonly #waiting: Request[] = [];
  readonly #pause: (seconds: number) => Promise<void>;
  #isBusy = false;
  #closed = false;
  /** Why the last request could not be answered; empty when it could. */
  #trouble = "";

  constructor(opened: Opened, pause = pausing) {
    this.#opened = opened;
    this.#pause = pause;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get problems(): readonly string[] {
    const { stored, provider } = this.#opened;
    const trouble = this.#trouble ? [this.#trouble] : [];
    return [...stored.problems, ...provider.problems, ...trouble];
  }

  get running(): boolean {
    return this.#opened.stored.running;
  }

  get cost(): { readonly requests: number; readonly bytes: number } {
    return this.#opened.cost;
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
    this.#opened.close();
  }

  /** Answer what waits, one after the other: a page counts on the order. */
  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let tries = 0; this.#waiting.length > 0 && !this.#closed; ) {
      const request = this.#waiting[0] as Request;
      try {
        await this.#answer(request);
        this.#waiting.shift();
        tries = 0;
      } catch (problem) {
        if (this.#closed) break;
        this.#trouble = problem instanceof Error ? problem.message : String(problem);
        // What was deleted is looked for when a page asks again.
        if (problem instanceof GoneError) this.#refuse(this.#waiting.length);
        if (!(problem instanceof RecordingError && problem.trouble === "unreachable")) {
          // Trying again would give the same.
          this.#refuse(1);
        }
        if (this.#waiting[0] !== request) continue;
        await this.#pause(AGAIN_S[Math.min(tries++, AGAIN_S.length - 1)] as number);
      }
    }
    this.#isBusy = false;
  }

  /** So many of those that wait are not answered. */
  #refuse(many: number): void {
    for (const request of this.#waiting.splice(0, many)) {
      if (request.kind !== "range") continue;
      for (const listener of [...this.#listeners]) listener.refused?.(request.request);
    }
  }

  async #answer(request: Request): Promise<void> {
    const { provider } = this.#opened;
    if (request.kind === "hello") {
      for await (const packet of provider.keyframes()) this.#deliver(packet);
    } else if (request.kind === "range") {
      this.#deliver(await provider.detail(request satisfies RangeRequest));
    }
  }

  #deliver(packet: Packet): void {
    const arrival: Arrival = { packet, bytes: null, kept: false };
    this.#trouble = "";
    if (!this.#closed) for (const listener of [...this.#listeners]) listener.hear(arrival);
  }
}

function pausing(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}
