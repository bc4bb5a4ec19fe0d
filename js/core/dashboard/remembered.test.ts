import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { FakeSource, type Scenario } from "../../dev/fake-source";
import { SCENARIOS } from "../../dev/scenarios";
import { Choices } from "./choices";
import { type Keep, Memory, NOTHING, readRecord } from "./remembered";

/** Storage that holds so many bytes. */
class Drawer implements Keep {
  readonly texts = new Map<string, string>();
  constructor(readonly most = Number.POSITIVE_INFINITY) {}
  get length(): number {
    return this.texts.size;
  }
  key(place: number): string | null {
    return [...this.texts.keys()][place] ?? null;
  }
  getItem(name: string): string | null {
    return this.texts.get(name) ?? null;
  }
  setItem(name: string, text: string): void {
    if (text.length > this.most) throw new Error("QuotaExceededError");
    this.texts.set(name, text);
  }
  removeItem(name: string): void {
    this.texts.delete(name);
  }
}

test("what one view keeps the next one of the same key has, and no other", () => {
  const drawer = new Drawer();
  new Memory("a", drawer).change({ window: 30, hidden: ["x"], pinned: ["loss"], smooth: 0.6 });
  expect(new Memory("a", drawer).record).toEqual({
    ...NOTHING,
    window: 30,
    hidden: ["x"],
    pinned: ["loss"],
    smooth: 0.6,
  });
  expect(new Memory("b", drawer).record).toEqual(NOTHING);
});

test("without a key, without storage and with a full one a choice lasts as long as the view", () => {
  const drawer = new Drawer();
  const views = [new Memory("", drawer), new Memory("a", null), new Memory("a", new Drawer(3))];
  for (const view of views) {
    view.change({ log: true });
    expect(view.record.log).toBe(true);
  }
  expect(drawer.length).toBe(0);
});

test("whatever stands there is read as a record of the right types, or as none", () => {
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({ version: fc.constant(1), hidden: fc.anything(), smooth: fc.anything() })
      .map((one) => {
        try {
          return JSON.stringify(one) ?? "";
        } catch {
          return "";
        }
      }),
  );
  fc.assert(
    fc.property(anything, (text) => {
      const found = readRecord(text);
      expect(Object.keys(found).sort()).toEqual(Object.keys(NOTHING).sort());
      expect(found.hidden.every((key) => typeof key === "string")).toBe(true);
      expect(found.smooth >= 0 && found.smooth < 1).toBe(true);
    }),
  );
});

test("a record of another version is as none", () => {
  expect(readRecord(JSON.stringify({ version: 2, log: true }))).toEqual(NOTHING);
  expect(readRecord(JSON.stringify({ version: 1, log: true })).log).toBe(true);
});

test("what is kept is bounded: names in a list, and records", () => {
  const drawer = new Drawer();
  const many = Array.from({ length: 2000 }, (_, i) => `line ${i}`);
  for (let i = 0; i < 200; i++) new Memory(`view ${i}`, drawer).change({ hidden: many });
  expect(drawer.length).toBeLessThanOrEqual(51);
  expect(new Memory("view 199", drawer).record.hidden).toHaveLength(500);
});

describe("two views of one notebook", () => {
  test.each([
    [{ pinned: ["loss"] }, { smooth: 0.5 }],
    [{ window: 30 }, { log: true }],
    [{ hidden: ["a"] }, { hidden: ["b"] }],
    [{ all: true }, { opened: ["CPU"], folded: ["GPU"] }],
  ] as const)("keep %j and %j both", (one, other) => {
    const drawer = new Drawer();
    const [first, second] = [new Memory("nb", drawer), new Memory("nb", drawer)];
    first.change(one);
    second.change(other);
    const { record } = new Memory("nb", drawer);
    const both = "hidden" in one && "hidden" in other ? { hidden: ["a", "b"] } : {};
    expect(record).toEqual({ ...NOTHING, ...one, ...other, ...both });
    // What is on screen does not change because of what another view does.
    expect([first.record, second.record]).toEqual([
      { ...NOTHING, ...one },
      { ...NOTHING, ...other },
    ]);
  });

  test("hide and show names of their own, and of those of the other nothing", () => {
    const turn = fc.record({ view: fc.nat(1), name: fc.constantFrom("x", "y", "z") });
    fc.assert(
      fc.property(fc.array(turn), (turns) => {
        const drawer = new Drawer();
        const views = [new Memory("nb", drawer), new Memory("nb", drawer)];
        for (const { view, name } of turns) {
          const memory = views[view] as Memory;
          const own = memory.record.hidden;
          const full = `${view} ${name}`;
          const left = own.filter((one) => one !== full);
          memory.change({ hidden: left.length < own.length ? left : [...own, full] });
        }
        const all = views.flatMap(({ record }) => record.hidden);
        const kept = new Memory("nb", drawer).record.hidden;
        expect([...kept].sort()).toEqual([...all].sort());
      }),
    );
  });

  test("send what the viewer changed, and of the rest nothing", () => {
    const view = () => {
      const source = new FakeSource(SCENARIOS["one"] as Scenario);
      const choices = new Choices(source, { layout: "dashboard", metrics: null, page: "nb" });
      choices.remember();
      return choices;
    };
    const drawer = new Drawer();
    vi.stubGlobal("localStorage", drawer);
    const [first, second] = [view(), view()];
    first.apply({ type: "window", window: 30 });
    first.apply({ type: "all", all: true });
    second.apply({ type: "hide", key: "x" });
    second.apply({ type: "help", open: true });
    vi.unstubAllGlobals();
    const [text] = [...drawer.texts.values()];
    expect(readRecord(text ?? null)).toEqual({
      ...NOTHING,
      window: 30,
      all: true,
      hidden: ["x"],
    });
  });
});
