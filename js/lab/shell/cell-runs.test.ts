import type { ISessionContext } from "@jupyterlab/apputils";
import { Signal } from "@lumino/signaling";
import { expect, test } from "vitest";
import { CellRuns, recordedRun } from "./cell-runs";

const AT = (seconds: number) => new Date(seconds * 1000).toISOString().replace("Z", "000Z");

/** A session with a kernel that tells what a test lets it tell. */
class FakeSession {
  readonly kernelChanged = new Signal<this, unknown>(this);
  readonly sessionChanged = new Signal<this, unknown>(this);
  readonly statusChanged = new Signal<this, string>(this);
  session: { kernel: { anyMessage: Signal<unknown, unknown> } | null } = { kernel: null };

  constructor() {
    this.start();
  }

  start(): void {
    this.session = { kernel: { anyMessage: new Signal<unknown, unknown>({}) } };
    this.kernelChanged.emit(null);
  }

  get asContext(): ISessionContext {
    return this as unknown as ISessionContext;
  }

  ask(id: string, cell: string | undefined, code = "work()"): void {
    this.#emit("send", {
      header: { msg_type: "execute_request", msg_id: id },
      metadata: cell === undefined ? {} : { cellId: cell },
      content: { code },
    });
  }

  tell(type: string, parent: string, seconds: number | null, content: object = {}): void {
    this.#emit("recv", {
      header: { msg_type: type, ...(seconds === null ? {} : { date: AT(seconds) }) },
      parent_header: { msg_id: parent },
      metadata: {},
      content,
    });
  }

  #emit(direction: string, msg: unknown): void {
    this.session.kernel?.anyMessage.emit({ direction, msg });
  }
}

function listening() {
  const session = new FakeSession();
  const heard: unknown[] = [];
  const runs = new CellRuns(session.asContext, {
    began: (cell) => heard.push(["began", cell]),
    ended: (cell, run, code) => heard.push(["ended", cell, run.start, run.end, code]),
    forgotten: () => heard.push("forgotten"),
  });
  return { session, heard, runs };
}

test("the times of a run are those the kernel gave, whenever they arrive", () => {
  const { session, heard } = listening();

  session.ask("m1", "a", "one()");
  session.ask("m2", "b", "two()");
  session.tell("execute_input", "m1", 100);
  session.tell("status", "m1", 100.5);
  session.tell("execute_reply", "m1", 103.25);
  session.tell("execute_reply", "m1", 103.3);
  session.tell("execute_input", "m2", 103.5);
  session.tell("execute_reply", "m2", 104);

  expect(heard).toEqual([
    ["began", "a"],
    ["began", "b"],
    ["ended", "a", 100, 103.25, "one()"],
    ["ended", "b", 103.5, 104, "two()"],
  ]);
});

test.each([
  [{ status: "ok" }, ""],
  [{}, ""],
  [undefined, ""],
  [{ status: "error", ename: "ValueError" }, "failed"],
  [{ status: "error" }, "failed"],
  [{ status: "error", ename: "KeyboardInterrupt" }, "interrupted"],
] as const)("a reply of %j is the outcome %j", (content, outcome) => {
  const session = new FakeSession();
  const outcomes: string[] = [];
  new CellRuns(session.asContext, {
    began: () => undefined,
    ended: (_, run) => outcomes.push(run.outcome),
    forgotten: () => undefined,
  });
  session.ask("m1", "a");
  session.tell("execute_input", "m1", 1);
  session.tell("execute_reply", "m1", 2, content);
  expect(outcomes).toEqual([outcome]);
});

test.each([
  [[], ""],
  [[{ output_type: "stream" }], ""],
  [[{ output_type: "stream" }, { output_type: "error", ename: "KeyError" }], "failed"],
  [[{ output_type: "error", ename: "KeyboardInterrupt" }], "interrupted"],
  [undefined, ""],
] as const)("outputs %j of a run from before tell the outcome %j", (outputs, outcome) => {
  const times = { "iopub.execute_input": AT(5), "shell.execute_reply": AT(8.5) };
  expect(recordedRun(times, outputs)?.outcome).toBe(outcome);
});

test("what was aborted, is of no cell, has no date, or was asked elsewhere is no run", () => {
  const { session, heard } = listening();

  session.ask("aborted", "a");
  session.tell("execute_reply", "aborted", 5);
  session.ask("silent", undefined);
  session.tell("execute_input", "silent", 1);
  session.tell("execute_reply", "silent", 2);
  session.ask("undated", "b");
  session.tell("execute_input", "undated", null);
  session.tell("execute_reply", "undated", 9);
  session.tell("execute_input", "of another page", 1);
  session.tell("execute_reply", "of another page", 2);

  expect(heard).toEqual([
    ["began", "a"],
    ["began", "b"],
  ]);
});

test.each(["restarting", "autorestarting", "dead"])(
  "a kernel that is %s is forgotten",
  (status) => {
    const { session, heard } = listening();
    session.ask("m1", "a");
    session.tell("execute_input", "m1", 1);

    session.statusChanged.emit(status);
    session.tell("execute_reply", "m1", 2);

    expect(heard).toEqual([["began", "a"], "forgotten"]);
  },
);

test("another kernel is heard instead, and after the end none", () => {
  const { session, heard, runs } = listening();
  const first = session.session;
  session.start();
  const second = session.session;

  session.session = first;
  session.ask("m1", "a");
  session.session = second;
  session.ask("m2", "b");
  runs.dispose();
  session.ask("m3", "c");
  session.start();
  session.ask("m4", "d");

  expect(heard).toEqual(["forgotten", ["began", "b"]]);
});

test.each([
  [
    { "iopub.execute_input": AT(5), "shell.execute_reply": AT(8.5) },
    { start: 5, end: 8.5, outcome: "" },
  ],
  [{ "iopub.execute_input": AT(5) }, null],
  [{ "shell.execute_reply": AT(5) }, null],
  [{ "iopub.execute_input": AT(5), "shell.execute_reply": AT(4) }, null],
  [{ "iopub.execute_input": "soon", "shell.execute_reply": 7 }, null],
  [undefined, null],
  [null, null],
  ["text", null],
])("of the times %j a cell knows the run %j", (execution, run) => {
  expect(recordedRun(execution)).toEqual(run);
});
