/** Long work in slices, so that the page stays alive. */

import { TURN_MS } from "./limits";

export class Turns {
  #since = performance.now();

  /** Let the page have its turn when this one has lasted long enough. */
  async next(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return;
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    });
    this.#since = performance.now();
  }
}
