/** The tools of "Your metrics": search, pins, smoothing, log scale, and what to do for a first one. */

import type { Panel } from "../charts/groups";
import { h, setAttribute, setText } from "../dom";
import { AxisChoice } from "./own-axis";
import { ConfigFold } from "./own-config";
import { isPinned, matching, ordered, PAGE, type Placed, runsOf, toggledPin } from "./own-order";
import { ProgressBars } from "./own-progress";
import type { SectionContext, SectionExtras } from "./section-extras";

/** The whole of what a first metric needs. */
export const EXAMPLE = 'pw.log({"loss": 0.3}, step=1)';

const HIGHEST = 0.99;
const SLIDER_KEYS = /^(Arrow|Home|End|Page)/;
const SVG = "http://www.w3.org/2000/svg";

export class OwnMetrics implements SectionExtras {
  readonly tools = h("div", { class: "pulse-own-tools" });
  readonly below = h("div", { class: "pulse-own-below" });
  readonly #context: SectionContext;
  readonly #search = h("input", {
    type: "search",
    class: "pulse-search",
    placeholder: "search",
    "aria-label": "Search your metrics",
    title: "Part of a name, or a pattern with * and ?",
    spellcheck: "false",
    autocomplete: "off",
  });
  readonly #count = h("span", { class: "pulse-detail", role: "status" });
  readonly #slider = h("input", { type: "range", min: "0", max: String(HIGHEST), step: "0.01" });
  readonly #weight = h("span", { class: "pulse-weight" });
  readonly #log = h("button", { type: "button" }, "log");
  readonly #axis: AxisChoice;
  readonly #progress = new ProgressBars();
  readonly #config = new ConfigFold();
  readonly #more = h("button", { type: "button" });
  readonly #none = h("p", { class: "pulse-detail" }, "No name matches.");
  readonly #hint = hintElement();
  readonly #headings = new Map<string, HTMLElement>();
  #pages = 1;
  /** What was chosen last, and what it was chosen for. */
  #placed: readonly Placed[] = [];
  #chosen: readonly Panel[] = [];
  #because: readonly unknown[] = [];
  /** How many metrics were chosen of how many. */
  #said = "";

  constructor(context: SectionContext) {
    this.#context = context;
    this.#axis = new AxisChoice(context.axis);
    this.#listen();
    const words = h("span", {}, "smooth", h("span", { class: "pulse-smooth-rest" }, "ing"));
    const smooth = h("label", { class: "pulse-smooth" }, words, this.#slider, this.#weight);
    setAttribute(this.#log, "title", "Logarithmic axis");
    setAttribute(this.#log, "aria-label", "log scale");
    this.tools.append(this.#search, this.#count, smooth, this.#log, this.#axis.el);
    this.below.append(this.#none, this.#more, this.#progress.el, this.#config.el);
    this.#config.stand(this.tools, this.#search);
  }

  /** What to write to get a first chart; nothing where nothing can be logged any more. */
  get hint(): HTMLElement | undefined {
    const { source } = this.#context;
    const live = (source.heard?.() ?? true) && source.state().phase === "running";
    return live ? this.#hint : undefined;
  }

  choose(panels: readonly Panel[]): readonly Panel[] {
    const { pinned } = this.#context.memory.record;
    const because = [panels, this.#search.value, pinned];
    if (panels !== this.#because[0]) this.#progress.take(panels);
    if (panels.length > 0) this.#config.stand(this.tools, this.#search);
    // Laid out is often, and there may be thousands.
    if (because.some((one, i) => one !== this.#because[i])) {
      this.#because = because;
      this.#placed = ordered(matching(panels, this.#search.value), pinned);
      this.#chosen = this.#placed.map(({ panel }) => panel);
      this.#said = `${countOf(this.#chosen)} of ${countOf(panels)}`;
    }
    this.#none.hidden = panels.length === 0 || this.#chosen.length > 0;
    this.#write();
    return this.#chosen;
  }

  whole(): boolean {
    return this.#search.value.trim() !== "";
  }

  most(): number {
    return this.#pages * PAGE;
  }

  blocks(count: number, open: boolean): readonly number[] {
    return open ? runsOf(this.#placed.slice(0, count)) : [count];
  }

  tell(): void {
    this.#progress.write(this.#context.source);
  }

  lasts(): boolean {
    this.#config.write(this.#context.source);
    // Without a chart there are no tools, and nothing was searched for.
    this.#none.hidden = this.#more.hidden = true;
    this.#config.stand(this.hint ?? this.below, null);
    return !this.#config.empty;
  }

  /** The charts with a pin each, and what stands between them. */
  arrange(charts: readonly HTMLElement[], open: boolean): readonly HTMLElement[] {
    const left = this.#placed.length - charts.length;
    this.#more.hidden = !open || left <= 0;
    setText(this.#more, `Show ${Math.min(PAGE, left)} more of ${left}`);
    return charts.flatMap((el, i) => {
      const { panel, heading } = this.#placed[i] as Placed;
      this.#pin(el, panel);
      const begins = open && heading !== null && heading !== this.#placed[i - 1]?.heading;
      return begins ? [this.#heading(heading), el] : [el];
    });
  }

  /** Let the viewer type what to look for. */
  focus(): void {
    this.#search.focus();
  }

  #listen(): void {
    const { memory, changed } = this.#context;
    this.#search.addEventListener("input", () => this.#searched());
    this.#search.addEventListener("keydown", (event) => {
      // What is typed is no command.
      event.stopPropagation();
      if (event.key === "Escape") this.#leave();
    });
    this.#slider.addEventListener("input", () => {
      memory.change({ smooth: Math.min(Number(this.#slider.value) || 0, HIGHEST) });
      changed();
    });
    this.#slider.addEventListener("keydown", (event) => {
      if (SLIDER_KEYS.test(event.key)) event.stopPropagation();
    });
    this.#log.addEventListener("click", () => {
      memory.change({ log: !memory.record.log });
      changed();
    });
    this.#more.addEventListener("click", () => {
      this.#pages++;
      changed();
    });
  }

  #searched(): void {
    this.#pages = 1;
    this.#context.changed();
  }

  /** The first time forget what is searched for, then leave the box. */
  #leave(): void {
    if (this.#search.value === "") {
      this.#search.closest<HTMLElement>(".pulse")?.focus({ preventScroll: true });
      return;
    }
    this.#search.value = "";
    this.#searched();
  }

  #write(): void {
    const { memory, source } = this.#context;
    const { smooth, log } = memory.record;
    const weight = smooth.toFixed(2);
    setText(this.#count, this.whole() ? this.#said : "");
    if (Number(this.#slider.value) !== smooth) this.#slider.value = weight;
    setText(this.#weight, smooth > 0 ? weight : "off");
    setAttribute(this.#slider, "aria-valuetext", smooth > 0 ? weight : "off");
    setAttribute(this.#log, "aria-pressed", String(log));
    this.#axis.write();
    this.#config.write(source);
  }

  #pin(el: HTMLElement, panel: Panel): void {
    const { memory, changed } = this.#context;
    const button = el.querySelector(".pulse-pin") ?? el.querySelector("header")?.appendChild(pin());
    if (!(button instanceof HTMLButtonElement)) return;
    const on = isPinned(panel, memory.record.pinned);
    setAttribute(button, "aria-pressed", String(on));
    setAttribute(button, "aria-label", pinLabel(panel.title));
    button.onclick = ({ detail }) => {
      memory.change({ pinned: toggledPin(panel, memory.record.pinned) });
      changed();
      // The chart moves in the next frame, and takes the keyboard with it; a click has none.
      if (detail === 0) requestAnimationFrame(() => this.#follow(panel));
    };
  }

  /** In another place a chart may be made anew; one that has left the first row is gone. */
  #follow({ title }: Panel): void {
    const pins = this.tools.closest(".pulse-group")?.querySelectorAll<HTMLElement>(".pulse-pin");
    const own = [...(pins ?? [])].find((pin) => pin.getAttribute("aria-label") === pinLabel(title));
    (own ?? this.#search).focus();
  }

  #heading(text: string): HTMLElement {
    const found = this.#headings.get(text) ?? h("h4", { class: "pulse-prefix" }, text);
    this.#headings.set(text, found);
    return found;
  }
}

function pinLabel(title: string): string {
  return `Pin ${title}`;
}

/** How many metrics the charts show. */
function countOf(panels: readonly Panel[]): number {
  const names = ({ lines }: Panel) => new Set(lines.map(({ series }) => series.metric)).size;
  return panels.reduce((count, panel) => count + names(panel), 0);
}

function pin(): HTMLButtonElement {
  const button = h("button", { type: "button", class: "pulse-pin", title: "Keep in front" });
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", "M5.5 1.5h5l-.8 5 2.3 2.3v1.4H8.7V15L8 16l-.7-1v-4.8H4V8.8l2.3-2.3z");
  svg.append(path);
  button.append(svg);
  return button;
}

/** One line to copy, as high as the charts that will stand in its place. */
function hintElement(): HTMLElement {
  const code = h("code", {}, EXAMPLE);
  const copy = h("button", { type: "button" }, "Copy");
  const said = h("span", { class: "pulse-detail", role: "status" });
  copy.addEventListener("click", () => void copied(code, said));
  const words = h("p", { class: "pulse-detail" }, "What you log is drawn here:");
  return h("div", { class: "pulse-own-hint" }, words, h("div", {}, code, copy, said));
}

async function copied(code: HTMLElement, said: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(EXAMPLE);
    setText(said, "copied");
  } catch {
    // Not every page may write there: then the viewer's own keys do.
    getSelection()?.selectAllChildren(code);
    setText(said, "selected: copy it with Ctrl+C");
  }
}
