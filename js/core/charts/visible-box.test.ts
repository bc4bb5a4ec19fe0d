// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";
import { Tip, visibleBox } from "./tip";

/** Left, top, right, bottom in the page. */
type Rect = readonly [number, number, number, number];

function placed(el: HTMLElement, [left, top, right, bottom]: Rect, overflow = "visible"): void {
  el.style.overflow = overflow;
  el.getBoundingClientRect = () => new DOMRect(left, top, right - left, bottom - top);
}

/** A dashboard within elements of a page of 1000 x 800, the outermost first. */
function dashboard(own: Rect, ...around: readonly (readonly [Rect, string])[]): HTMLElement {
  let into: HTMLElement | ShadowRoot = document.body;
  for (const [rect, overflow] of around) {
    const el = document.createElement("div");
    placed(el, rect, overflow);
    into.append(el);
    into = el;
  }
  const el = document.createElement("div");
  el.className = "pulse";
  placed(el, own);
  into.append(el);
  return el;
}

function page(): void {
  const { documentElement } = document;
  vi.spyOn(documentElement, "clientWidth", "get").mockReturnValue(1000);
  vi.spyOn(documentElement, "clientHeight", "get").mockReturnValue(800);
}

afterEach(() => {
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

test.each<[string, Rect, (readonly [Rect, string])[], Rect]>([
  ["all of it", [10, 20, 900, 500], [], [10, 20, 900, 500]],
  ["not what the page has scrolled away", [10, -300, 900, 1500], [], [10, 0, 900, 800]],
  [
    "only what a panel that scrolls shows",
    [700, -300, 1000, 1500],
    [[[700, 60, 1000, 460], "auto"]],
    [700, 60, 1000, 460],
  ],
  [
    "the innermost of several",
    [700, -300, 1000, 1500],
    [
      [[700, 60, 1000, 460], "hidden"],
      [[700, 100, 1000, 700], "auto"],
    ],
    [700, 100, 1000, 460],
  ],
  [
    "more than what lets it hang over",
    [0, 0, 300, 600],
    [[[0, 0, 300, 50], "visible"]],
    [0, 0, 300, 600],
  ],
  ["nothing of what is elsewhere", [0, 900, 300, 1500], [], [0, 900, 300, 900]],
])("what is seen of a dashboard is %s", (_, own, around, seen) => {
  page();
  expect(visibleBox(dashboard(own, ...around))).toEqual(seen);
});

test("a shadow root is looked out of", () => {
  page();
  const panel = document.createElement("div");
  placed(panel, [700, 60, 1000, 460], "auto");
  document.body.append(panel);
  const el = document.createElement("div");
  placed(el, [700, -300, 1000, 1500]);
  panel.attachShadow({ mode: "open" }).append(el);

  expect(visibleBox(el)).toEqual([700, 60, 1000, 460]);
});

test("in a panel that scrolls a tooltip stays in what is seen", () => {
  page();
  const root = dashboard([700, -300, 1000, 1500], [[700, 60, 1000, 460], "auto"]);
  const plot = document.createElement("div");
  placed(plot, [710, 380, 990, 480]);
  root.append(plot);
  vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(120);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(90);

  new Tip(plot).show(200, 70, { head: "now", lines: [], notes: [] });

  // Left of the pointer, and no lower than the panel: 366 px of the page are 666 px of the whole.
  const tip = root.querySelector<HTMLElement>(".pulse-tip");
  expect(tip?.style.transform).toBe("translate(76px, 666px)");
});
