/** When to draw: once per frame at most, seldom enough for the notebook, never while hidden. */

export class Scheduler {
  readonly #draw: () => void;
  readonly #gap: () => number;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = Number.NEGATIVE_INFINITY;
  #owed = false;

  /** `gap` is the least time between two drawings of new data, in milliseconds. */
  constructor(draw: () => void, gap: () => number) {
    this.#draw = draw;
    this.#gap = gap;
    document.addEventListener("visibilitychange", this.#shown);
  }

  /** New data came: draw when the last drawing is old enough. */
  later(): void {
    if (document.hidden) {
      this.#owed = true;
      return;
    }
    if (this.#frame || this.#timer !== undefined) return;
    const wait = this.#last + this.#gap() - performance.now();
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
