/** The sections on screen, kept in step with what the source has and the viewer opened. */

import { type Group, ownTitles, type Panel } from "../charts/groups";
import { headingsWith, USER_GROUP } from "../charts/panel-table";
import type { ChartEvents, View } from "../charts/panel-view";
import { h, setText } from "../dom";
import type { State } from "../state.gen";
import type { AxisRange } from "../vocabulary/axis-range";
import { leftOutSentence } from "../vocabulary/left-out";
import { type Absence, absencesOf, cardsOf, recordingCards, startingOf, writeCards } from "./cards";
import type { Readings } from "./readings";
import type { SectionContext, SectionExtras } from "./section-extras";
import { axesOf, type Chosen, type Section, sectionsOf } from "./section-plan";
import { type SectionEvents, SectionView } from "./section-view";
import { SECTION_EXTRAS } from "./sections";
import { Slots } from "./slots";
import type { ViewState } from "./view-state";

const WAITING = "Waiting for the first reading\u2026";
/** Widths from which on three, and two, charts stand beside one another. */
const [THREE_FROM, TWO_FROM] = [740, 460];

interface BoardEvents extends ChartEvents, SectionEvents {
  /** A chart came into view. */
  appeared(): void;
  /** There is room for another number of charts beside one another. */
  reflow(): void;
  /** A section came into sight: its line is to be drawn. */
  sighted(): void;
}

export interface BoardContent {
  readonly groups: readonly Group[];
  readonly state: State;
  /** Whether the state is known. */
  readonly heard: boolean;
  readonly gpus: boolean;
  /** The session has just begun. */
  readonly young: boolean;
  /** Facts about a group's devices, for the right of its heading. */
  readonly notes: ReadonlyMap<string, string>;
  /** Panels drawn over steps instead of time. */
  readonly byStep: (panel: Panel) => boolean;
  /** The user's selection of metrics, when there is one. */
  readonly metrics: readonly string[] | null;
  readonly chartsOnly: boolean;
}

export class Board {
  readonly el = h("div", { class: "pulse-board" });
  readonly #events: BoardEvents;
  readonly #context: SectionContext;
  readonly #slots: Slots;
  readonly #sections = new Map<string, SectionView>();
  readonly #extras = new Map<string, SectionExtras>();
  readonly #quiet = h("p", { class: "pulse-waiting", role: "status" });
  readonly #notices = h("div", { class: "pulse-cards pulse-notices" });
  readonly #leftOut = h("p", { class: "pulse-left-out", role: "note", hidden: true });
  readonly #open = h("div", { class: "pulse-sections" });
  /** Between the charts and what is folded: they share its time. */
  readonly #middle: HTMLElement;
  readonly #rest = h("div", { class: "pulse-sections pulse-folded" });
  readonly #width: ResizeObserver;
  /** Lines of folded sections are drawn only while they are in sight. */
  readonly #sight: IntersectionObserver;
  readonly #inSight = new Set<Element>();
  #columns = 3;

