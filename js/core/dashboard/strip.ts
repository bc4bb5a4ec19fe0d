/** The summary strip: a few numbers that say how the machine is doing. */

import { h, setAttribute, setText } from "../dom";
import type { Figure } from "./figures";

interface Tile {
  readonly el: HTMLElement;
  readonly label: HTMLElement;
  readonly value: HTMLElement;
  readonly note: HTMLElement;
  readonly bars: HTMLElement;
}

export class Strip {
  readonly el: HTMLElement = h("div", {
    class: "pulse-strip",
    role: "list",
    "aria-label": "Summary",
  });
  readonly #tiles = new Map<string, Tile>();

  update(figures: readonly Figure[]): void {
    const keys = new Set(figures.map((figure) => figure.key));
    for (const [key, tile] of this.#tiles) {
      if (keys.has(key)) continue;
      tile.el.remove();
      this.#tiles.delete(key);
    }
    figures.forEach((figure, place) => {
      const tile = this.#tile(figure);
      if (this.el.children[place] !== tile.el) {
        this.el.insertBefore(tile.el, this.el.children[place] ?? null);
      }
      write(tile, figure);
    });
  }

  #tile({ key, name, host }: Figure): Tile {
    const known = this.#tiles.get(key);
    if (known) return known;
    const label = h("span", { class: "pulse-figure-label" });
    const value = h("span", { class: "pulse-figure-value" });
    const note = h("span", { class: "pulse-figure-note" });
    const bars = h("span", { class: "pulse-bars", "aria-hidden": "true" });
    const el = h(
      "div",
      { class: "pulse-figure", role: "listitem", "data-figure": name },
      label,
      value,
      note,
      bars,
    );
    if (host !== null) el.dataset["host"] = host;
    const tile = { el, label, value, note, bars };
    this.#tiles.set(key, tile);
    return tile;
  }
}

function write(tile: Tile, figure: Figure): void {
  setText(tile.label, figure.label);
  setText(tile.value, figure.value);
  setText(tile.note, figure.note);
  setAttribute(tile.el, "title", figure.title);
  tile.el.classList.toggle("pulse-warn", figure.warn);
  while (tile.bars.children.length > figure.bars.length) tile.bars.lastElementChild?.remove();
  figure.bars.forEach((share, i) => {
    const bar = (tile.bars.children[i] ?? tile.bars.appendChild(h("i"))) as HTMLElement;
    bar.classList.toggle("pulse-unknown", share === null);
    bar.style.setProperty("--share", String(Math.min(Math.max(share ?? 0, 0), 1)));
  });
}
