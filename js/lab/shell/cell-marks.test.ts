// @vitest-environment happy-dom
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import { Signal } from "@lumino/signaling";
import { beforeEach, expect, test } from "vitest";
import { keepMarks } from "./cell-marks";
import { FakeFeed, FakeMonitors, seriesOf, settingsOf, TRANS } from "./testing";

const AT = (seconds: number) => new Date(seconds * 1000).toISOString();
const settled = () => new Promise((resolve) => setTimeout(resolve));

class FakeModel {
  readonly type = "code";
  readonly stateChanged = new Signal<this, { name: string; newValue: unknown }>(this);
  readonly contentChanged = new Signal<this, void>(this);
  readonly sharedModel = { getSource: () => this.code };
  executionCount: number | null = null;

  constructor(
    readonly id: string,
    public code: string,
    readonly execution: unknown = undefined,
  ) {}

  getMetadata(): unknown {
    return this.execution;
  }

  edit(code: string): void {
    this.code = code;
    this.contentChanged.emit();
  }

  clear(): void {
    this.executionCount = null;
    this.stateChanged.emit({ name: "executionCount", newValue: null });
  }
}

/** A notebook of two cells on a kernel; as much of JupyterLab's as the marks ask for. */
class FakeNotebook {
  readonly disposed = new Signal<this, void>(this);
  readonly cells = { changed: new Signal<unknown, unknown>({}) };
  readonly kernel = { anyMessage: new Signal<unknown, unknown>({}) };
  readonly context = { ready: Promise.resolve() };
  readonly sessionContext = {
    kernelChanged: new Signal<unknown, unknown>({}),
    sessionChanged: new Signal<unknown, unknown>({}),
    statusChanged: new Signal<unknown, string>({}),
    session: { id: "s1", kernel: this.kernel },
  };
  readonly content = {
    model: { cells: this.cells },
    modelChanged: new Signal<unknown, unknown>({}),
    widgets: [] as { model: FakeModel; promptNode: HTMLElement | null; ready: Promise<void> }[],
  };
  readonly node = document.createElement("div");
  isDisposed = false;
  #messages = 0;

  constructor(...models: FakeModel[]) {
    this.fill(models);
  }

  /** JupyterLab makes new widgets of cells that move. */
  fill(models: readonly FakeModel[]): void {
    this.content.widgets = models.map((model) => {
      const promptNode = this.node.appendChild(document.createElement("div"));
      return { model, promptNode, ready: Promise.resolve() };
    });
    this.cells.changed.emit(null);
  }

  ask(cell: string): string {
    const id = `m${++this.#messages}`;
    const model = this.content.widgets.find((one) => one.model.id === cell)?.model;
    const header = { msg_type: "execute_request", msg_id: id };
    const msg = { header, metadata: { cellId: cell }, content: { code: model?.code } };
    this.kernel.anyMessage.emit({ direction: "send", msg });
    return id;
  }

  run(cell: string, start: number, end: number): void {
    const id = this.ask(cell);
    for (const [msg_type, time] of [
      ["execute_input", start],
      ["execute_reply", end],
    ] as const) {
      const msg = { header: { msg_type, date: AT(time) }, parent_header: { msg_id: id } };
      this.kernel.anyMessage.emit({ direction: "recv", msg });
    }
    const model = this.content.widgets.find((one) => one.model.id === cell)?.model;
    if (model) model.executionCount = 1;
  }

  get marks(): (string | null)[] {
    return this.content.widgets.map(
      ({ promptNode }) => promptNode?.getAttribute("data-pulse-mark") ?? null,
    );
  }

  prompt(place: number): HTMLElement {
    return this.content.widgets[place]?.promptNode as HTMLElement;
  }
}

let [a, b] = [new FakeModel("a", "one()"), new FakeModel("b", "two()")];
beforeEach(() => {
  [a, b] = [new FakeModel("a", "one()"), new FakeModel("b", "two()")];
});

function kept(notebook: FakeNotebook, cellMarks = true) {
  const monitors = new FakeMonitors();
  const settings = settingsOf({ cellMarks });
  const widgetAdded = new Signal<unknown, unknown>({});
  const forEach = (each: (panel: NotebookPanel) => void) => each(notebook as never);
  const tracker = { forEach, widgetAdded } as unknown as INotebookTracker;
  let shown = 0;
  keepMarks(settings, tracker, monitors.asMonitors, TRANS, () => shown++);
  return { monitors, settings, shown: () => shown };
}

