import { beforeEach, expect, test, vi } from "vitest";
import { ActionError } from "../shared/monitors";
import { COMMANDS, type Name } from "./commands";
import { type Around, registerCommands } from "./register";
import { FakeMonitors, settingsOf, TRANS } from "./testing";

/** What users see of it all. */
const seen: unknown[] = [];
const asked = {
  text: null as string | null,
  /** What is answered first, one after the other. */
  texts: [] as (string | null)[],
  files: [] as object[],
};

vi.mock("@jupyterlab/apputils", () => ({
  InputDialog: {
    getText: async ({ text, label }: { text?: string; label?: string }) => {
      seen.push(["asked", text ?? "", ...(asked.texts.length > 0 ? [label] : [])]);
      const value = asked.texts.length > 0 ? (asked.texts.shift() ?? null) : asked.text;
      return { button: { accept: value !== null }, value };
    },
  },
}));
vi.mock("@jupyterlab/filebrowser", () => ({
  FileDialog: { getOpenFiles: async () => ({ button: { accept: true }, value: asked.files }) },
}));
vi.mock("@jupyterlab/coreutils", () => ({ PageConfig: { getOption: () => "~/work" } }));
vi.mock("../shared/icon", () => ({ pulseIcon: {} }));
vi.mock("./messages", () => ({
  tellLate: (why: string) => seen.push(["late", why]),
  tell: (message: string, button: { callback: () => void } | null) => seen.push([message, button]),
  showFailure: async (title: string, error: Error) => seen.push([title, error]),
}));
vi.mock("./monitor-cell", () => ({
  isPython: () => true,
  insertMonitorCell: async (_: unknown, code: string) => seen.push(["cell", code]),
  newMonitorNotebook: async (_: unknown, where: object, code: string) =>
    seen.push(["notebook", where, code]),
  pythonKernel: (specs: { default: string } | null) => specs?.default ?? null,
}));

interface Registered {
  execute(args: object): Promise<unknown>;
  isEnabled?(): boolean;
  isVisible?(): boolean;
  isToggled?(): boolean;
}

beforeEach(() => {
  seen.length = 0;
  asked.text = null;
  asked.texts = [];
});

const notebook = { content: { model: { readOnly: false } }, sessionContext: {} };

function made(without: readonly (keyof Around)[] = []) {
  const all = new Map<string, Registered>();
  const notified: string[] = [];
  const executed: string[] = [];
  const monitors = new FakeMonitors();
  const opened: unknown[] = [];
  const selection: object[] = [];
  const settings = settingsOf();
  const commands = {
    addCommand: (id: string, options: Registered) => all.set(id, options),
    notifyCommandChanged: (id: string) => notified.push(id),
    hasCommand: () => true,
    execute: async (id: string) => executed.push(id),
  };
  const kernelspecs = { ready: Promise.resolve(), specs: { default: "python3" } };
  const shell = { currentWidget: notebook };
  const around = {
    app: { commands, shell, serviceManager: { kernelspecs } },
    settings,
    trans: TRANS,
    monitors: monitors.asMonitors,
    panel: { reveal: () => opened.push("panel"), toggle: () => opened.push("toggled") },
    viewer: {
      openFile: (path: string) => opened.push(["file", path]),
      openInKernel: (path: string, title: string) => opened.push(["kernel", path, title]),
    },
    notebooks: {
      ...{ currentWidget: notebook, forEach: () => undefined },
      widgetAdded: { connect: () => undefined },
    },
    documents: {},
    files: { tracker: { currentWidget: { selectedItems: () => selection.values() } } },
    hasStatusBar: true,
    ...Object.fromEntries(without.map((name) => [name, name === "hasStatusBar" ? false : null])),
  };
  const names = registerCommands(around as unknown as Around);
  const of = (name: Name) => all.get(COMMANDS[name]) as Registered;
  const run = (name: Name, args = {}) => of(name).execute(args);
  return {
    names,
    all,
    of,
    run,
    monitors,
    opened,
    selection,
    settings,
    notified,
    executed,
    kernelspecs,
  };
}

test("with everything around them all commands are there", () => {
  expect(made().names).toEqual(Object.keys(COMMANDS));
});

