// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import type { Followed } from "../shared/monitors";
import type { Filed } from "./host";
import { CONDITIONS, FILED, LINE, RUNNING, settled, shown, store, unfolded } from "./testing";

vi.mock("../../core/dashboard/dashboard", () => ({
  mountDashboard: (el: HTMLElement) => {
    el.append("DRAWN");
    return () => el.replaceChildren();
  },
}));

afterEach(() => {
  document.body.replaceChildren();
});

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