test("a run leaves its duration at its cell alone, and a later one replaces it", async () => {
  const notebook = new FakeNotebook(a, b);
  kept(notebook);
  await settled();

  notebook.run("a", 100, 112.5);
  await settled();
  expect(notebook.marks).toEqual(["12.5 s", null]);

  notebook.ask("a");
  await settled();
  expect(notebook.marks).toEqual([null, null]);

  notebook.run("a", 200, 203);
  await settled();
  expect(notebook.marks).toEqual(["3 s", null]);
});

test("a mark goes with its cell, says of an edit, and leaves with the outputs", async () => {
  const notebook = new FakeNotebook(a, b);
  kept(notebook);
  notebook.run("a", 100, 101);
  await settled();

  const moved = new FakeModel("a", "one()");
  notebook.fill([b, moved]);
  await settled();
  expect(notebook.marks).toEqual([null, "1 s"]);
  expect(notebook.prompt(1).title).not.toContain("edited");

  moved.edit("another()");
  expect(notebook.marks).toEqual([null, "1 s"]);
  expect(notebook.prompt(1).title).toContain("The cell was edited since.");
  moved.edit("one()");
  expect(notebook.prompt(1).title).not.toContain("edited");

  moved.clear();
  await settled();
  expect(notebook.marks).toEqual([null, null]);
  expect(notebook.prompt(1).title).toBe("");
});

test("of a copy, and of a cell that was deleted, there is no mark; one that comes back has it", async () => {
  const notebook = new FakeNotebook(a, b);
  kept(notebook);
  notebook.run("a", 100, 101);
  await settled();

  notebook.fill([new FakeModel("copy", "one()")]);
  await settled();
  expect(notebook.marks).toEqual([null]);

  notebook.fill([a]);
  await settled();
  expect(notebook.marks).toEqual(["1 s"]);
});

const RECORDED = { "iopub.execute_input": AT(50), "shell.execute_reply": AT(57) };

test("after a restart only what the cells themselves know is left", async () => {
  const timed = new FakeModel("b", "two()", RECORDED);
  timed.executionCount = 3;
  const cleared = new FakeModel("c", "three()", RECORDED);
  const notebook = new FakeNotebook(a, timed, cleared);
  kept(notebook);
  await settled();
  expect(notebook.marks).toEqual([null, "7 s", null]);
  notebook.run("a", 100, 101);
  await settled();
  expect(notebook.marks).toEqual(["1 s", "7 s", null]);

  notebook.sessionContext.statusChanged.emit("restarting");
  await settled();

  expect(notebook.marks).toEqual([null, "7 s", null]);
});

const USED = /\nIn it the GPU was busy for 5 s, whoever used it\.\nAt most 1 GiB of its memory/;

/** A GPU that is busy for half of the time. */
function gpuFeed() {
  const feed = new FakeFeed();
  const series = seriesOf([
    ["gpu:0", "gpu.utilization"],
    ["gpu:0", "gpu.memory.used"],
  ]);
  const until = (from: number, to: number) => {
    for (let t = from; t <= to; t++) {
      const state = { phase: "running", t0: 90, interval: 1 };
      const rows = [
        [0, t, 0.5],
        [1, t, 1024 ** 3],
      ] as const;
      feed.frame(rows, { state, series: t === 90 ? series : [] });
    }
  };
  return { feed, until };
}

test("what it used of the GPUs is said as soon as the readings of its end have come", async () => {
  const notebook = new FakeNotebook(a, b);
  const { monitors } = kept(notebook);
  const { feed, until } = gpuFeed();
  until(90, 104);
  monitors.say("running", { store: feed.store });
  expect(monitors.watchers).toBe(1);

  notebook.run("a", 100, 110);
  await settled();
  expect(notebook.marks[0]).toBe("10 s");

  until(105, 115);
  await settled();
  expect(notebook.marks[0]).toBe("10 s");
  expect(notebook.prompt(0).title).toMatch(USED);
});

