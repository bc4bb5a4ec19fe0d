import { describe, expect, test } from "vitest";
import { actionOf, type CommandContext, steppedCursor } from "./commands";
import { commandOf, helpLines } from "./keyboard";
import { initialState, reduce } from "./view-state";

const context: CommandContext = {
  state: initialState(300),
  range: [700, 1000],
  extent: [0, 1000],
  cursor: null,
  running: true,
};

function press(key: string, more: Partial<CommandContext> = {}) {
  const command = commandOf({ key, ctrlKey: false, metaKey: false, altKey: false });
  return command && actionOf(command, { ...context, ...more });
}

describe("keys", () => {
  test("pause a live picture at its newest sample, and resume it", () => {
    const pause = press("p");
    expect(pause).toEqual({ type: "pause", at: 1000 });
    const state = reduce(context.state, pause as NonNullable<typeof pause>);
    expect(press("p", { state })).toEqual({ type: "resume" });
  });

  test("do not pause what is over", () => {
    expect(press("p", { running: false })).toBeNull();
  });

  test("choose windows, move and scale the range", () => {
    expect(press("3")).toEqual({ type: "window", window: 3600 });
    expect(press("ArrowLeft")).toEqual({ type: "range", range: [640, 940] });
    expect(press("+", { cursor: 1000 })).toEqual({ type: "range", range: [850, 1000] });
  });

  test("with Ctrl, Alt or Meta belong to the browser", () => {
    for (const modifier of ["ctrlKey", "altKey", "metaKey"]) {
      const event = { key: "p", ctrlKey: false, altKey: false, metaKey: false, [modifier]: true };
      expect(commandOf(event)).toBeNull();
    }
  });

  test("are all on the list of keys", () => {
    const listed = helpLines().map(([key]) => key);
    for (const key of ["p", "1", "2", "3", "4", "+", "0", ",", ".", "a", "x", "?"]) {
      expect(commandOf({ key, ctrlKey: false, metaKey: false, altKey: false })).not.toBeNull();
      expect(listed).toContain(key);
    }
  });
});

test("the cursor enters at an edge and stays in the picture", () => {
  expect(steppedCursor(null, -1, [0, 100])).toBe(99);
  expect(steppedCursor(null, 1, [0, 100])).toBe(1);
  expect(steppedCursor(100, 1, [0, 100])).toBe(100);
});
