/** One section on the page: a line while it is folded, a heading over charts while it is open. */

import { h, setAttribute, setText } from "../dom";
import type { AxisRange } from "../vocabulary/axis-range";
import type { Readings } from "./readings";
import type { SectionExtras } from "./section-extras";
import type { Section } from "./section-plan";
import { Sparkline } from "./sparkline";
import { type Summary, summaryOf } from "./summaries";

export interface SectionEvents {
  open(title: string, open: boolean): void;
  /** Show all charts of a section, or its first ones. */
  expand(title: string): void;
}

export class SectionView {
  readonly el: HTMLElement;
  readonly #grid = h("div", { class: "pulse-grid" });
  readonly #toggle: HTMLButtonElement;
  readonly #name = h("span");
  readonly #note = h("span", { class: "pulse-note" });
  readonly #words = h("span");
  readonly #part = h("small");
  readonly #value = h("span", { class: "pulse-fold-value" }, this.#words, this.#part);
  readonly #more: HTMLButtonElement;
  readonly #tools = h("span", { class: "pulse-tools" });
  readonly #hint = h("div", { class: "pulse-hint" });
  readonly #spark = new Sparkline();
  readonly #extras: SectionExtras | null;
  readonly #placeholders = new Map<number, HTMLElement>();
  #section: Section;
  #summary: Summary | null = null;

  constructor(section: Section, events: SectionEvents, extras: SectionExtras | null) {
    const { title } = section;
    this.#section = section;
    this.#extras = extras;
    this.#toggle = h("button", { type: "button" }, this.#name);
    this.#toggle.addEventListener("click", () => events.open(title, !this.#section.open));
    this.#more = h("button", { type: "button", class: "pulse-more" });
    this.#more.addEventListener("click", () => events.expand(title));
    if (extras) this.#tools.append(extras.tools);
    const heading = h("h3", {}, this.#toggle);
    const head = h("header", { class: "pulse-group-head" }, heading, this.#note);
    head.append(this.#spark.el, this.#value, this.#hint, this.#tools, this.#more);
    this.el = h("section", { class: "pulse-group", "aria-label": title });
    this.el.append(head, this.#grid);
    if (extras?.below) this.el.append(extras.below);
  }

  update(section: Section, note: string): void {
    this.#section = section;
    const { open, panels, shown, heading, hinted, expanded, title } = section;
    this.el.dataset["open"] = String(open);
    setAttribute(this.#toggle, "aria-expanded", open ? "true" : "false");
    setText(this.#name, heading);
    setText(this.#note, open ? note : "");
    setAttribute(this.#note, "title", note || null);
    const extra = Math.max(panels.length - shown, 0);
    const searching = this.#extras?.whole?.() ?? false;
    this.#more.hidden = !open || searching || (extra === 0 && !section.more);
    setText(this.#more, extra > 0 ? `${extra} more ${extra === 1 ? "chart" : "charts"}` : "Fewer");
    setAttribute(this.#more, "aria-label", `${title}: ${this.#more.textContent}`);
    setAttribute(this.#more, "aria-expanded", expanded ? "true" : "false");
    this.#tools.hidden = !open || !this.#extras || hinted;
    if (this.#extras) this.#extras.tools.hidden = this.#tools.hidden;
    const hint = open && hinted ? this.#extras?.hint : undefined;
    this.#hint.hidden = !hint;
    this.#note.hidden = Boolean(hint);
    if (hint && hint.parentElement !== this.#hint) this.#hint.replaceChildren(hint);
    this.#value.hidden = open;
    this.#spark.el.hidden = open;
    this.#grid.hidden = !open || hinted;
    const bare = hinted && !this.#extras?.lasts?.();
    if (this.#extras?.below) this.#extras.below.hidden = !open || bare;
  }

  /** What keeps a place of the first row until it can be drawn. */
  placeholder(place: number): HTMLElement {
    const known = this.#placeholders.get(place);
    const el = known ?? h("div", { class: "pulse-placeholder", "aria-hidden": "true" });
    this.#placeholders.set(place, el);
    return el;
  }

  /** Put the charts into the grid, and what its extras have between them. */
  arrange(charts: readonly HTMLElement[], whole: boolean): void {
    const items = (charts.length > 0 && this.#extras?.arrange?.(charts, whole)) || charts;
    if (charts.length === 0 && this.#section.open) this.#extras?.arrange?.([], whole);
    for (const [place, el] of items.entries()) {
      const there = this.#grid.children[place] ?? null;
      if (there !== el) this.#grid.insertBefore(el, there);
    }
    for (const el of [...this.#grid.children].slice(items.length)) el.remove();
  }

  /** The line of a folded section, in the range in view; without a colour only its words. */
  tell(readings: Readings, range: AxisRange, color: string | null): void {
    if (this.#section.open) {
      this.#extras?.tell?.();
      return;
    }
    this.#summary = summaryOf(this.#section, readings);
    const { ids, fold, top, text, part } = this.#summary;
    setText(this.#words, text);
    setText(this.#part, part);
    if (color) this.#spark.draw(readings.source, ids, range, fold, top, color);
  }
}
