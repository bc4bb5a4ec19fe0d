/** The settings as they are stored, and the defaults. */

import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import { type ISignal, Signal } from "@lumino/signaling";
import { type ISettings, SHOWS, type Values } from "../shared/settings";

/** The plugin whose schema holds the settings. */
export const SETTINGS_ID = "pulse-widgets:plugin";

export const DEFAULTS: Values = {
  statusLine: true,
  statusShows: "gpus",
  cellMarks: false,
  interval: 1,
};

/** What is set; the default where it is not, or not as the schema asks for. */
export function readValues(stored: Readonly<Record<string, unknown>>): Values {
  const { statusLine, statusShows, cellMarks, interval } = stored;
  const isInterval = typeof interval === "number" && interval >= 0.1 && interval <= 3600;
  return {
    statusLine: typeof statusLine === "boolean" ? statusLine : DEFAULTS.statusLine,
    statusShows: SHOWS.find((one) => one === statusShows) ?? DEFAULTS.statusShows,
    cellMarks: typeof cellMarks === "boolean" ? cellMarks : DEFAULTS.cellMarks,
    interval: isInterval ? interval : DEFAULTS.interval,
  };
}

/** The defaults until the registry has answered; where there is none, a change lasts for the page. */
export class Settings implements ISettings {
  readonly #changed = new Signal<this, void>(this);
  #stored: ISettingRegistry.ISettings | null = null;
  values = DEFAULTS;

  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  /** From now on they are what is stored. */
  follow(stored: ISettingRegistry.ISettings): void {
    this.#stored = stored;
    const read = () => this.#take(readValues(stored.composite as Record<string, unknown>));
    stored.changed.connect(read);
    read();
  }

  async set<Name extends keyof Values>(name: Name, value: Values[Name]): Promise<void> {
    if (this.#stored) await this.#stored.set(name, value);
    else this.#take({ ...this.values, [name]: value });
  }

  #take(values: Values): void {
    this.values = values;
    this.#changed.emit();
  }
}
