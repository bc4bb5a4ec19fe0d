/** Asks for one line of text, in place. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { h, setText } from "../../core/dom";

/** Does what was asked for, and says how far it is; what it throws is said, and the form stays. */
export type Attempt = (text: string, say: (text: string) => void) => Promise<unknown>;

interface Asked {
  readonly attempt: Attempt | null;
  resolve(text: string | null): void;
}

let count = 0;

export class Ask {
  readonly el: HTMLFormElement;
  readonly #label: HTMLLabelElement;
  readonly #input: HTMLInputElement;
  readonly #confirm: HTMLButtonElement;
  readonly #problem = h("div", { class: "pulse-panel-problem", role: "alert" });
  readonly #write: (problem: unknown) => string;
  #asked: Asked | null = null;
  #before: Element | null = null;

  /** `write` makes a sentence of what an attempt has thrown. */
  constructor(
    trans: TranslationBundle,
    write: (problem: unknown) => string = (problem) => String(problem),
  ) {
    this.#write = write;
    this.#input = h("input", { type: "text", autocomplete: "off", spellcheck: "false" });
    this.#label = h("label", {}, "");
    this.#label.htmlFor = this.#input.id = `pulse-panel-ask-${++count}`;
    this.#confirm = h("button", { type: "submit" }, "");
    const cancel = h("button", { type: "button" }, trans.__("Cancel"));
    const buttons = h("div", { class: "pulse-panel-buttons" }, this.#confirm, cancel);
    this.el = h("form", { class: "pulse-panel-ask", hidden: true });
    this.el.append(this.#label, this.#input, this.#problem, buttons);
    this.el.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit(this.#input.value.trim());
    });
    cancel.addEventListener("click", () => this.#end(null));
    this.el.addEventListener("keydown", (event) => {
      // Keys that are typed here are not commands of JupyterLab.
      event.stopPropagation();
      if (event.key === "Escape") this.#end(null);
    });
  }

  get isOpen(): boolean {
    return this.#asked !== null;
  }

  /**
   * Resolves with the text; null where it was cancelled or is empty. With an attempt it resolves
   * when that has succeeded: until then the form stays, with the text and what went wrong.
   * A place is where the form is to stand.
   */
  ask(
    question: string,
    button: string,
    suggestion = "",
    attempt: Attempt | null = null,
    place: HTMLElement | null = null,
  ): Promise<string | null> {
    this.#end(null);
    place?.append(this.el);
    setText(this.#label, question);
    setText(this.#confirm, button);
    setText(this.#problem, "");
    this.#confirm.disabled = false;
    this.#input.value = suggestion;
    this.#before = document.activeElement;
    this.el.hidden = false;
    this.#input.focus();
    this.#input.setSelectionRange(0, suggestion.replace(/\.pulse\.parquet$/, "").length);
    return new Promise((resolve) => {
      this.#asked = { attempt, resolve };
    });
  }

  cancel(): void {
    this.#end(null);
  }

  async #submit(text: string): Promise<void> {
    const asked = this.#asked;
    if (!asked || this.#confirm.disabled) return;
    if (text === "" || !asked.attempt) return this.#end(text);
    this.#confirm.disabled = true;
    try {
      await asked.attempt(text, (said) => {
        if (asked === this.#asked) setText(this.#problem, said);
      });
      if (asked === this.#asked) this.#end(text);
    } catch (problem) {
      if (asked !== this.#asked) return;
      setText(this.#problem, this.#write(problem));
      this.#confirm.disabled = false;
      this.#input.focus();
    }
  }

  #end(text: string | null): void {
    const asked = this.#asked;
    if (!asked) return;
    this.#asked = null;
    this.el.hidden = true;
    if (this.#before instanceof HTMLElement) this.#before.focus();
    asked.resolve(text || null);
  }
}
