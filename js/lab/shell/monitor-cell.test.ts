import type { NotebookPanel } from "@jupyterlab/notebook";
import { PromiseDelegate } from "@lumino/coreutils";
import { beforeEach, expect, test, vi } from "vitest";
import { insertMonitorCell, isPython, newMonitorNotebook, pythonKernel } from "./monitor-cell";

/** What was done to the notebook, in order. */
const done: string[] = [];

vi.mock("@jupyterlab/notebook", () => ({
  NotebookActions: {
    insertBelow: () => done.push("insert"),
    run: async () => done.push("run"),
  },
}));

beforeEach(() => {
  done.length = 0;
});

const moments = ["context", "revealed", "session"] as const;

/** A notebook that becomes ready step by step. */
function opening() {
  const steps = Object.fromEntries(moments.map((name) => [name, new PromiseDelegate<void>()]));
  const ready = (name: (typeof moments)[number]) => steps[name]?.promise as Promise<void>;
  const setSource = (code: string) => done.push(`code ${code}`);
  const panel = {
    context: { ready: ready("context") },
    revealed: ready("revealed"),
    sessionContext: { ready: ready("session") },
    content: { activeCell: { model: { sharedModel: { setSource } } } },
  } as unknown as NotebookPanel;
  const reach = async (name: (typeof moments)[number]) => {
    steps[name]?.resolve(undefined);
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { panel, reach };
}

test("a cell is inserted when the notebook is there, and run when its kernel is", async () => {
  const { panel, reach } = opening();
  const inserted = insertMonitorCell(panel, "x");

  await reach("context");
  expect(done).toEqual([]);
  await reach("revealed");
  expect(done).toEqual(["insert", "code x"]);
  await reach("session");
  await inserted;

  expect(done).toEqual(["insert", "code x", "run"]);
});

test("a new notebook has the cell as its first one", async () => {
  const { panel, reach } = opening();
  const asked: unknown[] = [];
  const commands = {
    execute: async (...all: unknown[]) => {
      asked.push(all);
      return panel;
    },
  };
  const where = { cwd: "a", kernelName: "python3" };
  const made = newMonitorNotebook(commands as never, where, "x");
  for (const moment of moments) await reach(moment);

  expect(await made).toBe(panel);
  expect(asked).toEqual([["notebook:create-new", where]]);
  expect(done).toEqual(["code x", "run"]);
});

test("where the host opens it in another page, nothing is done to it", async () => {
  const commands = { execute: async () => undefined };
  const where = { cwd: "", kernelName: "python3" };

  expect(await newMonitorNotebook(commands as never, where, "x")).toBeNull();
  expect(done).toEqual([]);
});

test.each([
  ["python", true],
  ["Python", true],
  ["ipython3", true],
  ["", true],
  ["julia", false],
  ["pythonic", false],
])("a notebook in %j is one for a monitor: %j", (language, is) => {
  const panel = { content: { model: { defaultKernelLanguage: language } } };

  expect(isPython(panel as NotebookPanel)).toBe(is);
});

const R = { language: "R" };
const PYTHON = { language: "python" };

test.each([
  [null, null],
  [{ default: "ir", kernelspecs: { ir: R } }, null],
  [{ default: "py", kernelspecs: { ir: R, py: PYTHON } }, "py"],
  [{ default: "ir", kernelspecs: { ir: R, env: { language: "Python" } } }, "env"],
  [{ default: "gone", kernelspecs: { ir: R, py: PYTHON } }, "py"],
])("of the kernels %j a monitor gets %j", (kernels, name) => {
  expect(pythonKernel(kernels as never)).toBe(name);
});
