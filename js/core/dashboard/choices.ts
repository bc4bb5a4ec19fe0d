/** What the viewer chose, and how the page remembers it. */

import type { Source } from "../source";
import { Memory, NOTHING, type Remembered } from "./remembered";
import { type Action, initialState, reduce, type ViewState } from "./view-state";

/** Whose choices they are. */
export interface Whose {
  readonly layout: string;
  readonly metrics: readonly string[] | null;
  /** The notebook, where that is known. */
  readonly page?: string;
}

/** Seconds of a running session shown at first. */
const LIVE_WINDOW = 300;

export class Choices {
  readonly memory = new Memory("");
  readonly #source: Source;
  readonly #whose: Whose;
  #state: ViewState = initialState("all");
  #windowChosen = false;
  #remembered = false;

  constructor(source: Source, whose: Whose) {
    this.#source = source;
    this.#whose = whose;
    this.followPresent();
  }

  get state(): ViewState {
    return this.#state;
  }

  /** A running session is shown by its last minutes, unless the viewer chose otherwise. */
  followPresent(): void {
    if (this.#windowChosen || this.#source.state().phase !== "running") return;
    this.#state = { ...this.#state, window: LIVE_WINDOW };
  }

  /**
   * Take up what was chosen here before, once it is known what is shown. A recording has its
   * choices wherever it is replayed, a session those of its notebook.
   */
  remember(): void {
    if (this.#remembered || !(this.#source.heard?.() ?? true)) return;
    this.#remembered = true;
    const { layout, metrics, page } = this.#whose;
    const { phase, recording } = this.#source.state();
    const what = phase === "replay" ? recording.path : page;
    this.memory.open(what ? [what, layout, ...(metrics ?? [])].join(" ") : "");
    const { record } = this.memory;
    if (record === NOTHING) return;
    this.#windowChosen ||= record.window !== null;
    this.#state = reduce(this.#state, { type: "remembered", record });
  }

  apply(action: Action): void {
    this.#windowChosen ||= action.type === "window";
    this.#state = reduce(this.#state, action);
    const { hidden, opened, folded, expanded, all, window } = this.#state;
    const now: Partial<Remembered> = {
      window: this.#windowChosen ? window : null,
      hidden: [...hidden],
      opened: [...opened],
      folded: [...folded],
      expanded: [...expanded],
      all,
    };
    // Only what this view changed: another one of the same notebook has choices of its own.
    const { record } = this.memory;
    const fields = (Object.keys(now) as (keyof Remembered)[]).filter(
      (field) => JSON.stringify(now[field]) !== JSON.stringify(record[field]),
    );
    if (fields.length === 0) return;
    this.memory.change(Object.fromEntries(fields.map((field) => [field, now[field]])));
  }
}