  constructor(events: BoardEvents, context: SectionContext, middle: HTMLElement) {
    this.#events = events;
    this.#context = context;
    this.#middle = middle;
    this.#slots = new Slots(events, () => events.appeared());
    this.#width = new ResizeObserver(() => this.#measure());
    this.#width.observe(this.el);
    this.#sight = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.#inSight.add(target);
        else this.#inSight.delete(target);
      }
      events.sighted();
    });
    this.el.append(this.#leftOut, this.#notices, this.#quiet, this.#open, middle, this.#rest);
  }

  /** Charts that are on screen, and what else is watched. */
  get views(): View[] {
    return this.#slots.views;
  }

  /** Ids of all series that have a chart, on screen or not. */
  get shownIds(): number[] {
    return this.#slots.ids;
  }

  /** Brings the keyboard to the tools of a section. */
  focus(title: string): void {
    this.#extras.get(title)?.focus?.();
  }

  ageUnseen(): void {
    this.#slots.ageUnseen();
  }

  /** Watch a view that stands outside the sections, too. */
  watch(view: View): void {
    this.#slots.watch(view);
  }

  /** What is not available here is returned: it stands in the footer. */
  update(content: BoardContent, state: ViewState): Absence[] {
    const { chartsOnly, metrics, groups } = content;
    const faults = chartsOnly
      ? []
      : cardsOf(content.state.sources, new Set(groups.map((g) => g.title)));
    writeCards(this.#notices, chartsOnly ? [] : [...recordingCards(content.state), ...faults]);
    setText(this.#leftOut, leftOutSentence(content.state));
    this.#leftOut.hidden = this.#leftOut.textContent === "";
    const asked = chartsOnly || Boolean(metrics?.length);
    const { gpus, young } = content;
    const chosen = this.#chosen(content);
    const sections = sectionsOf(chosen, state, { asked, columns: this.#columns, gpus, young });
    const shown = new Set<string>();
    this.#leave(new Set(sections.map(({ title }) => title)));
    for (const [place, section] of sections.entries()) {
      const view = this.#section(section);
      // What is open at first stays above the others, so that nothing jumps when it is folded.
      const lead = asked || place < leading(sections);
      put(lead ? this.#open : this.#rest, view.el, lead ? place : place - leading(sections));
      view.update(section, content.notes.get(section.title) ?? "");
      if (section.open) this.#fill(view, section, content, shown);
      else view.arrange([], false);
    }
    this.#slots.keep(shown);
    this.#sayQuiet(content);
    return chartsOnly ? [] : absencesOf(content.state.sources, faults, ownTitles(groups));
  }

  /** Bring the lines of what is folded up to date; without a colour only their words. */
  tell(readings: Readings, range: AxisRange, color: string | null): void {
    for (const view of this.#sections.values()) {
      view.tell(readings, range, this.#inSight.has(view.el) ? color : null);
    }
  }

  destroy(): void {
    this.#width.disconnect();
    this.#sight.disconnect();
    this.#slots.destroy();
  }

  /** The groups with the panels that their extras choose; a section may have a hint alone. */
  #chosen({ groups, chartsOnly, metrics }: BoardContent): Chosen[] {
    for (const [title, make] of SECTION_EXTRAS) {
      if (!this.#extras.has(title)) this.#extras.set(title, make(this.#context));
    }
    const found = new Map(groups.map((group) => [group.title, group]));
    const asked = chartsOnly || Boolean(metrics?.length);
    const told = (one: SectionExtras) => one.hint || one.lasts?.();
    const hints = asked ? [] : [...this.#extras].filter(([, extras]) => told(extras));
    const hinted = new Set(hints.map(([title]) => title).filter((title) => !found.has(title)));
    return headingsWith([...found.keys(), ...hinted]).flatMap((title): Chosen[] => {
      const panels = found.get(title)?.panels;
      if (!panels) return hinted.has(title) ? [{ title, panels: [], hinted: true }] : [];
      const chosen = this.#extras.get(title)?.choose(panels) ?? panels;
      return [{ title, panels: chosen, hinted: false }];
    });
  }

  #fill(
    view: SectionView,
    { panels, shown: first, title, expanded, waiting }: Section,
    content: BoardContent,
    shown: Set<string>,
  ): void {
    const extras = this.#extras.get(title);
    const whole = expanded || (extras?.whole?.() ?? false);
    const most = whole ? (extras?.most?.() ?? first) : first - waiting.length;
    const drawn = panels.slice(0, Math.max(most, 0));
    const steps = drawn.map((panel) => content.byStep(panel));
    const blocks = extras?.blocks?.(drawn.length, whole) ?? [drawn.length];
    const axes = blocks.flatMap((size, i) => {
      const from = blocks.slice(0, i).reduce((sum, one) => sum + one, 0);
      return axesOf(steps.slice(from, from + size), this.#columns);
    });
    const charts = drawn.map((panel, place) => {
      const at = { byStep: steps[place] as boolean, axis: axes[place] as boolean };
      shown.add(panel.key);
      return this.#slots.view(panel, at).el;
    });
    for (const place of waiting) charts.splice(place, 0, view.placeholder(place));
    view.arrange(charts, whole);
  }

  #section(section: Section): SectionView {
    const { title } = section;
    const known = this.#sections.get(title);
    if (known) return known;
    const view = new SectionView(section, this.#events, this.#extras.get(title) ?? null);
    this.#sections.set(title, view);
    this.#sight.observe(view.el);
    return view;
  }

  #leave(titles: ReadonlySet<string>): void {
    for (const [title, { el }] of this.#sections) {
      if (titles.has(title)) continue;
      el.remove();
      this.#sight.unobserve(el);
      this.#inSight.delete(el);
      this.#sections.delete(title);
    }
  }

  #sayQuiet(content: BoardContent): void {
    setText(this.#quiet, quietText(content));
    this.#quiet.hidden = this.#quiet.textContent === "";
    this.#middle.dataset["quiet"] = String(content.groups.length === 0);
  }

  #measure(): void {
    const { clientWidth: width } = this.el;
    if (width === 0) return;
    const columns = width >= THREE_FROM ? 3 : width >= TWO_FROM ? 2 : 1;
    this.el.dataset["columns"] = String(columns);
    if (columns === this.#columns) return;
    this.#columns = columns;
    this.#events.reflow();
  }
}

/** How many sections stand above the timeline: the user's own, and the one of the first row. */
function leading(sections: readonly Section[]): number {
  const own = sections[0]?.title === USER_GROUP ? 1 : 0;
  return Math.min(own + 1, sections.length);
}

function put(into: HTMLElement, el: HTMLElement, place: number): void {
  const there = into.children[place] ?? null;
  if (there !== el) into.insertBefore(el, there);
}

/** What to say while there is nothing, or not yet everything, to draw. */
function quietText({ groups, state, heard, metrics }: BoardContent): string {
  const over = heard && state.phase !== "running";
  const starting = over ? [] : startingOf(state.sources);
  if (starting.length > 0) return `Waiting for the first reading of: ${starting.join(", ")}`;
  if (groups.length > 0) return "";
  if (!heard) return WAITING;
  if (metrics?.length) {
    const globs = metrics.map((glob) => `"${glob}"`).join(", ");
    return `No series matches ${globs}${over ? "" : " yet"}.`;
  }
  if (over) return "This recording holds no readings.";
  return WAITING;
}
