import fc from "fast-check";
import { expect, test } from "vitest";
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