test.each<[keyof Around, readonly Name[]]>([
  ["monitors", ["start", "stop", "mark", "save"]],
  ["panel", ["openPanel"]],
  ["viewer", ["openRecording", "openSelected"]],
  ["notebooks", ["insertCell", "showCell", "newNotebook", "toggleCellMarks"]],
  ["hasStatusBar", ["toggleStatusLine"]],
])("without %s its commands are not offered, and the others work", (part, missing) => {
  const { names } = made([part]);

  expect(Object.keys(COMMANDS).filter((name) => !names.includes(name as Name))).toEqual(missing);
});

test("alone in the world it registers nothing and breaks nothing", () => {
  const parts = ["monitors", "panel", "viewer", "notebooks", "documents", "files"] as const;

  expect(made([...parts, "hasStatusBar"]).names).toEqual([]);
});

test("start uses the interval that is set, and shows the panel", async () => {
  const { run, monitors, opened, settings } = made();
  await settings.set("interval", 0.5);

  await run("start");

  expect(monitors.done).toEqual([["start", { interval: 0.5 }]]);
  expect(opened).toEqual(["panel"]);
  expect(seen).toEqual([["A monitor runs in the kernel of train.ipynb.", undefined]]);
});

test.each([
  [
    "/scratch/run 1.pulse.parquet",
    ["kernel", "/scratch/run 1.pulse.parquet", "run 1.pulse.parquet"],
  ],
  ["/home/me/work/out/a.pulse.parquet", ["file", "out/a.pulse.parquet"]],
])("stop says that the recording is %s, with a button that opens it", async (path, opening) => {
  const { run, monitors, opened } = made();
  monitors.answer = () => ({ path });

  await run("stop");

  const [[message, button]] = seen as [[string, { label: string; callback(): void }]];
  expect(message).toBe(`The monitor has stopped. Its recording: ${path}`);
  button.callback();
  expect(opened).toEqual([opening]);
});

test.each([
  ["start", {}],
  ["stop", {}],
  ["mark", { label: "x" }],
  ["save", { path: "x" }],
] as const)("%s says why it is done later", async (name, args) => {
  const { run, monitors } = made();
  monitors.late = "A cell is running.";
  monitors.answer = () => ({ path: "x", bytes: 1 });

  await run(name, args);

  expect(seen[0]).toEqual(["late", "A cell is running."]);
});

test("without a recording, and without a viewer, there is no such button", async () => {
  const { run, monitors } = made(["viewer"]);
  monitors.answer = () => ({ path: null });
  await run("stop");
  monitors.answer = () => ({ path: "a.pulse.parquet" });
  await run("stop");

  expect(seen).toEqual([
    ["The monitor has stopped. It did not record.", undefined],
    ["The monitor has stopped. Its recording: a.pulse.parquet", null],
  ]);
});

test("a mark is asked for, unless its words are given; a dialog that is left does nothing", async () => {
  const { run, monitors } = made();
  await run("mark");
  asked.text = "   ";
  await run("mark");
  expect(monitors.done).toEqual([]);

  asked.text = " epoch 2 ";
  await run("mark");
  await run("mark", { label: "epoch 3" });

  expect(monitors.done).toEqual([
    ["mark", { label: "epoch 2" }],
    ["mark", { label: "epoch 3" }],
  ]);
  expect(seen).toContainEqual(["Marked: epoch 2", undefined]);
});

test("save proposes a name, and says what was written where", async () => {
  const { run, monitors, executed } = made();
  asked.text = "out/a.pulse.parquet";
  monitors.answer = () => ({ path: "/w/out/a.pulse.parquet", bytes: 1536 });

  await run("save");

  expect(seen[0]).toEqual(["asked", expect.stringMatching(/^train-[\d-]+\.pulse\.parquet$/)]);
  expect(monitors.done).toEqual([["save", { path: "out/a.pulse.parquet" }]]);
  expect(seen[1]).toEqual(["Saved 1.5 KiB as /w/out/a.pulse.parquet", expect.anything()]);
  expect(executed).toEqual(["filebrowser:refresh"]);
});

test("a name that cannot be used is asked for again, with it and what is wrong", async () => {
  const { run, monitors } = made();
  asked.texts = ["bad/a.pulse.parquet", "b.pulse.parquet", null];
  const error = new ActionError("There is no directory bad", "Make it first.");
  monitors.answer = () => {
    if (monitors.done.length === 1) throw error;
    return { path: "/w/b.pulse.parquet", bytes: 1536 };
  };

  await run("save");

  const label = "File, relative to the folder of the kernel";
  expect(seen.slice(0, 2)).toEqual([
    ["asked", expect.stringMatching(/^train-/), label],
    ["asked", "bad/a.pulse.parquet", `There is no directory bad. Make it first.\n${label}`],
  ]);
  expect(seen[2]).toEqual(["Saved 1.5 KiB as /w/b.pulse.parquet", expect.anything()]);
  expect(asked.texts).toEqual([null]);
});

