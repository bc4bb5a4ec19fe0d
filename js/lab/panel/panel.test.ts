// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import type { Condition } from "../shared/monitors";
import { ActionError } from "../shared/monitors";
import type { LinkStatus } from "../shared/protocol";
import { CONDITIONS, RUNNING, settled, shown, store } from "./testing";

vi.mock("../../core/dashboard/dashboard", () => ({
  mountDashboard: (el: HTMLElement) => {
    el.append("DRAWN");
    return () => el.replaceChildren();
  },
}));

afterEach(() => {
  document.body.replaceChildren();
});

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
