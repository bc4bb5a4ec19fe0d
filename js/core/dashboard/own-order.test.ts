import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildGroups, type Panel } from "../charts/groups";
import { isPinned, matching, ordered, runsOf, toggledPin } from "./own-order";

function panelsOf(names: readonly string[]): readonly Panel[] {
  const catalog = names.map((metric, id) => {
    return { id, host: "h0", entity: "user", metric, unit: "", kind: "gauge", labels: {} };
  });
  return buildGroups(catalog, [], null)[0]?.panels ?? [];
}

const titles = (panels: readonly Panel[]) => panels.map(({ title }) => title);

describe("a search finds", () => {
  const all = panelsOf("train/loss val/loss train/lr Layer1/w layer10/v acc*".split(" "));

  test.each([
    ["", 5],
    ["  ", 5],
    ["loss", 1],
    ["LOSS", 1],
    ["val", 1],
    ["train/", 2],
    ["layer1", 2],
    ["layer1/", 1],
    ["layer??/v", 1],
    ["layer*", 2],
    ["*/?", 2],
    ["*", 5],
    ["loss*", 1],
    ["*lr", 1],
    ["[", 0],
    ["nothing", 0],
  ])('by "%s" %i', (text, count) => {
    expect(matching(all, text)).toHaveLength(count);
  });
});

describe("order", () => {
  const all = panelsOf("opt/lr opt/wd loss val/acc train/acc opt/m x/y".split(" "));
  const told = (pinned: string[]) =>
    ordered(all, pinned).map(({ panel, heading }) => [heading, panel.title]);

  test("is that in which they came, with what begins alike together", () => {
    expect(told([])).toEqual([
      ["opt", "opt/lr"],
      ["opt", "opt/wd"],
      ["opt", "opt/m"],
      ["Others", "loss"],
      ["Others", "acc"],
      ["Others", "x/y"],
    ]);
  });

  test("has what is pinned first, as it was pinned, and the rest as before", () => {
    expect(told(["loss", "gone", "opt/m"])).toEqual([
      ["Pinned", "loss"],
      ["Pinned", "opt/m"],
      ["opt", "opt/lr"],
      ["opt", "opt/wd"],
      ["Others", "acc"],
      ["Others", "x/y"],
    ]);
  });

  test("needs no headings where all begin alike, or all differently", () => {
    for (const names of ["a/x a/z1 a/z2", "a b/c d/e"]) {
      const headings = ordered(panelsOf(names.split(" ")), []).map(({ heading }) => heading);
      expect(headings).toEqual([null, null, null]);
    }
  });

  test("loses none and doubles none, and headings stand together", () => {
    const name = fc.stringMatching(/^[ab]\/[a-d]$|^[a-d]$/);
    const some = fc.uniqueArray(name, { maxLength: 12 });
    fc.assert(
      fc.property(some, fc.uniqueArray(name, { maxLength: 4 }), (names, pinned) => {
        const panels = panelsOf(names);
        const placed = ordered(panels, pinned);
        expect(new Set(placed.map(({ panel }) => panel))).toEqual(new Set(panels));
        expect(placed).toHaveLength(panels.length);
        const changes = placed.filter(({ heading }, i) => heading !== placed[i - 1]?.heading);
        const headings = placed.map(({ heading }) => heading);
        expect(changes.length).toBeLessThanOrEqual(new Set(headings).size);
        const runs = runsOf(placed);
        expect(runs.reduce((sum, one) => sum + one, 0)).toBe(placed.length);
        expect(runs).toHaveLength(new Set(headings).size);
      }),
    );
  });
});

test("a pin is kept by name: it holds when a lone chart becomes a pair, and goes for both", () => {
  const [lone] = panelsOf(["train/loss"]);
  const pinned = toggledPin(lone as Panel, ["x"]);
  expect(pinned).toEqual(["x", "train/loss"]);
  const [pair] = panelsOf(["val/loss", "train/loss"]);
  expect(isPinned(pair as Panel, pinned)).toBe(true);
  expect(toggledPin(pair as Panel, pinned)).toEqual(["x"]);
});

test("titles of what is found are those that were there", () => {
  expect(titles(matching(panelsOf(["a/x1", "a/x2"]), "x2"))).toEqual(["a/x2"]);
});
