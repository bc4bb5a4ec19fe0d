/**
 * A recording in a tab that only a kernel can read. What the followed kernel records at this moment
 * is shown as it runs; of all others a replay shows what there was when it was opened.
 */

import type { TranslationBundle } from "@jupyterlab/translation";
import type { LiveStore } from "../../core/history/live-store";
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
  /** The session that is shown as it runs; null for a replay. */
  #live: LiveStore | null = null;
  #isStill = false;
  /** Counts openings: of an older one nothing is shown. */
  #turn = 0;

  constructor(el: HTMLElement, path: string, monitors: IMonitors | null, trans: TranslationBundle) {
    this.#stage = new Stage(el);
    this.#path = path;
    this.#monitors = monitors;
    this.#trans = trans;
    monitors?.changed.connect(this.#follow, this);
    void this.#open();
  }

  focus(): void {
    this.#stage.focus();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#monitors?.changed.disconnect(this.#follow, this);
    this.#leave();
    this.#stage.dispose();
  }

  #leave(): void {
    this.#live = null;
    this.#turn++;
    this.#close();
    this.#close = () => undefined;
    this.#isStill = false;
    this.#stage.notice("still", null);
  }

  /** What the followed kernel records here; null where that is something else. */
  #running(): LiveStore | null {
    const { status, store } = this.#monitors?.followed ?? {};
    const isHere = status?.session?.running === true && status.session.path === this.#path;
    return isHere ? (store ?? null) : null;
  }

  /** Another kernel is followed, or the session has ended: the recording has what came of it. */
  #follow(): void {
    const live = this.#live;
    if (!live || live === this.#running()) return;
    const isOver = this.#monitors?.followed.store === live;
    // What has ended stays as it is.
    if (!isOver) void this.#open();
  }

  async #open(): Promise<void> {
    this.#leave();
    const running = this.#running();
    if (running) this.#showLive(running);
    else await this.#replay(this.#turn);
  }

  #showLive(store: LiveStore): void {
    const watch = this.#monitors?.watch();
    const leave = store.attach();
    this.#live = store;
    this.#close = () => {
      leave();
      watch?.dispose();
    };
    this.#stage.draw(store, this.#path);
  }

  async #replay(turn: number): Promise<void> {
    const trans = this.#trans;
    const sentence = trans.__("Waiting for the kernel to open %1", this.#path);
    const say = (remedy: string) => {
      if (turn === this.#turn) this.#stage.say({ sentence, remedy, working: true });
    };
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
      if (this.#isDisposed || turn !== this.#turn) {
        dispose();
        return;
      }
      clearTimeout(waits);
      const forget = store.subscribe(() => this.#tellStill(store));
      const leave = store.attach();
      this.#close = () => {
        forget();
        leave();
        dispose();
      };
      this.#stage.draw(store, this.#path);
      this.#tellStill(store);
    } catch (problem) {
      clearTimeout(waits);
      if (!this.#isDisposed && turn === this.#turn) this.#sayTrouble(problem);
    } finally {
      clearTimeout(waits);
    }
  }

  /** A session that was running when this was read has gone on since. */
  #tellStill(store: LiveStore): void {
    const isStill = (store.state().as_of ?? null) !== null;
    if (isStill === this.#isStill) return;
    this.#isStill = isStill;
    const trans = this.#trans;
    const told = {
      sentence: trans.__("This session was running when it was read; it does not run on here."),
      working: true,
      buttons: [{ label: trans.__("Reload"), run: () => void this.#open() }],
    };
    this.#stage.notice("still", isStill ? told : null);
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