test("a dialog that is left after a failure saves nothing, and a name that is given is no question", async () => {
  const { run, monitors, executed } = made();
  asked.texts = ["bad/a", null];
  const error = new ActionError("There is no directory bad.", "");
  monitors.answer = () => {
    throw error;
  };
  await run("save");
  expect(monitors.done).toHaveLength(1);
  expect(seen).toHaveLength(2);

  await run("save", { path: "bad/b" });
  expect(seen.slice(2)).toEqual([["Save Recording As\u2026", error]]);
  expect(executed).toEqual([]);
});

test("what an action fails with is shown under the name of the command, and nothing as done", async () => {
  const { run, monitors, opened } = made();
  const error = new ActionError("The disk is full.", "Free some space.");
  monitors.answer = () => {
    throw error;
  };
  asked.text = "x";

  for (const name of ["start", "stop", "mark"] as const) await run(name);
  await run("save", { path: "x" });

  const shown = seen.filter((one) => (one as unknown[])[1] === error);
  expect(shown.map((one) => (one as unknown[])[0])).toEqual([
    "Start Monitor",
    "Stop Monitor",
    "Add Mark\u2026",
    "Save Recording As\u2026",
  ]);
  expect(seen.filter((one) => (one as unknown[])[0] !== "asked")).toHaveLength(4);
  expect(opened).toEqual([]);
});

test("a command can be used as it stands with the kernel, and menus are told of a change", () => {
  const { of, monitors, notified } = made();
  const can = () => (["start", "stop", "mark", "save"] as const).map((n) => of(n).isEnabled?.());
  expect(can()).toEqual([false, false, false, false]);

  monitors.say("idle");
  expect(can()).toEqual([true, false, false, false]);
  const told = notified.length;
  expect(notified).toContain(COMMANDS.start);
  monitors.say("idle");
  expect(notified).toHaveLength(told);
  monitors.say("running");
  expect(can()).toEqual([false, true, true, true]);
});

test("a monitor cell goes into the notebook in front, if it can be written", async () => {
  const { of, run } = made();
  expect(of("insertCell").isEnabled?.()).toBe(true);

  await run("insertCell");
  notebook.content.model.readOnly = true;
  expect(of("insertCell").isEnabled?.()).toBe(false);
  notebook.content.model.readOnly = false;

  expect(seen).toEqual([["cell", "import pulse_widgets as pw\npw.monitor()"]]);
});

test("the launcher's notebook lies in its folder, on a Python kernel, or it is said why not", async () => {
  const { run, kernelspecs } = made();
  await run("newNotebook", { cwd: "deep/er" });
  kernelspecs.specs = null as never;
  await run("newNotebook", { cwd: "" });

  expect(seen[0]).toEqual([
    "notebook",
    { cwd: "deep/er", kernelName: "python3" },
    "import pulse_widgets as pw\npw.monitor()",
  ]);
  expect(seen[1]).toEqual(["Pulse Monitor", new Error("There is no Python kernel here.")]);
});

test("recordings are opened by path, by a dialog, or as selected; other files are left alone", async () => {
  const { of, run, opened, selection } = made();
  asked.files = [
    { path: "d", type: "directory" },
    { path: "a.pulse.parquet", type: "file" },
  ];
  await run("openRecording", { path: "p.pulse.parquet" });
  await run("openRecording");
  expect(of("openSelected").isVisible?.()).toBe(false);

  selection.push(
    { name: "b.pulse", path: "x/b.pulse", type: "directory" },
    { name: "b.txt", path: "x/b.txt", type: "file" },
  );
  expect(of("openSelected").isVisible?.()).toBe(true);
  await run("openSelected");

  expect(opened).toEqual([
    ["file", "p.pulse.parquet"],
    ["file", "a.pulse.parquet"],
    ["file", "x/b.pulse"],
  ]);
});

test("what is shown is switched by a command that knows how it is", async () => {
  const { of, run, settings } = made();
  expect([of("toggleStatusLine").isToggled?.(), of("toggleCellMarks").isToggled?.()]).toEqual([
    true,
    false,
  ]);

  await run("toggleStatusLine");
  await run("toggleCellMarks");

  expect(settings.values).toMatchObject({ statusLine: false, cellMarks: true });
});
