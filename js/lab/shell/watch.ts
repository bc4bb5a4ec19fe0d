/** Looks at the followed monitor while there is a reason to, and no longer. */

import type { IDisposable } from "@lumino/disposable";
import type { Condition, IMonitors } from "../shared/monitors";

/** Of these more will be known soon, if somebody looks. */
const OPEN: readonly Condition[] = ["unasked", "starting", "busy"];

/**
 * A kernel in which no monitor was heard is left alone: looking at it would import the package
 * there. One that was left is looked at again when the user comes back.
 */
export class Watch {
  readonly #monitors: IMonitors;
  readonly #wanted: () => boolean;
  /** Jupyter sessions in which a monitor was heard. */
  readonly #known = new Set<string>();
  #on = false;
  #held: IDisposable | null = null;

  /** `wanted` says whether there is a reason, as far as it is not the monitor's. */
  constructor(monitors: IMonitors, wanted: () => boolean) {
    this.#monitors = monitors;
    this.#wanted = wanted;
  }

  /** Whether an answer is awaited; what was shown before is the newest there is. */
  get isWaiting(): boolean {
    return this.#on && OPEN.includes(this.#monitors.followed.condition);
  }

  update(): void {
    this.#note();
    const { session } = this.#monitors.followed;
    this.#turn(session !== null && this.#known.has(session) && this.#wanted());
  }

  dispose(): void {
    this.#turn(false);
  }

  #note(): void {
    const { session, condition, store } = this.#monitors.followed;
    if (session === null) return;
    // A kernel that begins anew has no monitor; what is still shown of it has ended.
    const isAnew = (store?.ended() ?? null) !== null;
    if (condition === "running") this.#known.add(session);
    else if (condition !== "ended" && (isAnew || !OPEN.includes(condition))) {
      this.#known.delete(session);
    }
  }

  #turn(on: boolean): void {
    if (on === this.#on) return;
    // First: whoever is called below may tell of a change at once, and so come back here.
    this.#on = on;
    const held = this.#held;
    this.#held = null;
    held?.dispose();
    if (on) this.#held = this.#monitors.watch();
  }
}
