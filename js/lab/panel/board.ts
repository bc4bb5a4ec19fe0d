/** Draws the dashboard of whatever store the panel shows, while the panel is seen. */

import { mountDashboard } from "../../core/dashboard/dashboard";
import { VIEW_CLASS } from "../../core/dashboard/styles";
import { h } from "../../core/dom";
import type { LiveStore } from "../../core/history/live-store";

export interface View {
  readonly layout: "dashboard" | "strip" | "charts";
  readonly metrics: readonly string[] | null;
  readonly title: string;
}

export const WHOLE: View = { layout: "dashboard", metrics: null, title: "" };

export class Board {
  readonly el = h("div", { class: `pulse-panel-board ${VIEW_CLASS}` });
  #store: LiveStore | null = null;
  #view: View = WHOLE;
  #unmount: (() => void) | null = null;

  /** Draw `store`; null draws nothing, and keeps nothing. */
  show(store: LiveStore | null, view: View): void {
    if (store === this.#store && view === this.#view) return;
    this.clear();
    this.#store = store;
    this.#view = view;
    this.el.hidden = store === null;
    if (!store) return;
    this.#unmount = mountDashboard(this.el, store, {
      ...view,
      page: "pulse-panel",
      // The panel tells it, and has buttons that help.
      endings: false,
    });
  }

  /** What is drawn may be out of date: the kernel does not answer now. */
  grey(isOld: boolean): void {
    this.el.classList.toggle("pulse-panel-old", isOld);
  }

  clear(): void {
    this.#unmount?.();
    this.#unmount = null;
    this.#store = null;
    this.el.replaceChildren();
  }
}
