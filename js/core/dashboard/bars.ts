/** Shares as thin labelled bars; a dashed line where a share is not known. */

import { h, setText } from "../dom";

export class Bars {
  readonly el = h("span", { class: "pulse-bars", "aria-hidden": "true" });
  readonly #labels: HTMLElement[] = [];
  readonly #bars: HTMLElement[] = [];

  constructor(labels: readonly string[]) {
    for (const label of labels) {
      const [name, bar] = [h("span", {}, label), h("i")];
      this.#labels.push(name);
      this.#bars.push(bar);
      this.el.append(name, bar);
    }
  }

  /** `undefined` leaves a row empty: there is no such thing here. */
  set(shares: readonly (number | null | undefined)[], labels: readonly string[] = []): void {
    for (const [i, bar] of this.#bars.entries()) {
      const share = shares[i];
      const name = this.#labels[i] as HTMLElement;
      if (labels[i] !== undefined) setText(name, labels[i]);
      bar.style.visibility = name.style.visibility = share === undefined ? "hidden" : "";
      bar.classList.toggle("pulse-unknown", share === null);
      bar.style.setProperty("--share", String(Math.min(Math.max(share ?? 0, 0), 1)));
    }
  }
}
