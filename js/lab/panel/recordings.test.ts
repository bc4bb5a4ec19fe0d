// @vitest-environment happy-dom
import { nullTranslator } from "@jupyterlab/translation";
import { afterEach, expect, test, vi } from "vitest";
import { dateText } from "../../core/vocabulary/time-text";
import { ActionError, type Followed, type IMonitors, type Waits } from "../shared/monitors";
import type { Listed, SessionStatus } from "../shared/protocol";
import type { Filed, Host } from "./host";
import { Recordings } from "./recordings";

const words = nullTranslator.load("pulse_widgets");
const SESSION: SessionStatus = { running: true, title: "", t0: 1e9, path: null, feed: null };
const STATUS = { kind: "status", version: 1, package: "1", disabled: false } as const;

function listed(name: string, state: Listed["state"] = "finished"): Listed {
  const path = `/root/runs/${name}.pulse.parquet`;
  return {
    ...{ name, path, state, start: 1e9, seconds: 90, bytes: 2048, series: 3, rows: 100 },
    ...{ title: "", problem: "" },
  };
}

function filed(name: string, more: Partial<Filed> = {}): Filed {
  return { name, path: `here/${name}`, changed: 1e9, bytes: 100, isFolder: false, ...more };
}

class Opened {
  lines: Listed[] = ["a", "b", "c"].map((name) => listed(name));
  files: Filed[] = [];
  reads = 0;
  /** The kernel does not answer. */
  isLate = false;
  /** What a rename or a deletion fails with. */
  problem: Error | null = null;
  followed: Followed = {
    ...{ name: "n.ipynb", session: "s", kernel: "Python 3", condition: "idle" },
    ...{ problem: "", remedy: "", status: null, store: null },
  };
  readonly list: Recordings;

  constructor() {
    const opened = this;
    const monitors = {
      get followed() {
        return opened.followed;
      },
      act: async (action: string, options: never, waits?: Waits) =>
        this.#act(action, options, waits),
    };
    const host = {
      ...{ root: "/root", open: vi.fn(), show: null, icon: () => null, confirm: async () => true },
      list: async () => {
        this.reads++;
        return this.files;
      },
    };
    this.list = new Recordings(
      monitors as unknown as IMonitors,
      host as unknown as Host,
      words,
      () => undefined,
    );
    document.body.append(this.list.el);
    this.list.el.open = true;
  }

  async #act(
    action: string,
    { path, name }: { path: string; name: string },
    waits?: Waits,
  ): Promise<unknown> {
    if (action === "recordings") {
      this.reads++;
      if (this.isLate) {
        waits?.("A cell runs.");
        await new Promise(() => undefined);
      }
      return { recordings: this.lines };
    }
    if (this.problem) throw this.problem;
    if (action === "delete") this.lines = this.lines.filter((one) => one.path !== path);
    else {
      const to = `/root/runs/${name}`;
      this.lines = this.lines.map((one) => (one.path === path ? { ...one, path: to } : one));
      return { path: to };
    }
    return null;
  }

  async turn(followed: Partial<Followed>): Promise<void> {
    this.followed = { ...this.followed, ...followed };
    this.list.follow(this.followed);
    await settled();
  }

  button(name: string): HTMLButtonElement {
    const found = this.list.el.querySelector<HTMLButtonElement>(`[aria-label="${name}"]`);
    if (!found) throw new Error(`no ${name}`);
    return found;
  }

  async press(name: string): Promise<void> {
    this.button(name).focus();
    this.button(name).click();
    await settled();
  }

  get input(): HTMLInputElement {
    return this.list.el.querySelector("input") as HTMLInputElement;
  }

  async type(text: string): Promise<void> {
    this.input.value = text;
    this.input.form?.dispatchEvent(new Event("submit", { cancelable: true, bubbles: true }));
    await settled();
  }

  get texts(): string[] {
    return [...this.list.el.querySelectorAll("li")].map((one) => one.textContent ?? "");
  }

  get where(): string {
    return this.list.el.querySelector(".pulse-panel-where")?.textContent ?? "";
  }
}

const held = () => document.activeElement?.getAttribute("aria-label");

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

async function opened(followed: Partial<Followed> = {}): Promise<Opened> {
  const made = new Opened();
  await made.turn(followed);
  return made;
}

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

test.each([
  ["kept.pulse.parquet", {}, "100 B"],
  ["nothing.pulse.parquet", { bytes: 0 }, "empty"],
  ["run.pulse", { isFolder: true, bytes: null }, "still written, or left by a crash"],
])("without a kernel %s with %j is called no more than %s", async (name, more, said) => {
  const list = new Opened();
  list.files = [filed(name, more)];

  await list.turn({ condition: "no kernel" });

  expect(list.texts[0]).toContain(`${dateText(1e9)} · ${said}`);
  expect(list.texts[0]).not.toMatch(/finished/);
  expect(list.where).toBe("In this folder");
});

