/** The cards and the line under them: how everything does, at a glance. */

import { h, setAttribute, setText } from "../dom";
import type { Ground } from "../vocabulary/palette";
import { Bars } from "./bars";
import { Fleet } from "./fleet";
import { GpuCard, type LegendEvents } from "./gpu-cards";
import { type GpuFacts, gpuFacts } from "./gpu-facts";
import { type MachineFacts, machineFacts } from "./machine";
import { NewsLine, newsOf } from "./news";
import type { Readings } from "./readings";
import { isYoung } from "./scenes";

/** Beyond so many GPUs one card a host sums them up. */
export const MOST_CARDS = 8;
/** With so few GPUs the machine has cards beside theirs. */
const FEW = 1;
/** Of more machines than these the first are shown. */
const MOST_HOSTS = 8;

/** What stands for one machine. */
interface Row {
  readonly el: HTMLElement;
  readonly name: HTMLElement;
  readonly machine: HTMLElement;
  readonly tiles: HTMLElement;
  readonly gpus: Map<string, GpuCard>;
  readonly cards: Map<string, MachineCard>;
  fleet: Fleet | null;
}

export class Overview {
  readonly el: HTMLElement;
  readonly #events: LegendEvents;
  readonly #rows = h("div", { class: "pulse-hosts" });
  readonly #byHost = new Map<string, Row>();
  readonly #machine = h("div", { class: "pulse-machine" });
  readonly #line = h("div", { class: "pulse-line", hidden: true }, this.#machine);
  readonly #news = new NewsLine();
  /** Where the newest event stands while the line under the cards has nothing else. */
  readonly #header: HTMLElement;

