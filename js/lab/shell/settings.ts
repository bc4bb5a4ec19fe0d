/** What users may set; `js/lab/schema/plugin.json` describes it to them. */

import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import { Token } from "@lumino/coreutils";
import { type ISignal, Signal } from "@lumino/signaling";

/** The plugin whose schema holds the settings. */
export const SETTINGS_ID = "pulse-widgets:plugin";

export const SHOWS = ["gpus", "both", "machine"] as const;
export type Shows = (typeof SHOWS)[number];

export interface Values {
  readonly statusLine: boolean;
  readonly statusShows: Shows;
  readonly cellMarks: boolean;
  /** Seconds between readings of a monitor that a command starts. */
  readonly interval: number;
}

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

export interface ISettings {
  readonly values: Values;
  readonly changed: ISignal<ISettings, void>;
  set<Name extends keyof Values>(name: Name, value: Values[Name]): Promise<void>;
}

export const ISettings = new Token<ISettings>(
  "pulse-widgets:ISettings",
  "What users have set for Pulse.",
);

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
