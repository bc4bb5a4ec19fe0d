/** One key that goes into the panel, and out of it. */

import type { ILabShell, JupyterFrontEnd } from "@jupyterlab/application";
import type { Widget } from "@lumino/widgets";

/** What the shells of JupyterLab and Notebook have of an `ILabShell`. */
export type Shell = JupyterFrontEnd.IShell &
  Partial<Pick<ILabShell, "collapseLeft" | "collapseRight">>;

export interface Ways {
  reveal(): void;
  /** Go into it with the keyboard. */
  enter(): void;
}

export class Toggle {
  readonly #shell: Shell;
  readonly #panel: Widget;
  readonly #ways: Ways;
  /** Where the keyboard was before. */
  #before: Element | null = null;

  constructor(shell: Shell, panel: Widget, ways: Ways) {
    this.#shell = shell;
    this.#panel = panel;
    this.#ways = ways;
  }

  /** Go into the panel; close it, if the keyboard is there. */
  press(): void {
    const now = document.activeElement;
    if (this.#panel.isVisible && this.#panel.node.contains(now)) this.#close();
    else {
      this.#before = now;
      this.#ways.reveal();
      this.#ways.enter();
    }
  }

  #close(): void {
    const isLeft = [...this.#shell.widgets("left")].includes(this.#panel);
    if (isLeft) this.#shell.collapseLeft?.();
    else this.#shell.collapseRight?.();
    const before = this.#before;
    if (before instanceof HTMLElement && before.isConnected) before.focus();
    else this.#shell.currentWidget?.activate();
  }
}
