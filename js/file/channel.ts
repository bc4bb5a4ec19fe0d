/** The channel of an opened recording: requests of a page, and the packets that answer them. */

import type { Request } from "../core/history/channel";
import type { Packet } from "../core/wire/packet";
import type { CountedFile } from "./access";
import { Answering } from "./answering";
import { GoneError, RecordingError } from "./place";
import type { Provider, RangeRequest } from "./provider";
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

export class FileChannel extends Answering {
  readonly #opened: Opened;
  readonly #pause: (seconds: number) => Promise<void>;
  /** Why the last request could not be answered; empty when it could. */
  #trouble = "";
  #tries = 0;

  constructor(opened: Opened, pause = pausing) {
    super();
    this.#opened = opened;
    this.#pause = pause;
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

  protected release(): void {
    this.#opened.close();
  }

  protected async answer(request: Request): Promise<void> {
    const { provider } = this.#opened;
    if (request.kind === "hello") {
      for await (const packet of provider.keyframes()) this.deliver(packet);
    } else if (request.kind === "range") {
      this.deliver(await provider.detail(request satisfies RangeRequest));
    } else if (request.kind === "printed") this.deliver(await provider.lines(request));
    this.#tries = 0;
  }

  protected async failed(problem: unknown): Promise<void> {
    this.#trouble = problem instanceof Error ? problem.message : String(problem);
    // What was deleted is looked for when a page asks again.
    if (problem instanceof GoneError) this.refuse(Infinity);
    // Trying again would give the same.
    else if (!(problem instanceof RecordingError && problem.trouble === "unreachable")) {
      this.refuse(1);
    } else {
      await this.#pause(AGAIN_S[Math.min(this.#tries++, AGAIN_S.length - 1)] as number);
    }
  }

  protected override deliver(packet: Packet): void {
    this.#trouble = "";
    super.deliver(packet);
  }
}

function pausing(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}
