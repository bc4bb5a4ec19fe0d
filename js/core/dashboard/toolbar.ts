/** Status, time window, pause and the rest of the controls. */

import { h, setAttribute, setText } from "../dom";
import { elapsedText } from "../vocabulary/time-text";
import type { Action, ViewState } from "./view-state";
import { WINDOWS, type Window } from "./windows";

export interface Status {
  readonly tone: "live" | "held" | "past" | "late";
  readonly word: string;
  readonly detail: string;
  /** Set apart from everything else: what is shown was never measured. */
  readonly simulated: boolean;
  readonly title: string;
  /** A live picture can be paused. */
  readonly running: boolean;
  /** Finer data than the browser has is on its way. */
  readonly waiting: boolean;
  /** What is shown may be out of date. */
  readonly stale: boolean;
  /** Seconds of which anything is known. */
  readonly length: number;
  /** There are sections that open. */
  readonly sections: boolean;
}

const NAMES = new Map<Window, string>([
  [30, "30 s"],
  [300, "5 min"],
  [3600, "1 h"],
  ["all", "All"],
]);

/** What a window shows: one that is longer than what is known shows all of it. Pure. */
export function windowText(window: Window, length: number, running: boolean): string {
  const name = NAMES.get(window) ?? "";
  const known = Number.isFinite(length) && length > 0;
  if (window === "all") return known ? `${name} (${elapsedText(length)})` : name;
  if (!known || length >= window) return name;
  return `${name} (${elapsedText(length)} ${running ? "so far" : "in all"})`;
}

/** A small button of the host's at the end of the header. */
export interface HostAction {
  readonly label: string;
  /** The whole sentence, for hovering. */
  readonly title: string;
  /** The button is there while this is true; without it always. */
  readonly available?: { now(): boolean; subscribe(changed: () => void): () => void };
  run(): void;
}

export interface ToolbarEvents {
  dispatch(action: Action): void;
  pause(): void;
}

export class Toolbar {
  readonly el: HTMLElement;
  readonly #status = h("span", { class: "pulse-status", role: "status" });
  readonly #detail = h("span", { class: "pulse-detail" });
  readonly #title = h("span", { class: "pulse-title" });
  readonly #simulated = h("span", { class: "pulse-simulated", hidden: true }, "Simulated data");
  readonly #waiting = h("span", { class: "pulse-detail", hidden: true }, "loading detail\u2026");
  readonly #windows: Map<Window, HTMLButtonElement>;
  readonly #pause: HTMLButtonElement;
  readonly #reset: HTMLButtonElement;
  readonly #hidden: HTMLButtonElement;
  readonly #all: HTMLButtonElement;
  readonly #help: HTMLButtonElement;
  /** A place for the newest event. */
  readonly news = h("div", { class: "pulse-header-news" });
  readonly #actions = h("div", { class: "pulse-actions" });
  readonly #cleanup: (() => void)[] = [];

  constructor(events: ToolbarEvents, actions: readonly HostAction[] = []) {
    const { dispatch } = events;
    this.#windows = new Map(
      WINDOWS.map((window) => [
        window,
        button(NAMES.get(window) ?? "", () => dispatch({ type: "window", window })),
      ]),
    );
    this.#pause = button("Pause", events.pause);
    this.#reset = button("Reset zoom", () => dispatch({ type: "reset" }));
    this.#hidden = button("", () => dispatch({ type: "show-all" }));
    this.#all = button("Show all", () => {
      dispatch({ type: "all", all: this.#all.getAttribute("aria-pressed") !== "true" });
    });
    for (const el of [this.#reset, this.#hidden]) el.classList.add("pulse-passing");
    this.#help = button("?", () => dispatch({ type: "help", open: true }));
    this.#help.title = "Keys and gestures";
    this.#help.setAttribute("aria-label", "Keys and gestures");
    for (const action of actions) this.#add(action);
    this.el = this.#layout();
  }

  destroy(): void {
    for (const clean of this.#cleanup) clean();
  }

  update(status: Status, state: ViewState): void {
    this.el.dataset["tone"] = status.tone;
    setText(this.#status, status.word);
    setText(this.#detail, status.detail);
    setText(this.#title, status.title);
    this.#simulated.hidden = !status.simulated;
    this.#waiting.hidden = !status.waiting;
    for (const [window, el] of this.#windows) {
      pressed(el, state.range === null && state.window === window);
      const said = windowText(window, status.length, status.running);
      el.classList.toggle("pulse-beyond", said !== NAMES.get(window) && window !== "all");
      setAttribute(el, "title", said);
      setAttribute(el, "aria-label", said);
    }
    this.#pause.hidden = !status.running;
    setText(this.#pause, state.pausedAt === null ? "Pause" : "Resume");
    pressed(this.#pause, state.pausedAt !== null);
    this.#reset.hidden = state.range === null && state.stepRange === null;
    this.#hidden.hidden = state.hidden.size === 0;
    setText(this.#hidden, `Show hidden (${state.hidden.size})`);
    this.#all.hidden = !status.sections;
    setText(this.#all, state.all ? "Show less" : "Show all");
    pressed(this.#all, state.all);
  }

  /** The button of an action, while that is available. */
  #add({ label, title, available, run }: HostAction): void {
    const el = button(label, run);
    el.title = title;
    this.#actions.append(el);
    if (!available) return;
    const show = () => {
      el.hidden = !available.now();
    };
    show();
    this.#cleanup.push(available.subscribe(show));
  }

  #layout(): HTMLElement {
    const name = h("div", { class: "pulse-name-row" });
    name.append(this.#status, this.#detail, this.#title, this.#simulated, this.#waiting);
    const controls = h("div", { class: "pulse-controls" });
    controls.append(
      this.#hidden,
      this.#reset,
      segments("Time window", this.#windows.values()),
      this.#pause,
      this.#all,
      this.#help,
    );
    return h("div", { class: "pulse-toolbar" }, name, this.news, controls, this.#actions);
  }
}

function button(text: string, click: () => void): HTMLButtonElement {
  const el = h("button", { type: "button" }, text);
  el.addEventListener("click", click);
  return el;
}

function segments(label: string, buttons: Iterable<HTMLButtonElement>): HTMLElement {
  return h("div", { class: "pulse-segments", role: "group", "aria-label": label }, ...buttons);
}

function pressed(el: HTMLButtonElement, on: boolean): void {
  setAttribute(el, "aria-pressed", on ? "true" : "false");
}
