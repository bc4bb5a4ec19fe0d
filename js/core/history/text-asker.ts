/** Asks for printed lines: for new ones while somebody looks, for those of the past when wanted. */

import type { Awaited, Printed, Stretch } from "../source";
import type { State } from "../state.gen";
import type { Packet } from "../wire/packet";
import type { Request } from "./channel";
import { ENDLESS, type TextLog } from "./text-log";

/** A kernel that is free answers within this time; an older one does not know the question. */
const OVERDUE_MS = 15_000;
/** After so long a message counts as lost, and is sent again where its answer is still wanted. */
const LOST_MS = 60_000;

interface Around {
  /** Returns whether it could be sent. */
  send(request: Request): boolean;
  /** A number for a request. */
  next(): number;
  state(): State;
}

export class TextAsker implements Printed {
  /** Tells this page from the others that show the same kernel. */
  readonly #page = Math.random().toString(36).slice(2);
  readonly #log: TextLog;
  readonly #around: Around;
  #watchers = 0;
  /** The request that has no answer yet. */
  #asked: number | null = null;
  /** Since when it could have been answered. */
  #since = 0;
  #wanted: readonly [number, number] = [0, 0];
  #trouble: "none" | "refused" | "unreachable" = "none";

  constructor(log: TextLog, around: Around) {
    this.#log = log;
    this.#around = around;
  }

  known(): readonly Stretch[] {
    return this.#log.known;
  }

  gone(): number {
    return this.#log.gone;
  }

  /** Whatever is printed after an answer comes unasked, or nothing is printed any more. */
  get isComplete(): boolean {
    return this.#watchers > 0 || this.#around.state().phase !== "running";
  }

  watch(): () => void {
    if (++this.#watchers === 1) this.renew();
    let isHere = true;
    return () => {
      if (!isHere) return;
      isHere = false;
      if (--this.#watchers > 0) return;
      this.#around.send({ kind: "lines", on: false, page: this.#page });
      if (!this.isComplete) this.#log.cut();
    };
  }

  /** Say again that lines are wanted: whoever answers may be another one than before. */
  renew(): void {
    if (this.#watchers > 0) this.#around.send({ kind: "lines", on: true, page: this.#page });
  }

  want(t0: number, t1: number, most: number): void {
    if (this.#asked !== null && this.#waited() < LOST_MS) return;
    // What cannot be read now may be readable later.
    const isSame = t0 === this.#wanted[0] && t1 === this.#wanted[1];
    if (this.#trouble === "refused" && isSame && this.#waited() < LOST_MS) return;
    this.#wanted = [t0, t1];
    // So that what is printed after the answer comes, whoever answers: it may have been told nothing.
    if (t1 >= ENDLESS) this.renew();
    const request = this.#around.next();
    const [from, to] = [Math.max(t0, 0), Math.min(t1, ENDLESS)];
    const isSent = this.#around.send({ kind: "printed", request, t0: from, t1: to, most });
    this.#trouble = isSent ? "none" : "unreachable";
    this.#asked = isSent ? request : null;
    this.#since = Date.now();
  }

  awaited(): Awaited {
    if (this.#asked === null) return this.#trouble;
    return this.#waited() > OVERDUE_MS ? "overdue" : "awaited";
  }

  look(time: number): void {
    this.#log.focus = time;
  }

  /** While a cell runs, requests wait. */
  #waited(): number {
    if (this.#around.state().kernel.busy) this.#since = Date.now();
    return Date.now() - this.#since;
  }

  heard(packet: Packet): void {
    if (packet.kind === "lines" && packet.request === this.#asked) this.#asked = null;
    else if (this.#asked !== null) this.#waited();
  }

  refused(request: number): void {
    if (request !== this.#asked) return;
    this.#asked = null;
    this.#trouble = "refused";
  }
}
