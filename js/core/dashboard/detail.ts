/** Asks for the exact rows of what the viewer zoomed to, once the zooming has come to rest. */

import type { Source } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";

const REST_MS = 300;
const POINTS = 1000;

export class Detail {
  readonly #source: Source;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  /** `wanted` is asked when the time has come. */
  ask(wanted: () => { range: AxisRange | null; ids: readonly number[] }): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const { range, ids } = wanted();
      if (range && ids.length > 0) this.#source.request?.(ids, range[0], range[1], POINTS);
    }, REST_MS);
  }

  destroy(): void {
    clearTimeout(this.#timer);
  }
}