test.each([
  ["comes late", 3, USED],
  ["stays away", 1000, /GPUs were busy is not known: GPU 0 gave no readings.*\nAt most 1 GiB of/],
])("a reading that %s is waited for, for a while", async (_, late, mark) => {
  const notebook = new FakeNotebook(a, b);
  const { monitors } = kept(notebook);
  const feed = new FakeFeed();
  monitors.say("running", { store: feed.store });
  const series = seriesOf([
    ["gpu:0", "gpu.utilization"],
    ["gpu:0", "gpu.memory.used"],
  ]);
  // As a reader says it: one row where the readings end, if they do.
  const busyAt = (t: number) => (t === 106 && late > 100 ? [[0, t, Number.NaN] as const] : []);
  const tick = (t: number) => {
    const busy = t < 106 ? [[0, t, 0.5] as const] : busyAt(t);
    const past = t === 110 + late ? [0, 1, 2, 3, 4, 5].map((i) => [0, 106 + i, 0.5] as const) : [];
    const state = { phase: "running", t0: 90, interval: 1 };
    const rows = [...busy, ...past, [1, t, 1024 ** 3] as const];
    feed.frame(rows, { state, series: t === 90 ? series : [] });
  };
  for (let t = 90; t <= 112; t++) tick(t);
  notebook.run("a", 100, 110);
  await settled();
  expect(notebook.marks[0]).toBe("10 s");

  for (let t = 113; t <= 116; t++) tick(t);
  await settled();

  expect(notebook.prompt(0).title).toMatch(mark);
});

test("a monitor of another kernel says nothing of this notebook", async () => {
  const notebook = new FakeNotebook(a, b);
  const { monitors } = kept(notebook);
  const { feed, until } = gpuFeed();
  until(90, 120);
  monitors.say("running", { store: feed.store, session: "s2" });

  notebook.run("a", 100, 110);
  await settled();
  expect(notebook.marks[0]).toBe("10 s");

  monitors.say("running", { session: "s1" });
  await settled();
  expect(notebook.marks[0]).toBe("10 s");
  expect(notebook.prompt(0).title).toMatch(USED);
});

test.each([
  ["before the monitor began", 50, 60],
  ["after it has ended", 130, 140],
])("a run %s has a duration alone", async (_, start, end) => {
  const notebook = new FakeNotebook(a, b);
  const { monitors } = kept(notebook);
  const { feed, until } = gpuFeed();
  until(90, 120);
  monitors.say("running", { store: feed.store });
  feed.store.end("shut down");

  notebook.run("a", start, end);
  await settled();

  expect(notebook.marks[0]).toBe("10 s");
});

test("switched off there are no marks, nobody listens or looks; switched on they begin anew", async () => {
  const notebook = new FakeNotebook(a, b);
  const { monitors, settings } = kept(notebook, false);
  monitors.say("running");
  notebook.run("a", 100, 101);
  await settled();
  expect([notebook.marks, monitors.watchers]).toEqual([[null, null], 0]);

  await settings.set("cellMarks", true);
  notebook.run("b", 100, 101);
  await settled();
  expect([notebook.marks, monitors.watchers]).toEqual([[null, "1 s"], 1]);

  await settings.set("cellMarks", false);
  notebook.run("a", 100, 101);
  await settled();
  expect([notebook.marks, monitors.watchers]).toEqual([[null, null], 0]);
});

test("a cell out of sight gets its mark when it is seen", async () => {
  const notebook = new FakeNotebook(a, b);
  kept(notebook);
  const [first] = notebook.content.widgets;
  let seen = () => undefined as unknown;
  const ready = new Promise<void>((resolve) => {
    seen = resolve as () => undefined;
  });
  Object.assign(first as object, { promptNode: null, ready });
  notebook.run("a", 100, 101);
  await settled();

  Object.assign(first as object, { promptNode: document.createElement("div") });
  seen();
  await settled();

  expect(notebook.marks).toEqual(["1 s", null]);
});

test("a click on the mark of a cell shows it; one on its number, or where no mark is, does not", async () => {
  const notebook = new FakeNotebook(a, b);
  const { settings, shown } = kept(notebook);
  notebook.run("a", 100, 112.5);
  await settled();
  const click = (place: number, clientY: number) => {
    const event = new MouseEvent("click", { bubbles: true, clientY });
    notebook.prompt(place).dispatchEvent(event);
  };
  click(0, 30);
  expect(shown()).toBe(1);
  click(0, 5);
  click(1, 30);
  expect(shown()).toBe(1);
  // However often the marks were switched on.
  await settings.set("cellMarks", false);
  click(0, 30);
  await settings.set("cellMarks", true);
  await settled();
  notebook.run("a", 113, 114);
  await settled();
  click(0, 30);
  expect(shown()).toBe(2);
});