  constructor(events: LegendEvents, header: HTMLElement) {
    this.#events = events;
    this.#header = header;
    this.el = h("div", { class: "pulse-overview", role: "group", "aria-label": "Summary" });
    this.el.append(this.#rows, this.#line);
  }

  /** `from`: where what is in view begins. */
  update(
    readings: Readings,
    hidden: (gpu: GpuFacts) => boolean,
    ground: Ground,
    from?: number,
  ): void {
    const gpus = gpuFacts(readings, from);
    const several = readings.hosts.length > 1;
    const shown = readings.hosts.slice(0, MOST_HOSTS);
    for (const [host, row] of this.#byHost) {
      if (shown.includes(host)) continue;
      row.el.remove();
      drop(row.gpus, new Set());
      row.fleet?.remove();
      this.#byHost.delete(host);
    }
    let told = "";
    const young = isYoung(readings.source);
    for (const host of shown) {
      const own = gpus.filter(({ owner }) => owner.host === host);
      const asCards = own.length <= FEW && !several;
      // A card that comes later would push the others aside.
      const expected = asCards && young && hasMachine(host, readings);
      const machine = machineFacts(host, readings, expected);
      const row = this.#row(host);
      setText(row.name, several ? readings.names.host(host) : "");
      const line = machine.map((facts) => facts.line).join(" \u00b7 ");
      if (several) write(row.machine, line);
      else if (!asCards) told = line;
      fillRow(row, gpus.length > MOST_CARDS ? own : [], this.#events, hidden, ground);
      fillCards(row, gpus.length > MOST_CARDS ? [] : own, this.#events, hidden, ground);
      fillMachine(row, asCards ? machine : []);
      const count = row.gpus.size + row.cards.size;
      row.tiles.dataset["count"] = String(Math.min(count, 4));
      row.el.hidden = count === 0 && !row.fleet && !several;
    }
    write(this.#machine, told);
    this.#placeNews(told !== "" || several);
    this.#news.update(newsOf(readings, gpus));
  }

  #placeNews(belowCards: boolean): void {
    const place = belowCards ? this.#line : this.#header;
    this.#line.hidden = !belowCards;
    if (this.#news.el.parentElement !== place) place.append(this.#news.el);
  }

  #row(host: string): Row {
    const known = this.#byHost.get(host);
    if (known) return known;
    const [name, machine] = [h("b"), h("span", { class: "pulse-machine" })];
    const head = h("div", { class: "pulse-host-head" }, name, machine);
    const tiles = h("div", {
      class: "pulse-tiles",
      role: "group",
      "aria-label": "GPUs: legend of their charts",
    });
    const el = h("div", { class: "pulse-host", "data-host": host }, head, tiles);
    const row: Row = { el, name, machine, tiles, gpus: new Map(), cards: new Map(), fleet: null };
    this.#byHost.set(host, row);
    this.#rows.append(el);
    return row;
  }
}

/** Of this host anything of the machine itself is read. */
function hasMachine(host: string, readings: Readings): boolean {
  return readings.owners.some((one) => one.host === host && one.entity === "host");
}

function fillRow(
  row: Row,
  gpus: readonly GpuFacts[],
  events: LegendEvents,
  hidden: (gpu: GpuFacts) => boolean,
  ground: Ground,
): void {
  if (gpus.length === 0) {
    row.fleet?.remove();
    row.fleet = null;
    return;
  }
  row.fleet ??= new Fleet(events);
  if (!row.fleet.el.parentElement) row.tiles.prepend(row.fleet.el);
  const byKey = new Map(gpus.map((gpu) => [gpu.key, gpu]));
  row.fleet.update(gpus, (key) => !hidden(byKey.get(key) as GpuFacts), ground);
}

function fillCards(
  row: Row,
  gpus: readonly GpuFacts[],
  events: LegendEvents,
  hidden: (gpu: GpuFacts) => boolean,
  ground: Ground,
): void {
  drop(row.gpus, new Set(gpus.map(({ key }) => key)));
  for (const [place, facts] of gpus.entries()) {
    const card = row.gpus.get(facts.key) ?? new GpuCard(facts, events);
    row.gpus.set(facts.key, card);
    put(row.tiles, card.el, place);
    card.update(facts, !hidden(facts), ground);
  }
}

function fillMachine(row: Row, machine: readonly MachineFacts[]): void {
  drop(row.cards, new Set(machine.map(({ key }) => key)));
  for (const [place, facts] of machine.entries()) {
    const card = row.cards.get(facts.key) ?? new MachineCard(facts);
    row.cards.set(facts.key, card);
    put(row.tiles, card.el, row.gpus.size + place);
    card.update(facts);
  }
}

function drop(cards: Map<string, { remove(): void }>, kept: ReadonlySet<string>): void {
  for (const [key, card] of cards) {
    if (kept.has(key)) continue;
    card.remove();
    cards.delete(key);
  }
}

function put(into: HTMLElement, el: HTMLElement, place: number): void {
  const there = into.children[place] ?? null;
  if (there !== el) into.insertBefore(el, there);
}

/** Text of which what stands between asterisks is bold. */
function write(el: HTMLElement, line: string): void {
  if (el.dataset["line"] === line) return;
  el.dataset["line"] = line;
  el.replaceChildren(...line.split("*").map((part, i) => (i % 2 === 1 ? h("b", {}, part) : part)));
}

class MachineCard {
  readonly el: HTMLElement;
  readonly #value = h("span", { class: "pulse-card-value" });
  readonly #bars: Bars;
  readonly #note = h("span", { class: "pulse-card-note" });

  constructor({ key, name, labels }: MachineFacts) {
    this.#bars = new Bars(labels);
    const head = h(
      "span",
      { class: "pulse-card-head" },
      h("span", { class: "pulse-card-name" }, name),
      this.#value,
    );
    this.el = h("div", { class: "pulse-tile", role: "group", "aria-label": name }, head);
    this.el.dataset["card"] = key;
    this.el.append(this.#bars.el, this.#note);
  }

  remove(): void {
    this.el.remove();
  }

  update({ name, value, note, bars }: MachineFacts): void {
    setText(this.#value, value);
    setText(this.#note, note);
    this.#bars.set(bars);
    setAttribute(this.el, "title", [name, value, note].filter(Boolean).join(", "));
  }
}
