/** The panel's first lines: whose kernel is followed, what can be done, and what came of it. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { h, setText } from "../../core/dom";
import type { Choice, Followed } from "../shared/monitors";

export interface HeadEvents {
  choose(session: string | null): void;
  /** The list of kernels is about to be read. */
  choices(): void;
  stop(): void;
  mark(): void;
  save(): void;
  giveBack(): void;
}

export class Head {
  readonly el: HTMLElement;
  readonly #trans: TranslationBundle;
  readonly #select: HTMLSelectElement;
  readonly #kernel = h("div", { class: "pulse-panel-kernel" });
  readonly #stop: HTMLButtonElement;
  readonly #mark: HTMLButtonElement;
  readonly #save: HTMLButtonElement;
  readonly #back: HTMLButtonElement;
  #choices: readonly Choice[] = [];
  /** What the list shows now. */
  #listed = "";

  constructor(events: HeadEvents, trans: TranslationBundle) {
    this.#trans = trans;
    this.#select = h("select", { "aria-label": trans.__("Kernel that is followed") });
    this.#select.addEventListener("change", () => events.choose(this.#select.value || null));
    for (const sign of ["focus", "pointerenter"]) {
      this.#select.addEventListener(sign, () => events.choices());
    }
    const button = (text: string, tip: string, act: () => void) => {
      const made = h("button", { type: "button", title: tip }, text);
      made.addEventListener("click", act);
      return made;
    };
    this.#stop = button(trans.__("Stop"), trans.__("Stop the monitor"), events.stop);
    this.#mark = button(
      trans.__("Mark"),
      trans.__("Mark this moment in the recording"),
      events.mark,
    );
    this.#save = button(trans.__("Save"), trans.__("Save a copy of the recording"), events.save);
    this.#back = button(
      trans.__("Return it to the cell"),
      trans.__("Show this monitor in its cell again"),
      events.giveBack,
    );
    const buttons = [this.#stop, this.#mark, this.#save, this.#back];
    const label = trans.__("Monitor");
    const toolbar = h("div", { class: "pulse-panel-buttons", role: "group", "aria-label": label });
    toolbar.append(...buttons);
    this.el = h("div", { class: "pulse-panel-head" }, this.#select, this.#kernel, toolbar);
  }

  update(followed: Followed, chosen: string | null, moved: boolean): void {
    const { condition, kernel, status } = followed;
    const runs = condition === "running" && status !== null;
    setText(this.#kernel, kernel);
    this.#kernel.hidden = kernel === "";
    this.#stop.hidden = !runs;
    this.#mark.hidden = !runs;
    this.#save.hidden = !runs && !(condition === "ended" && (status?.session ?? null) !== null);
    this.#back.hidden = !moved;
    this.#list(followed, chosen);
  }

  focus(): void {
    const buttons = [this.#stop, this.#mark, this.#save, this.#back];
    (buttons.find((one) => !one.hidden) ?? this.#select).focus();
  }

  /** The kernels that may be chosen. */
  offer(choices: readonly Choice[], followed: Followed, chosen: string | null): void {
    this.#choices = choices;
    this.#list(followed, chosen);
  }

  #list(followed: Followed, chosen: string | null): void {
    const trans = this.#trans;
    const { name } = followed;
    const first =
      chosen !== null || name === ""
        ? trans.__("Follow the active notebook")
        : trans.__("Active: %1", name);
    const rest = this.#choices.map((one) => [one.session, this.#titleOf(one)] as const);
    // What was chosen is in the list, also before the list is read.
    if (chosen !== null && !rest.some(([session]) => session === chosen)) rest.push([chosen, name]);
    const all = [["", first] as const, ...rest];
    const listed = JSON.stringify([all, chosen]);
    if (listed === this.#listed) return;
    this.#listed = listed;
    this.#select.replaceChildren(...all.map(([value, text]) => h("option", { value }, text)));
    this.#select.value = chosen ?? "";
  }

  #titleOf({ name, kernel, running }: Choice): string {
    if (running) return this.#trans.__("%1 – %2 – monitor runs", name, kernel);
    return running === false
      ? this.#trans.__("%1 – %2 – no monitor", name, kernel)
      : `${name} – ${kernel}`;
  }
}
