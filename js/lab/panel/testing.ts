/** What the tests of the panel share: a service of monitors that is led by hand, and a panel. */

import { nullTranslator } from "@jupyterlab/translation";
import { Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";
import { vi } from "vitest";
import { LiveStore } from "../../core/history/live-store";
import { keyframeOf, recorded } from "../../core/testing/packets";
import type { Condition, Followed, IMonitors } from "../shared/monitors";
import type { Listed } from "../shared/protocol";
import type { ISettings } from "../shared/settings";
import type { Filed, Host } from "./host";
import { PulsePanel } from "./panel";

export const words = nullTranslator.load("pulse_widgets");
export const LINE: Listed = {
  ...{ name: "a", path: "/root/runs/a.pulse.parquet", start: 1e9, seconds: 90, bytes: 2048 },
  ...{ series: 3, rows: 100, state: "finished", title: "", problem: "" },
};
export const FILED: Filed = {
  name: "b.pulse",
  path: "b.pulse",
  changed: 1e9,
  bytes: null,
  isFolder: true,
};

export class FakeMonitors {
  readonly changed: Signal<unknown, void> = new Signal<unknown, void>(this);
  readonly choicesChanged: Signal<unknown, void> = new Signal<unknown, void>(this);
  chosen: string | null = null;
  looking = 0;
  recordings: readonly Listed[] = [LINE];
  followed: Followed = {
    ...{ name: "train.ipynb", session: "s", kernel: "Python 3", condition: "idle" },
    ...{ problem: "", remedy: "", status: null, store: null },
  };
  /** Why it takes no orders for now, and what lets it take them; null where it does. */
  late: { why: string; until: Promise<void> } | null = null;
  readonly done = vi.fn(async (action: string, options: unknown): Promise<unknown> => {
    if (action === "recordings") return { recordings: this.recordings };
    if (action === "save")
      return { path: `/work/${(options as { path: string }).path}`, bytes: 99 };
    return action === "stop" ? { path: null } : null;
  });

  async act(action: string, options: unknown, waits?: (why: string) => void): Promise<unknown> {
    if (this.late) waits?.(this.late.why);
    await this.late?.until;
    return this.done(action, options);
  }

  readonly help = vi.fn(async () => undefined);

  async askChoices(): Promise<void> {}

  async choices(): Promise<readonly object[]> {
    return [{ session: "t", name: "other.ipynb", kernel: "Python 3", running: true }];
  }

  choose(session: string | null): void {
    this.chosen = session;
    this.changed.emit();
  }

  watch(): { dispose(): void } {
    this.looking++;
    return { dispose: () => void this.looking-- };
  }

  turn(followed: Partial<Followed>): void {
    this.followed = { ...this.followed, ...followed };
    this.changed.emit();
  }
}

export function shown(host: Partial<Host> = {}, settings: object | null = null) {
  const monitors = new FakeMonitors();
  const own = {
    ...{ root: "/root", open: vi.fn(), show: vi.fn(), launcher: vi.fn(), icon: () => null },
    ...{ confirm: vi.fn(async () => true), list: async () => [FILED], rename: vi.fn() },
    ...{ remove: vi.fn(), copy: vi.fn() },
    ...host,
  } as unknown as Host;
  const options = {
    ...{ monitors: monitors as unknown as IMonitors, host: own, trans: words },
    settings: settings as ISettings | null,
  };
  const panel = new PulsePanel({ ...options, reveal: () => undefined });
  Widget.attach(panel, document.body);
  const buttons = () => [...panel.node.querySelectorAll("button")].filter((one) => isSeen(one));
  const click = (name: string) => {
    const named = (one: Element) => one.getAttribute("aria-label") ?? one.textContent;
    const found = buttons().find((one) => named(one) === name);
    if (!found) throw new Error(`no ${name} in ${buttons().map(named)}`);
    found.click();
    return settled();
  };
  const type = (text: string) => {
    const inputs = [...panel.node.querySelectorAll("input")];
    const input = inputs.find((one) => isSeen(one)) as HTMLInputElement;
    input.value = text;
    input.form?.dispatchEvent(new Event("submit", { cancelable: true, bubbles: true }));
    return settled();
  };
  const text = (part: string) =>
    panel.node.querySelector(`.pulse-panel-${part}`)?.textContent ?? "";
  return { monitors, host: own, panel, buttons, click, type, text };
}

export function isSeen(el: Element): boolean {
  return el.closest("[hidden]") === null;
}

export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

export const store = () =>
  new LiveStore(recorded([keyframeOf(0, [0, 1], [], { state: { phase: "running", t0: 0 } })]));
export const RUNNING: Pick<Followed, "condition" | "status"> = {
  condition: "running",
  status: {
    ...{ kind: "status", version: 1, package: "1", disabled: false },
    session: { running: true, title: "", t0: 0, path: null, feed: null },
  },
};

export const CONDITIONS: readonly Condition[] = [
  ...(["no kernel", "foreign", "starting", "busy", "absent", "mismatch", "unasked"] as const),
  ...(["idle", "running", "ended", "dead", "failed"] as const),
];

export async function unfolded(...of: Parameters<typeof shown>) {
  const made = shown(...of);
  const details = made.panel.node.querySelector("details") as HTMLDetailsElement;
  details.open = true;
  details.dispatchEvent(new Event("toggle"));
  await settled();
  return made;
}
