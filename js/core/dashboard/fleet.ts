/** One card for more GPUs than have room for a card each: sums, extremes, and a cell for each. */

import { SIGN } from "../charts/marks";
import { h, setAttribute, setText } from "../dom";
import { formatValue } from "../vocabulary/format";
import { type Ground, rampIndex, rampPixels } from "../vocabulary/palette";
import { degreesText, mean, ofText, sum, wattsText } from "./amounts";
import { Bars } from "./bars";
import { type LegendEvents, listen, separated, titleOf } from "./gpu-cards";
import { type GpuFacts, shareOf } from "./gpu-facts";

interface FleetFacts {
  /** "64 GPUs", or "63 of 64 GPUs, 1 lost". */
  readonly count: string;
  readonly lost: number;
  readonly busy: number | null;
  readonly share: number | null;
  readonly parts: readonly string[];
  readonly alarmed: string;
}

/** What is said of all GPUs together. Pure. */
export function fleetFacts(gpus: readonly GpuFacts[]): FleetFacts {
  const known = (of: (gpu: GpuFacts) => number | null) => gpus.map(of).filter((v) => v !== null);
  const lost = gpus.filter((gpu) => gpu.lost).length;
  const [used, total] = [sum(known((gpu) => gpu.used)), sum(known((gpu) => gpu.total))];
  const busy = mean(known((gpu) => gpu.busy));
  const hottest = gpus.reduce<GpuFacts | null>(
    (best, gpu) => ((gpu.heat ?? -Infinity) > (best?.heat ?? -Infinity) ? gpu : best),
    null,
  );
  const idle = known((gpu) => gpu.busy).filter((share) => share < 0.05).length;
  const parts = [
    used === null ? "" : ofText(used, total),
    wattsText(sum(known((gpu) => gpu.power))),
    hottest ? `hottest ${hottest.label}, ${degreesText(hottest.heat)}` : "",
    idle > 0 ? `${idle} idle` : "",
  ];
  const alarmed = gpus.filter((gpu) => gpu.alarms.length > 0 && !gpu.lost);
  const count = lost > 0 ? `${gpus.length - lost} of ${gpus.length} GPUs` : `${gpus.length} GPUs`;
  return {
    count,
    lost,
    busy,
    share: shareOf(used, total),
    parts: parts.filter(Boolean),
    alarmed: alarmed
      .map((gpu) => `${gpu.label} ${gpu.alarms[0]?.word ?? ""}`)
      .slice(0, 3)
      .join(", "),
  };
}

export class Fleet {
  readonly el: HTMLElement;
  readonly #count = h("span", { class: "pulse-gpu-name" });
  readonly #value = h("span", { class: "pulse-card-value" });
  readonly #bars = new Bars(["busy", "memory"]);
  readonly #note = h("span", { class: "pulse-card-note" });
  readonly #cells = h("div", {
    class: "pulse-cells",
    role: "group",
    "aria-label": "GPUs, darker or brighter with load",
  });
  readonly #events: LegendEvents;
  #buttons: HTMLButtonElement[] = [];
  #letGo: (() => void)[] = [];
  #keys = "";
  #noted = "";

  constructor(events: LegendEvents) {
    this.#events = events;
    const head = h("div", { class: "pulse-card-head" }, this.#count, this.#note, this.#value);
    this.el = h("div", { class: "pulse-tile pulse-fleet", "data-gpu": "gpus" }, head);
    this.el.append(this.#bars.el, this.#cells);
    this.#cells.addEventListener("keydown", (event) => this.#move(event));
  }

  remove(): void {
    this.el.remove();
    this.#drop([]);
  }

  update(gpus: readonly GpuFacts[], shown: (key: string) => boolean, ground: Ground): void {
    const facts = fleetFacts(gpus);
    setText(this.#count, facts.count);
    setText(this.#value, formatValue(facts.busy, "1"));
    this.#bars.set([facts.busy, facts.share]);
    this.#write(facts);
    this.el.classList.toggle("pulse-alarmed", facts.lost > 0 || facts.alarmed !== "");
    this.#fill(gpus);
    const ramp = rampPixels(ground);
    for (const [i, gpu] of gpus.entries()) {
      const cell = this.#buttons[i] as HTMLButtonElement;
      const pixel = ramp[rampIndex(gpu.busy ?? 0, 0, 1)] as number;
      cell.style.background =
        gpu.busy === null
          ? "none"
          : `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
      setText(cell, gpu.lost ? "\u00d7" : "");
      cell.classList.toggle("pulse-alarmed", gpu.alarms.length > 0);
      setAttribute(cell, "aria-pressed", shown(gpu.key) ? "true" : "false");
      setAttribute(cell, "title", titleOf(gpu));
      const words = gpu.alarms.map(({ word }) => word);
      setAttribute(
        cell,
        "aria-label",
        [gpu.label, `busy ${formatValue(gpu.busy, "1")}`, ...words].join(", "),
      );
    }
  }

  #write({ lost, parts, alarmed }: FleetFacts): void {
    const text = JSON.stringify([lost, parts, alarmed]);
    if (text === this.#noted) return;
    this.#noted = text;
    const alarms = [lost > 0 ? `${lost} lost` : "", alarmed].filter(Boolean);
    this.#note.replaceChildren(
      ...separated([
        ...alarms.map((said) => h("b", { class: "pulse-alarm" }, `${SIGN} ${said}`)),
        ...parts.map((said) => h("span", { class: "pulse-fact" }, said)),
      ]),
    );
  }

  #fill(gpus: readonly GpuFacts[]): void {
    const keys = gpus.map(({ key }) => key).join("\n");
    if (keys === this.#keys) return;
    this.#keys = keys;
    const next: (() => void)[] = [];
    this.#buttons = gpus.map(({ key, owner }, i) => {
      const cell = h("button", {
        type: "button",
        class: "pulse-cell",
        tabindex: i === 0 ? "0" : "-1",
        "data-gpu": owner.entity,
      });
      next.push(listen(cell, key, this.#events));
      return cell;
    });
    this.#cells.replaceChildren(...this.#buttons);
    this.#drop(next);
  }

  /** Cells were taken away; `next` let go of those that are here now. */
  #drop(next: (() => void)[]): void {
    for (const letGo of this.#letGo) letGo();
    this.#letGo = next;
  }

  /** One stop for Tab; within it arrows go from cell to cell. */
  #move(event: KeyboardEvent): void {
    const at = this.#buttons.indexOf(event.target as HTMLButtonElement);
    const last = this.#buttons.length - 1;
    const steps: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: last,
    };
    const to = steps[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = this.#buttons[Math.min(Math.max(to, 0), last)] as HTMLButtonElement;
    for (const cell of this.#buttons) cell.tabIndex = cell === next ? 0 : -1;
    next.focus();
  }
}
