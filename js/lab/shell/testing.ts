/** Stand-ins for what the shell meets: monitors, settings, translations. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { DisposableDelegate } from "@lumino/disposable";
import { Signal } from "@lumino/signaling";
import type { Arrival, Channel, Listener } from "../../core/history/channel";
import { LiveStore } from "../../core/history/live-store";
import { frameOf, type Row } from "../../core/testing/packets";
import type { Condition, Followed, IMonitors } from "../shared/monitors";
import type { Values } from "../shared/settings";
import { DEFAULTS, Settings } from "./settings";

const fill = (text: string, args: readonly unknown[]) =>
  args.reduce<string>((said, arg, i) => said.replaceAll(`%${i + 1}`, String(arg)), text);

/** English, filled in as JupyterLab does. */
export const TRANS = {
  __: (text: string, ...args: unknown[]) => fill(text, args),
  _n: (one: string, many: string, n: number, ...args: unknown[]) =>
    fill(n === 1 ? one : many, [n, ...args]),
} as unknown as TranslationBundle;

const NOBODY: Followed = {
  ...{ name: "train.ipynb", session: "s1", kernel: "Python 3", condition: "no kernel" },
  ...{ problem: "", remedy: "", status: null, store: null },
};

/** Monitors of which a test says how it stands with them. */
export class FakeMonitors {
  readonly changed = new Signal<IMonitors, void>(this as unknown as IMonitors);
  readonly chosen = null;
  readonly done: [string, unknown][] = [];
  followed: Followed = NOBODY;
  watchers = 0;
  /** How often somebody began to look. */
  looks = 0;
  answer: (action: string) => unknown = () => null;
  /** Why it takes no orders for now; "" where it does. */
  late = "";

  say(condition: Condition, more: Partial<Followed> = {}): void {
    this.followed = { ...this.followed, condition, ...more };
    this.changed.emit();
  }

  watch() {
    this.watchers++;
    this.looks++;
    return new DisposableDelegate(() => {
      this.watchers--;
    });
  }

  async act(action: string, options: unknown, waits?: (why: string) => void): Promise<unknown> {
    this.done.push([action, options]);
    if (this.late) waits?.(this.late);
    return this.answer(action);
  }

  get asMonitors(): IMonitors {
    return this as unknown as IMonitors;
  }
}

export function settingsOf(values: Partial<Values> = {}): Settings {
  const settings = new Settings();
  settings.values = { ...DEFAULTS, ...values };
  return settings;
}

/** A live store that hears what it is told. */
export class FakeFeed {
  #listener: Listener | null = null;
  #seq = 0;
  readonly store: LiveStore;

  constructor() {
    const channel: Channel = {
      closed: false,
      subscribe: (listener) => {
        this.#listener = listener;
        return () => undefined;
      },
      send: () => true,
    };
    this.store = new LiveStore(channel);
  }

  hear(arrival: Arrival): void {
    this.#listener?.hear(arrival);
  }

  frame(rows: readonly Row[], news: object = {}): void {
    this.hear(frameOf(++this.#seq, rows, news as never));
  }
}

/** What a series is of; its place in the list is its id. */
export type About = readonly [entity: string, metric: string];

export function seriesOf(all: readonly About[], host = "h0") {
  return all.map(([entity, metric], id) => ({
    ...{ id, host, entity, metric, unit: "", kind: "gauge", labels: {} },
  }));
}
