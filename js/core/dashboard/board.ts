/** The groups of charts on screen, kept in step with what the source has and the viewer opened. */

import { chartKindOf } from "../charts/chart-kinds";
import { type Group, ownTitles, type Panel } from "../charts/groups";
import { headingsWith } from "../charts/panel-table";
import type { ChartEvents, View } from "../charts/panel-view";
import { h, setAttribute, setText } from "../dom";
import type { State } from "../state.gen";
import { leftOutSentence } from "../vocabulary/left-out";
import {
  absencesElement,
  absencesOf,
  type Card,
  cardsOf,
  recordingCards,
  startingOf,
  writeCards,
} from "./cards";
import type { SectionContext, SectionExtras } from "./section-extras";
import { SECTION_EXTRAS } from "./sections";
import type { ViewState } from "./view-state";

const WAITING = "Waiting for the first reading\u2026";

interface BoardEvents extends ChartEvents {
  fold(group: string): void;
  expand(group: string): void;
  /** A chart came into view. */
  appeared(): void;
}

export interface BoardContent {
  readonly groups: readonly Group[];
  readonly state: State;
  /** Whether the state is known. */
  readonly heard: boolean;
  /** Facts about a group's devices, for the right of its heading. */
  readonly notes: ReadonlyMap<string, string>;
  /** Panels drawn over steps instead of time. */
  readonly byStep: (panel: Panel) => boolean;
  /** The user's selection of metrics, when there is one. */
  readonly metrics: readonly string[] | null;
  readonly chartsOnly: boolean;
}

/** Charts of a section with extras that are shown before it is opened. */
const FIRST_ROW = 3;

interface Section {
  readonly extras: SectionExtras | undefined;
  readonly el: HTMLElement;
  readonly toggle: HTMLButtonElement;
  readonly note: HTMLElement;
  readonly more: HTMLButtonElement;
  readonly cards: HTMLElement;
  readonly grid: HTMLElement;
}

interface Slot {
  readonly view: View;
  readonly panel: Panel;
  readonly signature: string;
}

export class Board {
  readonly el = h("div", { class: "pulse-board" });
  readonly #events: BoardEvents;
  readonly #context: SectionContext;
  /** Extras outlive their section: what is typed into them stays. */
  readonly #extras = new Map<string, SectionExtras>();
  readonly #sections = new Map<string, Section>();
  readonly #slots = new Map<string, Slot>();
  readonly #watched = new Map<Element, View>();
  readonly #quiet = h("p", { class: "pulse-waiting", role: "status" });
  readonly #absent = h("div");
  readonly #notices = h("div", { class: "pulse-cards pulse-notices" });
  readonly #leftOut = h("p", { class: "pulse-left-out", role: "note", hidden: true });
  readonly #seen: IntersectionObserver;
  readonly #sizes: ResizeObserver;
  #absentText = "";

