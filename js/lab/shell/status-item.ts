/** The status line as a button in JupyterLab's status bar. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { type ISignal, Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";
import { SIGN } from "../../core/charts/marks";
import { Readings } from "../../core/dashboard/readings";
import { h, setAttribute, setText } from "../../core/dom";
import type { LiveStore } from "../../core/history/live-store";
import { pulseIcon } from "../shared/icon";
import type { IMonitors } from "../shared/monitors";
import type { ISettings } from "../shared/settings";
import { type Line, statusLine } from "./status-line";
import { Watch } from "./watch";

/** Between two changes of the line. */
const PAUSE_MS = 1000;

export class StatusItem extends Widget {
  readonly #monitors: IMonitors;
  readonly #settings: ISettings;
  readonly #trans: TranslationBundle;
  readonly #activeChanged = new Signal<this, void>(this);
  readonly #watch: Watch;
  readonly #alarm = h("b", { class: "pulse-shell-alarm" });
  readonly #text = h("span");
  readonly #button = h("button", { type: "button", class: "pulse-shell-status" });
  #line: Line | null = null;
  #store: LiveStore | null = null;
  #unsubscribe: () => void = () => undefined;
  /** What is known by it changes with the series of the store. */
  #readings: Readings | null = null;
  #newest = Number.NaN;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #drawn = Number.NEGATIVE_INFINITY;

  constructor(
    monitors: IMonitors,
    settings: ISettings,
    trans: TranslationBundle,
    open: () => void,
  ) {
    super();
    this.#monitors = monitors;
    this.#settings = settings;
    this.#trans = trans;
    this.#watch = new Watch(monitors, () => this.#isWanted);
    pulseIcon.element({ container: this.#button.appendChild(h("span")), stylesheet: "statusBar" });
    this.#button.append(this.#alarm, this.#text);
    this.#button.addEventListener("click", open);
    this.node.append(this.#button);
    monitors.changed.connect(this.#refresh, this);
    settings.changed.connect(this.#refresh, this);
    document.addEventListener("visibilitychange", this.#onVisibility);
    this.#refresh();
  }

  /** Whether there is a line to show. */
  get isActive(): boolean {
    return this.#line !== null;
  }

  get activeChanged(): ISignal<this, void> {
    return this.#activeChanged;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#monitors.changed.disconnect(this.#refresh, this);
    this.#settings.changed.disconnect(this.#refresh, this);
    document.removeEventListener("visibilitychange", this.#onVisibility);
    clearTimeout(this.#timer);
    this.#unsubscribe();
    this.#watch.dispose();
    super.dispose();
  }

  get #isWanted(): boolean {
    return this.#settings.values.statusLine && document.visibilityState !== "hidden";
  }

  readonly #onVisibility = () => this.#refresh();

  /** Something else than a reading has changed. */
  #refresh(): void {
    this.#watch.update();
    this.#follow(this.#isWanted ? this.#monitors.followed.store : null);
    this.#draw();
  }

  #follow(store: LiveStore | null): void {
    if (store === this.#store) return;
    this.#unsubscribe();
    this.#store = store;
    this.#readings = null;
    this.#newest = Date.now();
    this.#unsubscribe =
      store?.subscribe((change) => {
        if (change.series || change.entities) this.#readings = null;
        if (change.samples) this.#newest = Date.now();
        this.#schedule();
      }) ?? (() => undefined);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#draw(), this.#drawn + PAUSE_MS - Date.now());
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drawn = Date.now();
    const line = this.#isWanted ? this.#currentLine() : null;
    if (line === null && this.#isWanted && this.#watch.isWaiting) return;
    const was = this.isActive;
    this.#line = line;
    if (line) this.#write(line);
    if (this.isActive !== was) this.#activeChanged.emit();
    // Silence tells of itself only if somebody looks at the clock.
    if (line && this.#monitors.followed.condition === "running") this.#schedule();
  }

  #currentLine(): Line | null {
    const store = this.#store;
    if (store) this.#readings ??= new Readings(store);
    const how = {
      shows: this.#settings.values.statusShows,
      silent: (Date.now() - this.#newest) / 1000,
    };
    return statusLine(this.#monitors.followed, store && this.#readings, how, this.#trans);
  }

  #write({ text, alarm, details }: Line): void {
    setText(this.#alarm, alarm === "" ? "" : `${SIGN} ${alarm}`);
    setText(this.#text, text);
    const open = this.#trans.__("Click to open the Pulse panel");
    setAttribute(this.#button, "title", [alarm, ...details, open].filter(Boolean).join("\n"));
  }
}
