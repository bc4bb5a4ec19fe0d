/** What a run was started with, as a small table that folds. */

import { h, setText } from "../dom";
import type { EntityWire, Source } from "../source";
import { saidBy } from "../vocabulary/defined";

/** So many rows are made; all of it is in the recording. */
const MOST = 200;

export class ConfigFold {
  readonly el: HTMLElement;
  readonly #summary = h("summary");
  readonly #body = h("tbody");
  #shown = "";
  #of: readonly EntityWire[] = [];

  constructor() {
    const table = h("table", { class: "pulse-table" }, this.#body);
    this.el = h("details", { class: "pulse-config", hidden: "" }, this.#summary, table);
    // Of the page: no command of the dashboard.
    this.el.addEventListener("keydown", (event) => {
      if (event.key === " " || event.key === "Enter") event.stopPropagation();
    });
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
    this.el.hidden = said.length === 0;
    const text = said.length > 0 ? JSON.stringify(said) : "";
    if (text === this.#shown) return;
    this.#shown = text;
    setText(this.#summary, `Config (${said.length})`);
    const rows = said.slice(0, MOST).map(([name, value]) => {
      const head = h("th", { scope: "row" }, name);
      return h("tr", {}, head, h("td", {}, configText(value)));
    });
    const more = said.length - rows.length;
    if (more > 0) rows.push(h("tr", {}, h("td", { colspan: "2" }, `and ${more} more`)));
    this.#body.replaceChildren(...rows);
  }
}

/** A value as one would write it; numbers keep their digits. */
export function configText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