test("a list that is open is read when a monitor starts and ends, and every 5 s between", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const list = await opened();
  const reads = async (act: () => unknown) => {
    const before = list.reads;
    await act();
    await settled();
    return list.reads - before;
  };
  const wait = (ms: number) => reads(() => vi.advanceTimersByTime(ms));
  expect(list.where).toBe("On this machine");
  expect(await wait(20_000)).toBe(0);
  expect(await reads(() => list.turn({}))).toBe(0);

  const status = { ...STATUS, session: SESSION };
  expect(await reads(() => list.turn({ condition: "running", status }))).toBe(1);
  expect(await wait(5000)).toBe(1);
  expect(await wait(5000)).toBe(1);
  list.list.el.open = false;
  expect(await wait(10_000)).toBe(0);
  list.list.el.open = true;
  expect(await reads(() => list.turn({ condition: "ended" }))).toBe(1);
  expect(await wait(10_000)).toBe(0);
  await list.turn({ condition: "running" });
  list.list.leave();

  expect(await wait(10_000)).toBe(0);
});

test("a kernel that lets us wait is not asked again and again, and the lines stay", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const list = await opened({ condition: "running" });
  const before = list.reads;
  list.isLate = true;

  for (let i = 0; i < 5; i++) {
    vi.advanceTimersByTime(5000);
    await settled();
  }

  expect([list.reads - before, list.texts.length]).toEqual([1, 3]);
});

test("a name that is refused stays, with the sentence, in its line; then the line is held", async () => {
  const list = await opened();
  const path = "/root/runs/taken.pulse.parquet";
  list.problem = new ActionError(`${path} is there already`, "Give another name.");

  await list.press("Rename b.pulse.parquet");
  await list.type("taken");
  expect(list.input.value).toBe("taken");
  expect(document.activeElement).toBe(list.input);
  const said = "taken.pulse.parquet is there already. Give another name.";
  expect(list.input.form?.querySelector("[role=alert]")?.textContent).toBe(said);
  const before = list.list.el.querySelectorAll("li")[1];
  expect(before?.nextElementSibling?.contains(list.input)).toBe(true);
  // What comes meanwhile does not take the form away.
  await list.turn({ condition: "ended" });
  expect(list.input.value).toBe("taken");
  list.problem = null;
  await list.type("free");

  expect(list.list.el.querySelector("input")).toBeNull();
  expect(list.texts[1]).toContain("free.pulse.parquet");
  expect(held()).toBe("Rename free.pulse.parquet");
});

test("the form of one line gives way to that of another, and to another kernel", async () => {
  const list = await opened();
  await list.press("Rename a.pulse.parquet");
  await list.press("Rename c.pulse.parquet");
  expect(list.list.el.querySelectorAll("form").length).toBe(1);
  expect(list.input.value).toBe("c");

  await list.turn({ session: "other" });

  expect(list.list.el.querySelector("form")).toBeNull();
});

test("the keyboard goes to the next line when one is deleted, and at last to the heading", async () => {
  const list = await opened();
  const order = ["b", "c", "a"];
  const next = ["Delete c.pulse.parquet", "Delete a.pulse.parquet", null];
  for (const [at, name] of order.entries()) {
    await list.press(`Delete ${name}.pulse.parquet`);
    expect(held()).toBe(next[at]);
  }

  expect(document.activeElement?.tagName).toBe("SUMMARY");
});

test("what cannot be deleted says why in its line; the keyboard stays there", async () => {
  const list = await opened();
  list.problem = new ActionError("/root/runs/a.pulse.parquet is in use", "");

  await list.press("Delete a.pulse.parquet");

  expect(list.texts[0]).toContain("a.pulse.parquet is in use.");
  expect(list.texts[0]).not.toContain("/root");
  expect(held()).toBe("Delete a.pulse.parquet");
});

test("a list that is read again leaves the keyboard where it is, in it or elsewhere", async () => {
  const list = await opened();
  list.button("Open b.pulse.parquet").focus();
  list.lines = [listed("new"), ...list.lines];
  list.list.refresh();
  await settled();
  expect(held()).toBe("Open b.pulse.parquet");

  const cell = document.body.appendChild(document.createElement("textarea"));
  cell.focus();
  list.list.refresh();
  await settled();

  expect(document.activeElement).toBe(cell);
});

test.each([
  ["/elsewhere/mine.pulse", "mine.pulse", true, "running"],
  ["/elsewhere/mine.pulse.parquet", "mine.pulse.parquet", false, "finished"],
])("the followed recording comes first, also where it is not of the list: %s", async (...row) => {
  const [path, name, running, state] = row;
  const session = { ...SESSION, path, running };
  const list = await opened({
    condition: running ? "running" : "ended",
    status: { ...STATUS, session },
  });
  expect(list.texts[0]).toBe(`${name}${dateText(1e9)} · ${state}`);
  expect(list.texts.length).toBe(4);

  const c = { ...SESSION, path: listed("c").path };
  await list.turn({ status: { ...STATUS, session: c } });

  expect(list.texts.map((text) => text[0])).toEqual(["c", "a", "b"]);
  await list.press("Rename c.pulse.parquet");
  await list.type("d");

  expect(list.texts.map((text) => text[0])).toEqual(["a", "b", "d"]);
});
