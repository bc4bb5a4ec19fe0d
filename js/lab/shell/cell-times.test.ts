import type { ICellModel } from "@jupyterlab/cells";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import { Signal } from "@lumino/signaling";
import { expect, test } from "vitest";
import { CellTimes, newestOf } from "./cell-times";
import { FakeFeed, FakeMonitors } from "./testing";

const at = (seconds: number) => new Date(seconds * 1000).toISOString();

/** A notebook on a kernel that says what a test has it say. */
function notebook(session = "s1") {
  const kernel = { anyMessage: new Signal<object, unknown>({}) };
  const sessionContext = {
    kernelChanged: new Signal<object, unknown>({}),
    sessionChanged: new Signal<object, unknown>({}),
    statusChanged: new Signal<object, string>({}),
    session: { id: session, kernel },
  };
  const panel = { sessionContext, disposed: new Signal<object, void>({}) };
  const message = (direction: string, type: string, id: string, time: number, more = {}) =>
    kernel.anyMessage.emit({
      direction,
      msg: {
        header: { msg_type: type, msg_id: id, date: at(time) },
        ...{ parent_header: { msg_id: id }, metadata: {}, content: {}, ...more },
      },
    });
  return {
    panel: panel as unknown as NotebookPanel,
    send: (cell: string) =>
      message("send", "execute_request", `m-${cell}`, 0, {
        ...{ metadata: { cellId: cell }, content: { code: "x" } },
      }),
    begin: (cell: string, time: number) => message("recv", "execute_input", `m-${cell}`, time),
    end: (cell: string, time: number) =>
      message("recv", "execute_reply", `m-${cell}`, time, { content: { status: "ok" } }),
    restart: () => sessionContext.statusChanged.emit("restarting"),
  };
}

function cell(id: string, execution?: object, executionCount: number | null = 1): ICellModel {
  const model = {
    ...{ id, type: "code", executionCount, getMetadata: () => execution },
    sharedModel: { getOutputs: () => [] },
  };
  return model as unknown as ICellModel;
}

function timesOf(panel: NotebookPanel, monitors: FakeMonitors | null = null) {
  const tracker = {
    forEach: (visit: (panel: NotebookPanel) => void) => visit(panel),
    widgetAdded: new Signal<object, NotebookPanel>({}),
  };
  return new CellTimes(tracker as unknown as INotebookTracker, monitors?.asMonitors ?? null);
}

test("a run is known from when the kernel comes to it, and its end", () => {
  const { panel, send, begin, end, restart } = notebook();
  const times = timesOf(panel);
  send("a");
  expect(times.of(panel, cell("a"))).toBeNull();
  begin("a", 10);
  expect(times.of(panel, cell("a"))).toEqual({ start: 10, end: null });
  end("a", 12);
  expect(times.of(panel, cell("a"))).toEqual({ start: 10, end: 12 });
  send("b");
  begin("b", 13);
  restart();
  // What has ended can still be looked at; what was cut off is not known.
  expect(times.of(panel, cell("a"))).toEqual({ start: 10, end: 12 });
  expect(times.of(panel, cell("b"))).toBeNull();
});

test.each([
  ["recorded by the notebook", 3, { start: 20, end: 21 }],
  ["recorded, but its outputs were cleared", null, null],
])("after a reload a run is known where it is %s", (_, count, expected) => {
  const execution = { "iopub.execute_input": at(20), "shell.execute_reply": at(21) };
  const { panel } = notebook();
  expect(timesOf(panel).of(panel, cell("a", execution, count))).toEqual(expected);
});

const span = (id: string, start: number, end: number | null, facts: object) => ({
  ...{ host: "h0", entity: "kernel", metric: "cell", id, start, end, facts: { ...facts } },
});

test("a monitor tells of the last run of a cell, and only the one of its own kernel", () => {
  const spans = [
    span("1", 1, 2, { cell_id: "a" }),
    span("2", 3, 4, { cell_id: "a" }),
    span("3", 5, null, { cell_id: "b" }),
    span("4", 6, 7, { count: 3 }),
  ];
  expect(newestOf(spans, "a")).toEqual({ start: 3, end: 4 });
  expect(newestOf(spans, "b")).toEqual({ start: 5, end: null });
  expect(newestOf(spans, "c")).toBeNull();
  const feed = new FakeFeed();
  feed.frame([], { spans });
  const monitors = new FakeMonitors();
  monitors.say("running", { session: "s1", store: feed.store });
  const [own, other] = [notebook("s1"), notebook("s2")];
  expect(timesOf(own.panel, monitors).of(own.panel, cell("a"))).toEqual({ start: 3, end: 4 });
  expect(timesOf(other.panel, monitors).of(other.panel, cell("a"))).toBeNull();
});