  constructor(events: BoardEvents, context: SectionContext) {
    this.#events = events;
    this.#context = context;
    this.#seen = new IntersectionObserver((entries) => this.#intersect(entries), {
      rootMargin: "80px",
    });
    this.#sizes = new ResizeObserver((entries) => this.#resize(entries));
    this.el.append(this.#leftOut, this.#notices, this.#quiet, this.#absent);
  }

  /** Charts that are on screen, and what else is watched. */
  get views(): View[] {
    return [...this.#watched.values()].filter((view) => view.seen);
  }

  /** Ids of all series that have a chart, on screen or not. */
  get shownIds(): number[] {
    return [...this.#slots.values()].flatMap(({ panel }) => panel.lines.map(({ id }) => id));
  }

  /** Brings the keyboard to the tools of a section. */
  focus(title: string): void {
    this.#extras.get(title)?.focus?.();
  }

  /** The scene has changed: what is out of sight is not drawn now, but when it appears. */
  ageUnseen(): void {
    for (const view of this.#watched.values()) view.stale ||= !view.seen;
  }

  /** Watch a view that stands outside the board, too. */
  watch(view: View): void {
    this.#watched.set(view.el, view);
    this.#seen.observe(view.el);
    this.#sizes.observe(view.el);
  }

  update(content: BoardContent, state: ViewState): void {
    const filled = new Set(content.groups.map((group) => group.title));
    const cards = content.chartsOnly ? [] : cardsOf(content.state.sources, filled);
    writeCards(this.#notices, content.chartsOnly ? [] : recordingCards(content.state));
    setText(this.#leftOut, leftOutSentence(content.state));
    this.#leftOut.hidden = this.#leftOut.textContent === "";
    const shown = new Set<string>();
    const hinted = content.chartsOnly || content.metrics?.length ? [] : this.#hinted();
    const headings = headingsWith([...filled, ...hinted, ...cards.map((card) => card.group)]);
    for (const title of new Set([...headings, ...this.#sections.keys()])) {
      const group = content.groups.find((g) => g.title === title) ?? { title, panels: [] };
      const own = cards.filter((card) => card.group === title);
      const section = this.#sections.get(title);
      if (group.panels.length === 0 && own.length === 0 && !hinted.includes(title)) {
        section?.el.remove();
        this.#sections.delete(title);
        continue;
      }
      this.#fill(section ?? this.#addSection(title), group, own, content, state, shown);
    }
    this.#drop(shown);
    this.#order(headings);
    this.#writeAbsences(content, cards);
  }

  destroy(): void {
    this.#seen.disconnect();
    this.#sizes.disconnect();
    for (const { view } of this.#slots.values()) view.destroy();
  }

  #fill(
    section: Section,
    group: Group,
    cards: readonly Card[],
    content: BoardContent,
    state: ViewState,
    shown: Set<string>,
  ): void {
    const { extras } = section;
    const folded = state.folded.has(group.title);
    const open = content.chartsOnly || state.expanded.has(group.title);
    const chosen = extras?.choose(group.panels) ?? group.panels;
    const main = extras ? chosen.slice(0, FIRST_ROW) : chosen.filter((panel) => panel.main);
    const count = chosen.length - main.length;
    const whole = open || (extras?.whole?.() ?? false);
    setAttribute(section.toggle, "aria-expanded", folded ? "false" : "true");
    setText(section.note, content.notes.get(group.title) ?? "");
    section.more.hidden = folded || count === 0 || content.chartsOnly || (whole && !open);
    setText(
      section.more,
      open ? "Show fewer" : main.length === 0 ? `Show ${count}` : `${count} more`,
    );
    const hint = group.panels.length === 0 ? extras?.hint : undefined;
    for (const el of [section.grid, section.cards]) el.hidden = folded;
    for (const el of [extras?.tools, extras?.below]) {
      if (el) el.hidden = folded || group.panels.length === 0;
    }
    writeCards(section.cards, cards);
    if (folded) return;
    const panels = whole ? chosen.slice(0, extras?.most?.()) : main;
    const charts = panels.map((panel) => this.#view(panel, content.byStep(panel)).el);
    for (const panel of panels) shown.add(panel.key);
    const items = hint ? [hint] : (extras?.arrange?.(charts, whole) ?? charts);
    for (const [index, el] of items.entries()) {
      const place = section.grid.children[index] ?? null;
      if (el !== place) section.grid.insertBefore(el, place);
    }
    for (const el of [...section.grid.children].slice(items.length)) el.remove();
  }

  /** Sections that have nothing but a hint how to fill them. */
  #hinted(): string[] {
    return [...SECTION_EXTRAS.keys()].filter((title) => this.#extrasOf(title)?.hint);
  }

  #extrasOf(title: string): SectionExtras | undefined {
    const found = this.#extras.get(title) ?? SECTION_EXTRAS.get(title)?.(this.#context);
    if (found) this.#extras.set(title, found);
    return found;
  }

  /** The chart of a panel; a new one when its lines are others than before. */
  #view(panel: Panel, byStep: boolean): View {
    const kind = chartKindOf(panel);
    const signature = `${kind.name} ${byStep} ${panel.lines.map((line) => `${line.id}:${line.label}`).join()}`;
    const slot = this.#slots.get(panel.key);
    if (slot?.signature === signature) return slot.view;
    if (slot?.view.take && chartKindOf(slot.panel) === kind) {
      slot.view.take(panel);
      this.#slots.set(panel.key, { ...slot, panel, signature });
      return slot.view;
    }
    const view = kind.make(panel, this.#events, { byStep, axis: true });
    if (slot) {
      slot.view.el.replaceWith(view.el);
      this.#forget(slot.view);
    }
    this.#slots.set(panel.key, { view, panel, signature });
    this.watch(view);
    return view;
  }

  #drop(shown: ReadonlySet<string>): void {
    for (const [key, { view }] of this.#slots) {
      if (shown.has(key)) continue;
      this.#forget(view);
      this.#slots.delete(key);
    }
  }

  #forget(view: View): void {
    this.#seen.unobserve(view.el);
    this.#sizes.unobserve(view.el);
    this.#watched.delete(view.el);
    view.destroy();
  }

  #addSection(title: string): Section {
    const toggle = h("button", { type: "button", "aria-expanded": "true" }, title);
    toggle.addEventListener("click", () => this.#events.fold(title));
    const note = h("span", { class: "pulse-note" });
    const more = h("button", { type: "button", class: "pulse-more" });
    more.addEventListener("click", () => this.#events.expand(title));
    const cards = h("div", { class: "pulse-cards" });
    const grid = h("div", { class: "pulse-grid" });
    const heading = h("h3", {}, toggle);
    const extras = this.#extrasOf(title);
    const head = h("header", { class: "pulse-group-head" }, heading, note);
    head.append(...(extras ? [extras.tools] : []), more);
    const el = h("section", { class: "pulse-group", "aria-label": title }, head, cards, grid);
    if (extras?.below) el.append(extras.below);
    const section = { extras, el, toggle, note, more, cards, grid };
    this.#sections.set(title, section);
    this.el.insertBefore(el, this.#quiet);
    return section;
  }

  #order(headings: readonly string[]): void {
    let place: Element | null = this.#notices.nextElementSibling;
    for (const title of headings) {
      const section = this.#sections.get(title);
      if (!section) continue;
      if (section.el === place) place = place.nextElementSibling;
      else this.el.insertBefore(section.el, place);
    }
  }

  #writeAbsences(content: BoardContent, cards: readonly Card[]): void {
    setText(this.#quiet, quietText(content));
    this.#quiet.hidden = this.#quiet.textContent === "";
    const { groups, state } = content;
    const absences = content.chartsOnly ? [] : absencesOf(state.sources, cards, ownTitles(groups));
    const text = JSON.stringify(absences);
    if (text === this.#absentText) return;
    this.#absentText = text;
    this.#absent.replaceChildren(...(absences.length > 0 ? [absencesElement(absences)] : []));
  }

  #intersect(entries: readonly IntersectionObserverEntry[]): void {
    let appeared = false;
    for (const entry of entries) {
      const view = this.#watched.get(entry.target);
      if (!view) continue;
      view.seen = entry.isIntersecting;
      appeared ||= view.seen && view.stale;
    }
    if (appeared) this.#events.appeared();
  }

  #resize(entries: readonly ResizeObserverEntry[]): void {
    for (const entry of entries) {
      const view = this.#watched.get(entry.target);
      view?.resize();
      if (view) view.stale = true;
    }
    this.#events.appeared();
  }
}

/** What to say while there is nothing, or not yet everything, to draw. */
function quietText({ groups, state, heard, metrics }: BoardContent): string {
  const starting = startingOf(state.sources);
  if (starting.length > 0) return `Waiting for the first reading of: ${starting.join(", ")}`;
  if (groups.length > 0) return "";
  if (!heard) return WAITING;
  if (metrics?.length) {
    return `No series matches ${metrics.map((glob) => `"${glob}"`).join(", ")} yet.`;
  }
  if (state.phase !== "running") return "This recording holds no readings.";
  return WAITING;
}
