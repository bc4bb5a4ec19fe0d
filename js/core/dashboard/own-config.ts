/** What a run was started with: a small table, and the button that shows it. */

import { h, setAttribute, setText } from "../dom";
import type { EntityWire, Source } from "../source";
import { saidBy } from "../vocabulary/defined";

/** So many rows are made; all of it is in the recording. */
const MOST = 200;

export class ConfigFold {
  /** The table; below the charts, which stay where they are when it opens. */
  readonly el: HTMLElement;
  readonly toggle = h("button", { type: "button", class: "pulse-config-toggle" }, "Config");
  readonly #body = h("tbody");
  #open = false;
  #shown = "";
  #of: readonly EntityWire[] = [];

  constructor() {
    const table = h("table", { class: "pulse-table", "aria-label": "Config" }, this.#body);
    this.el = h("div", { class: "pulse-config", hidden: "" }, table);
    this.toggle.addEventListener("click", () => {
      this.#open = !this.#open;
      this.#unfold();
    });
    // Of the page: no command of the dashboard.
    this.toggle.addEventListener("keydown", (event) => {
      if (event.key === " " || event.key === "Enter") event.stopPropagation();
    });
    this.#unfold();
  }

  get empty(): boolean {
    return this.#shown === "";
  }

  write(source: Source): void {
    const entities = source.entities().filter(({ labels }) => "config" in labels);
    if (entities.length === this.#of.length && entities.every((one, i) => one === this.#of[i])) {
      return;
    }
    this.#of = entities;
    const said = Object.entries(saidBy(entities, "config"));
    const text = said.length > 0 ? JSON.stringify(said) : "";
    if (text === this.#shown) return;
    this.#shown = text;
    this.#unfold();
    setText(this.toggle, `Config (${said.length})`);
    const rows = said.slice(0, MOST).map(([name, value]) => {
      const head = h("th", { scope: "row" }, name);
      return h("tr", {}, head, h("td", {}, configText(value)));
    });
    const more = said.length - rows.length;
    if (more > 0) rows.push(h("tr", {}, h("td", { colspan: "2" }, `and ${more} more`)));
    this.#body.replaceChildren(...rows);
  }

  /** Put the button where there is room for it; it keeps the keyboard where it stays. */
  stand(place: HTMLElement, before: Node | null): void {
    if (this.toggle.parentElement !== place) place.insertBefore(this.toggle, before);
  }

  #unfold(): void {
    this.toggle.hidden = this.empty;
    this.el.hidden = this.empty || !this.#open;
    setAttribute(this.toggle, "aria-expanded", String(this.#open));
  }
}

/** A value as one would write it; numbers keep their digits. */
export function configText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
