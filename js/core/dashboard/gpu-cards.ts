/** A card for each GPU: how it does, and the legend of its lines in every chart. */

import { SIGN } from "../charts/marks";
import { h, setAttribute, setText } from "../dom";
import { formatValue } from "../vocabulary/format";
import { type Ground, lineColor, textColor } from "../vocabulary/palette";
import { degreesText, ofText, wattsText } from "./amounts";
import { Bars } from "./bars";
import { type Alarm, type GpuFacts, shareOf } from "./gpu-facts";

export interface LegendEvents {
  /** Hide or show the lines of a GPU everywhere; `only` all others. */
  toggle(key: string, only: boolean): void;
  /** Lift the lines of a GPU above the others; null lets them down. */
  lift(key: string | null): void;
}

export class GpuCard {
  readonly el: HTMLButtonElement;
  readonly #name = h("span", { class: "pulse-gpu-name" });
  readonly #value = h("span", { class: "pulse-card-value" });
  readonly #bars = new Bars(["busy", "memory"]);
  readonly #note = h("span", { class: "pulse-card-note" });
  readonly #letGo: () => void;
  #noted = "";

  constructor({ key, owner }: GpuFacts, events: LegendEvents) {
    const head = h("span", { class: "pulse-card-head" }, this.#name, this.#value);
    this.el = h(
      "button",
      { type: "button", class: "pulse-tile pulse-gpu", "data-gpu": owner.entity },
      head,
      this.#bars.el,
      this.#note,
    );
    this.el.dataset["host"] = owner.host;
    this.#letGo = listen(this.el, key, events);
  }

  remove(): void {
    this.el.remove();
    this.#letGo();
  }

  update(facts: GpuFacts, shown: boolean, ground: Ground): void {
    const { alarms, busy, used, total } = facts;
    setText(this.#name, facts.label);
    this.#name.style.color = textColor(facts.color, ground);
    this.#name.style.setProperty("--line", lineColor(facts.color, ground));
    setText(this.#value, formatValue(busy, "1"));
    this.#bars.set([busy, shareOf(used, total)]);
    this.#write(noteOf(facts));
    setAttribute(this.el, "aria-pressed", shown ? "true" : "false");
    setAttribute(this.el, "title", titleOf(facts));
    this.el.classList.toggle("pulse-alarmed", alarms.length > 0);
    this.el.classList.toggle("pulse-lost", facts.lost);
  }

  #write(parts: readonly NotePart[]): void {
    const text = JSON.stringify(parts);
    if (text === this.#noted) return;
    this.#noted = text;
    const spans = parts.map(({ text: said, alarm }, i) => {
      // The dot goes with the part after it: both are left out where there is no room.
      const dot = i > 0 ? [h("i", { class: "pulse-dot" }, "\u00a0\u00b7\u00a0")] : [];
      return alarm
        ? h("b", { class: "pulse-alarm" }, ...dot, `${SIGN} ${said}`)
        : h("span", { class: "pulse-fact" }, ...dot, said);
    });
    this.#note.replaceChildren(...spans);
  }
}

/**
 * Click and hover of what stands for a GPU. Call what it returns when the element goes: no pointer
 * leaves what is taken away from under it, and its lines would stay lifted.
 */
export function listen(el: HTMLElement, key: string, events: LegendEvents): () => void {
  let lifts = false;
  const lift = (): void => {
    lifts = true;
    events.lift(key);
  };
  const letGo = (): void => {
    lifts = false;
    events.lift(null);
  };
  el.addEventListener("click", (event) => {
    events.toggle(key, event.altKey || event.ctrlKey || event.metaKey);
  });
  for (const name of ["pointerenter", "focus"]) el.addEventListener(name, lift);
  for (const name of ["pointerleave", "blur"]) el.addEventListener(name, letGo);
  return () => {
    if (lifts) letGo();
  };
}

/** Parts of a line with a dot between them; a line breaks between them only. */
export function separated(parts: readonly HTMLElement[]): (Node | string)[] {
  return parts.flatMap((part, i) => (i === 0 ? [part] : [" \u00b7 ", part]));
}

interface NotePart {
  readonly text: string;
  readonly alarm: boolean;
}

/** The line under the bars: what is alarming first, instead of what it is about. Pure. */
export function noteOf({ used, total, power, heat, lost, alarms, ...facts }: GpuFacts): NotePart[] {
  const [first] = alarms;
  const plain = (text: string) => ({ text, alarm: false });
  if (lost && first) return [{ text: first.word, alarm: true }];
  const parts = {
    memory: used === null ? null : plain(ofText(used, total)),
    power: power === null ? null : plain(wattsText(power)),
    heat: heat === null ? null : plain(degreesText(heat)),
  };
  if (first) parts[placeOf(first)] = null;
  const alarm = first ? { text: first.word, alarm: true } : null;
  const said = [alarm, parts.memory, parts.power, parts.heat].filter((part) => part !== null);
  if (facts.parts.length > 0) said.push(plain(`${facts.parts.length} MIG`));
  return said.length > 0 ? said : [plain(facts.over ? "no readings" : "no readings yet")];
}

function placeOf({ kind }: Alarm): "memory" | "heat" {
  return kind === "memory" ? "memory" : "heat";
}

/** All of it in words, for hovering. Pure. */
export function titleOf(facts: GpuFacts): string {
  const { label, model, busy, used, total, power, heat, alarms, parts } = facts;
  const lines = [
    [label, model].filter(Boolean).join(", "),
    `busy ${formatValue(busy, "1")}, memory ${ofText(used, total)}, ${wattsText(power)}, ${degreesText(heat)}`,
    ...alarms.map(({ clause, since }) => `${clause}, ${since}`),
    parts.length > 0 ? `split into ${parts.length} MIG instances` : "",
    "Click: hide or show its lines. Alt + click: only this one.",
  ];
  return lines.filter(Boolean).join("\n");
}
