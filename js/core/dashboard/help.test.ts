// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import { Help } from "./help";

afterEach(() => {
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

/** Where the list stands in a page of so many pixels, and how high it may be. */
function opened(top: number, bottom: number, seen: number): [number, number] {
  const { documentElement } = document;
  vi.spyOn(documentElement, "clientWidth", "get").mockReturnValue(300);
  vi.spyOn(documentElement, "clientHeight", "get").mockReturnValue(seen);
  const root = document.createElement("div");
  root.getBoundingClientRect = () => new DOMRect(0, top, 300, bottom - top);
  const help = new Help(() => undefined);
  root.append(help.el);
  document.body.append(root);
  help.show(true, root);
  const { style } = help.el;
  return [Number.parseInt(style.top, 10), Number.parseInt(style.maxHeight, 10)];
}

test.each([
  ["the whole of it is seen", 0, 1400, 1600],
  ["its head has scrolled away", -700, 700, 500],
  ["only its end is seen", -1200, 200, 500],
  ["the panel is low", 0, 1400, 200],
  ["the panel is low and has scrolled", -600, 800, 200],
])("the list of keys is within what is seen where %s", (_, top, bottom, page) => {
  const [from, most] = opened(top, bottom, page);
  const [first, last] = [Math.max(0, -top), Math.min(bottom, page) - top];

  expect(from).toBeGreaterThanOrEqual(first);
  expect(from + most).toBeLessThanOrEqual(last);
  expect(most).toBeGreaterThanOrEqual(120);
});

test("of one chart it is higher than that, and hangs over its end", () => {
  expect(opened(0, 110, 800)).toEqual([8, 120]);
});
