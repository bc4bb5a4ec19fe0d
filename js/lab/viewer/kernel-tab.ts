/** A recording in a tab that only a kernel can read. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { ActionError, type IMonitors } from "../shared/monitors";
import { replayLine } from "./names";
import { Stage } from "./stage";

const PATIENCE_MS = 1000;

export class KernelTab {
  readonly #stage: Stage;
  readonly #path: string;
  readonly #monitors: IMonitors | null;
  readonly #trans: TranslationBundle;
  #close: () => void = () => undefined;
  #isDisposed = false;

  constructor(el: HTMLElement, path: string, monitors: IMonitors | null, trans: TranslationBundle) {
    this.#stage = new Stage(el);
    this.#path = path;
    this.#monitors = monitors;
    this.#trans = trans;
    void this.#open();
  }

  focus(): void {
    this.#stage.focus();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#close();
    this.#stage.dispose();
  }

  async #open(): Promise<void> {
    const trans = this.#trans;
    const sentence = trans.__("Waiting for the kernel to open %1", this.#path);
    const say = (remedy: string) => this.#stage.say({ sentence, remedy, working: true });
    let why = "";
    const waits = setTimeout(() => say(why), PATIENCE_MS);
    try {
      if (!this.#monitors) {
        const remedy = trans.__(
          "Enable the plugin pulse-widgets:monitors, or run this in a notebook:",
        );
        throw new ActionError(trans.__("No kernel can be asked for %1.", this.#path), remedy);
      }
      const { store, dispose } = await this.#monitors.replay(this.#path, (told) => {
        why = told;
        if (!this.#isDisposed) say(why);
      });
      if (this.#isDisposed) {
        dispose();
        return;
      }
      clearTimeout(waits);
      const leave = store.attach();
      this.#close = () => {
        leave();
        dispose();
      };
      this.#stage.draw(store, this.#path);
    } catch (problem) {
      clearTimeout(waits);
      if (!this.#isDisposed) this.#sayTrouble(problem);
    } finally {
      clearTimeout(waits);
    }
  }

  #sayTrouble(problem: unknown): void {
    const trans = this.#trans;
    this.#stage.say({
      sentence: problem instanceof Error ? problem.message : String(problem),
      remedy: problem instanceof ActionError ? problem.remedy : "",
      line: replayLine(this.#path),
      buttons: [{ label: trans.__("Try again"), run: () => void this.#open() }],
    });
  }
}
