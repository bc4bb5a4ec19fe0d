/** When to draw: once per frame at most, seldom enough for the notebook, never while hidden. */

/** The least time between drawings: a single chart may be drawn more often than many. */
const FEW_CHARTS = 4;
const FEW_MS = 100;
const MANY_MS = 200;

export class Scheduler {
  readonly #draw: () => void;
  readonly #charts: () => number;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = Number.NEGATIVE_INFINITY;
  #owed = false;

  /** `charts`: how many are drawn. */
  constructor(draw: () => void, charts: () => number) {
    this.#draw = draw;
    this.#charts = charts;
    document.addEventListener("visibilitychange", this.#shown);
  }

  /** New data came: draw when the last drawing is old enough. */
  later(): void {
    if (document.hidden) {
      this.#owed = true;
      return;
    }
    if (this.#frame || this.#timer !== undefined) return;
    const gap = this.#charts() > FEW_CHARTS ? MANY_MS : FEW_MS;
    const wait = this.#last + gap - performance.now();
    if (wait <= 0) this.now();
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.now();
      }, wait);
    }
  }

  /** The viewer did something: draw in the next frame. */
  now(): void {
    if (document.hidden) {
      this.#owed = true;
      return;
    }
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#last = performance.now();
      this.#draw();
    });
  }

  destroy(): void {
    document.removeEventListener("visibilitychange", this.#shown);
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
  }

  readonly #shown = (): void => {
    if (document.hidden || !this.#owed) return;
    this.#owed = false;
    this.now();
  };
}
