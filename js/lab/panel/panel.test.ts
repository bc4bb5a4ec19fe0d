// @vitest-environment happy-dom
import { nullTranslator } from "@jupyterlab/translation";
import { Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";
import { afterEach, expect, test, vi } from "vitest";
import { LiveStore } from "../../core/history/live-store";
import { keyframeOf, recorded } from "../../core/testing/packets";
import { ActionError, type Condition, type Followed, type IMonitors } from "../shared/monitors";
import type { LinkStatus, Listed } from "../shared/protocol";
import type { ISettings } from "../shared/settings";
import type { Filed, Host } from "./host";
import { PulsePanel } from "./panel";

vi.mock("../../core/dashboard/dashboard", () => ({
  mountDashboard: (el: HTMLElement) => {
    el.append("DRAWN");
    return () => el.replaceChildren();
  },
}));

const words = nullTranslator.load("pulse_widgets");
const LINE: Listed = {
  ...{ name: "a", path: "/root/runs/a.pulse.parquet", start: 1e9, seconds: 90, bytes: 2048 },
  ...{ series: 3, rows: 100, state: "finished", title: "", problem: "" },
};
const FILED: Filed = {
  name: "b.pulse",
  path: "b.pulse",
  changed: 1e9,
  bytes: null,
  isFolder: true,
};

class FakeMonitors {
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

function shown(host: Partial<Host> = {}, settings: object | null = null) {
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

function isSeen(el: Element): boolean {
  return el.closest("[hidden]") === null;
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

const store = () =>
  new LiveStore(recorded([keyframeOf(0, [0, 1], [], { state: { phase: "running", t0: 0 } })]));
const RUNNING: Pick<Followed, "condition" | "status"> = {
  condition: "running",
  status: {
    ...{ kind: "status", version: 1, package: "1", disabled: false },
    session: { running: true, title: "", t0: 0, path: null, feed: null },
  },
};

afterEach(() => {
  document.body.replaceChildren();
});

const CONDITIONS: readonly Condition[] = [
  ...(["no kernel", "foreign", "starting", "busy", "absent", "mismatch", "unasked"] as const),
  ...(["idle", "running", "ended", "dead", "failed"] as const),
];
const CASES = CONDITIONS.flatMap((condition) =>
  [true, false].map((has) => [condition, has] as const),
);

test.each(CASES)("%s, with a history: %s: the panel is never blank", (condition, has) => {
  const { monitors, text } = shown();

  monitors.turn({ condition, store: has ? store() : null, problem: "Because.", remedy: "So." });

  const said = text("state");
  expect(said.length > 10 || (condition === "running" && has)).toBe(true);
  expect(text("board")).toBe(has ? "DRAWN" : "");
});

test("where there is nothing to say no room is left for it", () => {
  const { monitors, panel } = shown();
  const state = panel.node.querySelector(".pulse-panel-state") as HTMLElement;
  const turn = () => monitors.turn({ ...RUNNING, store: store() });

  turn();
  turn();
  expect([state.hidden, state.childElementCount]).toEqual([true, 0]);
  monitors.turn({ condition: "dead" });
  monitors.turn({ condition: "dead" });

  expect([state.hidden, state.childElementCount > 0]).toEqual([false, true]);
});

test("a kernel is asked only while the panel is seen", () => {
  const { monitors, panel } = shown();
  expect(monitors.looking).toBe(1);

  panel.hide();
  expect(monitors.looking).toBe(0);
  panel.show();
  expect(monitors.looking).toBe(1);
  panel.dispose();

  expect(monitors.looking).toBe(0);
});

test("what was shown is drawn again when the panel is", () => {
  const { monitors, panel, text } = shown();
  monitors.turn({ ...RUNNING, store: store() });

  panel.hide();
  expect(text("board")).toBe("");
  panel.show();

  expect(text("board")).toBe("DRAWN");
});

test("buttons are those of the condition, and do what they say", async () => {
  const { monitors, buttons, click } = shown();
  const names = () => buttons().map(({ textContent }) => textContent);
  expect(names()).toContain("Start a monitor");
  await click("Start a monitor");

  monitors.turn({ ...RUNNING, store: store() });
  expect(names().slice(0, 3)).toEqual(["Stop", "Mark", "Save"]);
  await click("Stop");
  monitors.turn({ condition: "absent", problem: "Absent.", remedy: "%pip install pulse_widgets" });
  await click("Install");
  monitors.turn({ condition: "unloaded", problem: "A cell is running.", remedy: "" });
  await click("Load it now");

  expect(monitors.done.mock.calls.map(([action]) => action)).toEqual(["start", "stop"]);
  expect(monitors.help.mock.calls).toEqual([["install"], ["load"]]);
});

test("an installation that failed says so once, and the offer keeps the keyboard", async () => {
  const { monitors, text, buttons } = shown();
  const absent = { problem: "Absent.", remedy: "%pip install pulse_widgets" };
  monitors.turn({ condition: "absent", ...absent });
  const install = () => buttons().find(({ textContent }) => textContent === "Install");
  let end: () => void = () => undefined;
  monitors.help.mockImplementation(
    () => new Promise((resolve) => (end = () => resolve(undefined))),
  );

  install()?.focus();
  install()?.click();
  // While it goes on the kernel is as it was.
  monitors.turn({});
  expect(text("note")).toMatch(/Installing/);
  end();
  monitors.turn({ condition: "starting", problem: "", remedy: "" });
  await settled();
  monitors.turn({ condition: "absent", ...absent });
  expect(text("note")).toBe("The installation failed; its cell says why.");
  expect(document.activeElement).toBe(install());

  install()?.click();
  end();
  monitors.turn({ condition: "starting", problem: "", remedy: "" });
  await settled();
  monitors.turn({ condition: "idle" });
  expect(text("note")).toBe("");
});

const OLD: readonly [Condition, boolean][] = [
  ...(["starting", "busy", "failed"] as const).map((one) => [one, true] as [Condition, boolean]),
  ...(["running", "ended", "idle"] as const).map((one) => [one, false] as [Condition, boolean]),
];

test.each(OLD)("%s: whether what is drawn is grey, as it may be old: %s", (condition, isOld) => {
  const { monitors, panel } = shown();
  const isGrey = () => panel.node.querySelector(".pulse-panel-old") !== null;
  const drawn = store();
  monitors.turn({ ...RUNNING, store: drawn });
  expect(isGrey()).toBe(false);

  monitors.turn({ condition });
  expect(isGrey()).toBe(isOld);
  drawn.end("died");
  monitors.turn({ condition });

  expect(isGrey()).toBe(false);
});

test("after Stop all is said once, with one way to open it", async () => {
  const { monitors, host, buttons, click, text } = shown();
  monitors.turn({ ...RUNNING, store: store() });
  await click("Stop");
  const session = { running: false, title: "", t0: 0, path: "/root/a.pulse.parquet", feed: null };
  monitors.turn({ condition: "ended", status: { ...(RUNNING.status as LinkStatus), session } });

  expect(text("note")).toBe("");
  expect(text("state")).toMatch(/stopped.*Its recording: a\.pulse\.parquet/);
  expect(buttons().filter(({ textContent }) => /^Open/.test(textContent ?? "")).length).toBe(1);
  await click("Open the recording");
  await click("Show in file browser");
  expect(host.open).toHaveBeenCalledWith({ file: "a.pulse.parquet" });
  expect(host.show).toHaveBeenCalledWith("a.pulse.parquet");
});

test("a chosen kernel that is gone leads back to the active notebook", async () => {
  const { monitors, click } = shown();
  monitors.choose("t");
  monitors.turn({ condition: "no kernel", problem: "The kernel of b was shut down." });

  await click("Follow the active notebook");

  expect(monitors.chosen).toBeNull();
});

test("the list of kernels is read again when there are others, while it is seen", async () => {
  const { monitors, panel } = shown();
  await settled();
  const read = vi.spyOn(monitors, "choices");

  monitors.choicesChanged.emit();
  panel.hide();
  monitors.choicesChanged.emit();

  expect(read).toHaveBeenCalledOnce();
});

test("the keyboard goes on where a button was that is gone", async () => {
  const { monitors, panel, buttons } = shown();
  const name = () => document.activeElement?.textContent;
  buttons()
    .find(({ textContent }) => textContent === "Start a monitor")
    ?.focus();

  monitors.turn({ ...RUNNING, store: store() });
  expect(name()).toBe("Stop");
  monitors.turn({ condition: "starting", status: null });
  expect(panel.node.querySelector("select")).toBe(document.activeElement);
  (document.activeElement as HTMLElement).blur();
  monitors.turn({ ...RUNNING, store: store() });

  expect(panel.node.contains(document.activeElement)).toBe(false);
});

test("a mark is asked for in place; nothing typed and Escape mark nothing", async () => {
  const { monitors, panel, click, type, text } = shown();
  monitors.turn({ ...RUNNING, store: store() });

  await click("Mark");
  await type("  epoch 1 ");
  expect(text("note")).toBe("Marked: epoch 1");
  await click("Mark");
  await type(" ");
  await click("Mark");
  const pressed = new KeyboardEvent("keydown", { key: "Escape", bubbles: true });
  panel.node.querySelector("input")?.dispatchEvent(pressed);
  await settled();

  expect(monitors.done.mock.calls).toEqual([["mark", { label: "epoch 1" }]]);
  expect(panel.node.querySelector("form")?.hidden).toBe(true);
});

test("what was saved can be opened, wherever it lies", async () => {
  const { monitors, host, click, type, text } = shown();
  monitors.turn({ ...RUNNING, store: store() });

  await click("Save");
  await type("x.pulse.parquet");
  expect(text("note")).toMatch(/^Saved, 99 B: x.pulse.parquet/);
  await click("Open");

  const where = { path: "/work/x.pulse.parquet", title: "x.pulse.parquet" };
  expect(host.open).toHaveBeenCalledWith(where);
});

test("what failed is said with its remedy", async () => {
  const { monitors, click, text } = shown();
  monitors.done.mockRejectedValue(new ActionError("The disk is full.", "Make room."));

  await click("Start a monitor");

  expect(text("note")).toBe("The disk is full. Make room.");
});

async function unfolded(...of: Parameters<typeof shown>) {
  const made = shown(...of);
  const details = made.panel.node.querySelector("details") as HTMLDetailsElement;
  details.open = true;
  details.dispatchEvent(new Event("toggle"));
  await settled();
  return made;
}

test("the kernel's recordings can be opened, shown, renamed and deleted", async () => {
  const { monitors, host, click, type, text } = await unfolded();
  expect(text("list")).toMatch(/a\.pulse\.parquet.*1 min 30 s · 2 KiB · finished/);

  await click("Open a.pulse.parquet");
  expect(host.open).toHaveBeenCalledWith({ file: "runs/a.pulse.parquet" });
  await click("Show a.pulse.parquet in the file browser");
  expect(host.show).toHaveBeenCalledWith("runs/a.pulse.parquet");
  await click("Rename a.pulse.parquet");
  await type("first run");
  await click("Delete a.pulse.parquet");

  const path = LINE.path;
  const acts = monitors.done.mock.calls.filter(([action]) => action !== "recordings");
  expect(acts).toEqual([
    ["rename", { path, name: "first run.pulse.parquet" }],
    ["delete", { path }],
  ]);
  expect(host.confirm).toHaveBeenCalledOnce();
});

test("nothing is deleted without a yes, and nothing that is being written", async () => {
  const { monitors, buttons, click } = await unfolded({ confirm: async () => false });
  await click("Delete a.pulse.parquet");
  expect(monitors.done.mock.calls.some(([action]) => action === "delete")).toBe(false);

  monitors.recordings = [{ ...LINE, state: "running" }];
  await click("Read the list again");

  const names = buttons().map((one) => one.getAttribute("aria-label"));
  expect(names.filter((name) => /Delete|Rename/.test(name ?? ""))).toEqual([]);
});

const FILE: Filed = { ...FILED, name: "c.pulse.parquet", path: "c.pulse.parquet", isFolder: false };

test("without a kernel they are those of the folder that the file browser shows", async () => {
  const { monitors, host, click, type, text } = await unfolded({ list: async () => [FILED, FILE] });

  monitors.turn({ condition: "no kernel" });
  await settled();
  expect(text("list")).toMatch(/b\.pulse.*still written, or left by a crash/);
  await click("Rename c.pulse.parquet");
  await type("first run");
  await click("Delete c.pulse.parquet");

  expect(host.rename).toHaveBeenCalledWith("c.pulse.parquet", "first run.pulse.parquet");
  expect(host.remove).toHaveBeenCalledWith("c.pulse.parquet");
});

/** What no kernel speaks for, which may be written by any. */
const UNKNOWN = CONDITIONS.filter((one) => !["idle", "running", "ended"].includes(one));

test.each(UNKNOWN)("%s: a directory, which may be written, is only opened", async (condition) => {
  const { monitors, buttons } = await unfolded({ list: async () => [FILED, FILE] });

  monitors.turn({ condition });
  await settled();

  const names = buttons().map((one) => one.getAttribute("aria-label") ?? "");
  expect(names.filter((name) => name.includes("b.pulse")).sort()).toEqual([
    "Open b.pulse",
    "Show b.pulse in the file browser",
  ]);
  expect(names.filter((name) => name.includes("c.pulse"))).toHaveLength(4);
});

test.each(["../b", "a/b", "a\\b", ".b", "..", "/b", "\u0007b"])(
  "a file is not renamed to %j, and that is said",
  async (name) => {
    const { monitors, host, click, type, text } = await unfolded({ list: async () => [FILE] });
    monitors.turn({ condition: "no kernel" });
    await settled();

    await click("Rename c.pulse.parquet");
    await type(name);

    expect(host.rename).not.toHaveBeenCalled();
    expect(text("list")).toMatch(/cannot be called .* plain name/);
  },
);

test.each([
  ["it starts", {}, RUNNING],
  ["it ends", RUNNING, { ...RUNNING, condition: "ended" } as const],
] as const)("the list is read again when a session is another: %s", async (_, before, after) => {
  const { monitors } = await unfolded();
  const turn = async (followed: Partial<Followed>, running: boolean) => {
    const { status } = RUNNING;
    const session = status?.session ? { ...status.session, running } : null;
    const known = followed.status && status ? { ...status, session } : null;
    monitors.turn({ ...followed, status: known });
    await settled();
  };
  await turn(before, true);
  const reads = () => monitors.done.mock.calls.filter(([action]) => action === "recordings").length;
  const count = reads();

  await turn(after, after.condition !== "ended");
  expect(reads()).toBe(count + 1);
  await turn(after, after.condition !== "ended");

  expect(reads()).toBe(count + 1);
});

test.each([
  ["nothing is set", null, {}],
  ["an interval is set", { values: { interval: 5 } }, { interval: 5 }],
])("a monitor is started as users want it: %s", async (_, settings, options) => {
  const { monitors, click } = shown({}, settings);

  await click("Start a monitor");

  expect(monitors.done.mock.calls).toEqual([["start", options]]);
});

type Made = Awaited<ReturnType<typeof unfolded>>;
const LATE: readonly [string, boolean, (made: Made) => Promise<void>, RegExp, string][] = [
  ["Start", false, ({ click }) => click("Start a monitor"), /^Starting a monitor… A cell/, "note"],
  ["Stop", true, ({ click }) => click("Stop"), /^Stopping… A cell/, "note"],
  [
    ...(["Mark", true] as const),
    async ({ click, type }) => {
      await click("Mark");
      await type("x");
    },
    ...([/^Marking… A cell/, "note"] as const),
  ],
  [
    ...(["Save", true] as const),
    async ({ click, type }) => {
      await click("Save");
      await type("x");
    },
    ...([/^Saving… A cell/, "note"] as const),
  ],
  [
    ...(["Rename", false] as const),
    async ({ click, type }) => {
      await click("Rename a.pulse.parquet");
      await type("x");
    },
    ...([/Renaming… A cell/, "list"] as const),
  ],
  ["Delete", false, ({ click }) => click("Delete a.pulse.parquet"), /^Deleting… A cell/, "note"],
  ["the list", false, ({ click }) => click("Read the list again"), /^A cell/, "list"],
];

test.each(LATE)("%s says why it waits, and goes on", async (_, runs, act, said, part) => {
  const made = await unfolded();
  if (runs) made.monitors.turn({ ...RUNNING, store: store() });
  await settled();
  let goOn: () => void = () => undefined;
  const until = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  made.monitors.late = { why: "A cell is running.", until };

  await act(made);
  expect(made.text(part)).toMatch(said);
  made.monitors.late = null;
  goOn();
  await settled();

  expect(made.text(part)).not.toMatch(/A cell/);
});

test("a list that cannot be read says why, and a long one is cut", async () => {
  const { monitors, click, text } = await unfolded();
  monitors.recordings = Array.from({ length: 150 }, (_, i) => ({ ...LINE, path: `/r/${i}.pulse` }));
  await click("Read the list again");
  expect(text("list")).toMatch(/50 more are not listed/);

  monitors.done.mockRejectedValue(new Error("no disk"));
  await click("Read the list again");

  expect(text("list")).toMatch(/cannot be read: no disk/);
});
