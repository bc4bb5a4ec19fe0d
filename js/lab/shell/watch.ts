/** Looks at the followed monitor while there is a reason to, and no longer. */

import type { IDisposable } from "@lumino/disposable";
import type { IMonitors } from "../shared/monitors";

export class Watch {
  readonly #monitors: IMonitors;
  readonly #wanted: () => boolean;
  #on = false;
  #held: IDisposable | null = null;

  /** `wanted` says whether there is a reason; nothing flows while no monitor runs. */
  constructor(monitors: IMonitors, wanted: () => boolean) {
    this.#monitors = monitors;
    this.#wanted = wanted;
  }

  update(): void {
    this.#turn(this.#monitors.followed.condition === "running" && this.#wanted());
  }

  dispose(): void {
    this.#turn(false);
  }

  #turn(on: boolean): void {
    if (on === this.#on) return;
    // First: whoever is called below may tell of a change at once, and so come back here.
    this.#on = on;
    this.#held?.dispose();
    this.#held = on ? this.#monitors.watch() : null;
  }
}
