/** Asks for one line of text, in place. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { h, setText } from "../../core/dom";

export class Ask {
  readonly el: HTMLFormElement;
  readonly #label: HTMLLabelElement;
  readonly #input: HTMLInputElement;
  readonly #confirm: HTMLButtonElement;
  #answer: ((text: string | null) => void) | null = null;
  #before: Element | null = null;

  constructor(trans: TranslationBundle) {
    this.#input = h("input", { type: "text", autocomplete: "off", spellcheck: "false" });
    this.#label = h("label", {}, "");
    this.#confirm = h("button", { type: "submit" }, "");
    const cancel = h("button", { type: "button" }, trans.__("Cancel"));
    const buttons = h("div", { class: "pulse-panel-buttons" }, this.#confirm, cancel);
    this.el = h("form", { class: "pulse-panel-ask", hidden: true });
    this.el.append(this.#label, this.#input, buttons);
    this.el.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#end(this.#input.value.trim());
    });
    cancel.addEventListener("click", () => this.#end(null));
    this.el.addEventListener("keydown", (event) => {
      // Keys that are typed here are not commands of JupyterLab.
      event.stopPropagation();
      if (event.key === "Escape") this.#end(null);
    });
  }

  /** Resolves with the text; null where it was cancelled or is empty. */
  ask(question: string, button: string, suggestion = ""): Promise<string | null> {
    this.#end(null);
    setText(this.#label, question);
    setText(this.#confirm, button);
    this.#label.htmlFor = this.#input.id = ASK_ID;
    this.#input.value = suggestion;
    this.#before = document.activeElement;
    this.el.hidden = false;
    this.#input.focus();
    this.#input.setSelectionRange(0, suggestion.replace(/\.pulse\.parquet$/, "").length);
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  cancel(): void {
    this.#end(null);
  }

  #end(text: string | null): void {
    const answer = this.#answer;
    if (!answer) return;
    this.#answer = null;
    this.el.hidden = true;
    if (this.#before instanceof HTMLElement) this.#before.focus();
    answer(text || null);
  }
}

const ASK_ID = "pulse-panel-ask";
