/** Actions that a kernel was asked for, and those who wait for what comes of them. */

import { ActionError } from "../shared/monitors";
import type { Action, ToPage } from "../shared/protocol";
import type { Call } from "./call";

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class Errands {
  readonly #waiting = new Map<number, Waiting>();
  #ids = 0;

  /**
   * Ask for an action.
   *
   * @throws ActionError what the kernel says of it; `lost` where it cannot be asked.
   */
  send(call: Call | null, action: Action, options: unknown, lost: Error): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#ids;
      this.#waiting.set(id, { resolve, reject });
      if (call?.send({ kind: "do", id, action, options })) return;
      this.#waiting.delete(id);
      reject(lost);
    });
  }

  hear(message: Extract<ToPage, { kind: "done" | "failed" }>): void {
    const one = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === "done") one?.resolve(message.result);
    else one?.reject(new ActionError(message.problem, message.remedy));
  }

  /** No answer will come any more. */
  lose(lost: Error): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of all) one.reject(lost);
  }
}
