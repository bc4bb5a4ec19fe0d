/** What users may set; `js/lab/schema/plugin.json` describes it to them. */

import { Token } from "@lumino/coreutils";
import type { ISignal } from "@lumino/signaling";

export const SHOWS = ["gpus", "both", "machine"] as const;
export type Shows = (typeof SHOWS)[number];

export interface Values {
  readonly statusLine: boolean;
  readonly statusShows: Shows;
  readonly cellMarks: boolean;
  /** Seconds between readings of a monitor that is started by a button or a command. */
  readonly interval: number;
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
