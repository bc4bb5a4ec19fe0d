/** What a tab shows: a dashboard, or a sentence with what may be done about it. */

import { mountDashboard } from "../../core/dashboard/dashboard";
import { VIEW_CLASS } from "../../core/dashboard/styles";
import { h } from "../../core/dom";
import type { Source } from "../../core/source";

export interface Button {
  readonly label: string;
  run(): void;
}

export interface Said {
  readonly sentence: string;
  readonly remedy?: string;
  /** Code that helps; it can be copied. */
  readonly line?: string;
  readonly buttons?: readonly Button[];
  /** Work goes on: this is no trouble. */
  readonly working?: boolean;
}

const STYLE = `
.pulse-tab { display: flex; flex-direction: column; height: 100%; overflow: auto; outline: none;
  background: var(--jp-layout-color0, #fff); color: var(--jp-ui-font-color1, #1c2733);
  font-family: var(--jp-ui-font-family, system-ui, sans-serif); font-size: 13px; line-height: 1.5; }
.pulse-tab-picture { flex: 0 0 auto; }
.pulse-tab [hidden] { display: none; }
.pulse-said { max-width: 70ch; margin: 24px; padding: 12px 16px;
  border: 1px solid var(--jp-border-color2, #dfe5eb); border-left: 3px solid #a8480a; border-radius: 5px; }
.pulse-said.pulse-working { border-left-color: var(--jp-brand-color1, #0b62b5); }
.pulse-notices .pulse-said { margin: 8px 10px 0; padding: 6px 12px; max-width: none; }
.pulse-said p { margin: 0 0 6px; overflow-wrap: anywhere; white-space: pre-line; }
.pulse-said strong { font-weight: 600; }
.pulse-said pre { margin: 0 0 8px; padding: 6px 10px; overflow-x: auto; border-radius: 4px;
  color: inherit; background: var(--jp-layout-color2, #f4f6f9);
  font-family: var(--jp-code-font-family, ui-monospace, monospace); font-size: 12px; }
.pulse-said footer { display: flex; flex-wrap: wrap; gap: 8px; }
.pulse-said button { font: inherit; color: inherit; cursor: pointer; padding: 2px 10px; min-height: 26px;
  border: 1px solid var(--jp-border-color1, #98a6b4); border-radius: 4px; background: none; }
.pulse-said button:hover { background: var(--jp-layout-color2, #f4f6f9); }
.pulse-said button:focus-visible { outline: 2px solid var(--jp-brand-color1, #0b62b5); outline-offset: 1px; }`;

export class Stage {
  readonly #notices = h("div", { class: "pulse-notices" });
  readonly #picture = h("div", { class: "pulse-tab-picture" });
  readonly #words = h("div", { class: "pulse-tab-words" });
  readonly #shown = new Map<string, HTMLElement>();
  readonly #el: HTMLElement;
  #unmount: () => void = () => undefined;

  constructor(el: HTMLElement) {
    this.#el = el;
    el.classList.add("pulse-tab");
    el.tabIndex = -1;
    const style = h("style", {});
    style.textContent = STYLE;
    // What changes while people wait is read out to those who cannot see it.
    this.#words.setAttribute("role", "status");
    this.#notices.setAttribute("role", "status");
    el.replaceChildren(style, this.#notices, this.#words, this.#picture);
  }

  /** Instead of a picture. */
  say(said: Said): void {
    this.#blank();
    this.#words.replaceChildren(card(said));
  }

  /** Change the sentence that is there, and nothing else: buttons keep the focus. */
  reword(sentence: string): void {
    const line = this.#words.querySelector("strong");
    if (line) line.textContent = sentence;
  }

  draw(source: Source, page: string): void {
    this.#blank();
    this.#picture.classList.add(VIEW_CLASS);
    const manner = { layout: "dashboard", metrics: null, title: "", page } as const;
    this.#unmount = mountDashboard(this.#picture, source, manner);
  }

  /** A line above the picture; null takes it away. */
  notice(key: string, said: Said | null): void {
    this.#shown.get(key)?.remove();
    this.#shown.delete(key);
    if (!said) return;
    const made = card(said);
    this.#shown.set(key, made);
    this.#notices.append(made);
  }

  /** Put the code that helps onto the clipboard; where that is refused, it is selected. */
  copy(): void {
    const code = this.#words.querySelector("pre");
    if (!code) return;
    const select = () => getSelection()?.selectAllChildren(code);
    if (!navigator.clipboard) select();
    else navigator.clipboard.writeText(code.textContent ?? "").catch(select);
  }

  focus(): void {
    const inner = this.#picture.querySelector<HTMLElement>(".pulse");
    const button = this.#words.querySelector<HTMLElement>("button");
    (inner ?? button ?? this.#el).focus({ preventScroll: true });
  }

  dispose(): void {
    this.#blank();
    this.#el.replaceChildren();
  }

  #blank(): void {
    this.#unmount();
    this.#unmount = () => undefined;
    this.#picture.replaceChildren();
    this.#words.replaceChildren();
  }
}

function card({ sentence, remedy, line, buttons, working }: Said): HTMLElement {
  const el = h("div", { class: working ? "pulse-said pulse-working" : "pulse-said" });
  el.append(h("p", {}, h("strong", {}, sentence)));
  if (remedy) el.append(h("p", {}, remedy));
  if (line) el.append(h("pre", {}, line));
  if (!buttons?.length) return el;
  const row = h("footer", {});
  for (const { label, run } of buttons) {
    const button = h("button", { type: "button" }, label);
    button.addEventListener("click", run);
    row.append(button);
  }
  el.append(row);
  return el;
}
