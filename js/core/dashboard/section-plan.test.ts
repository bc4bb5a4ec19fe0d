import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FakeSource, type Scenario } from "../../dev/fake-source";
import { SCENARIOS } from "../../dev/scenarios";
import { buildGroups } from "../charts/groups";
import { axesOf, sectionsOf } from "./section-plan";
import { type Action, initialState, reduce } from "./view-state";

function sections(name: string, actions: readonly Action[] = [], columns = 3, asked = false) {
  const source = new FakeSource(SCENARIOS[name] as Scenario);
  const groups = buildGroups(source.catalog(), source.entities(), null);
  const chosen = groups.map((group) => ({ ...group, hinted: false }));
  const gpus = (SCENARIOS[name] as Scenario).gpus > 0;
  const state = actions.reduce(reduce, initialState("all"));
  return sectionsOf(chosen, state, { asked, columns, gpus, young: false });
}

const titles = (all: ReturnType<typeof sections>) => all.map(({ title }) => title);
const open = (all: ReturnType<typeof sections>) =>
  all.filter((one) => one.open).map(({ title }) => title);

describe("the compact view", () => {
  test("has the user's metrics first, then the GPUs, and our own cost last", () => {
    expect(titles(sections("eight"))).toEqual([
      "Your metrics",
      "GPU",
      "Power and thermal",
      "Interconnect",
      "CPU",
      "Memory",
      "Disk and network",
      "Kernel process",
      "The monitor itself",
    ]);
  });

  test.each([
    ["eight", ["Your metrics", "GPU"], ["GPU utilization", "GPU memory used", "Power"]],
    ["nogpu", ["Your metrics", "CPU"], ["CPU utilization", "Memory used", "Process CPU"]],
  ])("of %s opens one row of what matters", (name, opened, first) => {
    const all = sections(name);
    expect(open(all)).toEqual(opened);
    const lead = all.find(({ title }) => title === opened[1]);
    expect(lead?.panels.slice(0, lead.shown).map(({ title }) => title)).toEqual(first);
  });

  test.each(Object.keys(SCENARIOS))("of %s loses no chart and has none twice", (name) => {
    const source = new FakeSource(SCENARIOS[name] as Scenario);
    const groups = buildGroups(source.catalog(), source.entities(), null);
    const keys = (all: readonly { panels: readonly { key: string }[] }[]) =>
      all.flatMap(({ panels }) => panels.map(({ key }) => key)).sort();
    expect(keys(sections(name))).toEqual(keys(groups));
  });

  test("shows all of it at once, and less again, with what was folded meanwhile", () => {
    const all = sections("eight", [{ type: "all", all: true }]);
    expect(open(all)).toEqual(titles(all));
    expect(all.every(({ panels, shown }) => shown >= Math.min(panels.length, 48))).toBe(true);
    const fold = { type: "open", group: "CPU", open: false } as const;
    const folded = sections("eight", [{ type: "all", all: true }, fold]);
    expect(titles(folded).filter((title) => !open(folded).includes(title))).toEqual(["CPU"]);
    const back = [{ type: "all", all: true }, fold, { type: "all", all: false }] as const;
    expect(open(sections("eight", back))).toEqual(["Your metrics", "GPU"]);
  });

  test("opens and folds what the viewer wants, whatever stood open at first", () => {
    const acted = sections("eight", [
      { type: "open", group: "GPU", open: false },
      { type: "open", group: "Memory", open: true },
    ]);
    expect(open(acted)).toEqual(["Your metrics", "Memory"]);
  });

  test("of chosen metrics shows all of them", () => {
    const all = sections("eight", [], 3, true);
    expect(all.every((one) => one.open && one.shown === one.panels.length)).toBe(true);
  });

  test("fills its row where two stand beside one another", () => {
    expect(sections("eight", [], 2).find(({ title }) => title === "GPU")?.shown).toBe(4);
  });
});

test("a session that has just begun keeps the places of what is still to come", () => {
  const source = new FakeSource(SCENARIOS["nogpu"] as Scenario);
  const early = source.catalog().filter(({ metric }) => metric.startsWith("cpu."));
  const groups = buildGroups(early, source.entities(), null);
  const chosen = groups.map((group) => ({ ...group, hinted: false }));
  const plan = (young: boolean) =>
    sectionsOf(chosen, initialState("all"), { asked: false, columns: 3, gpus: false, young });
  expect(plan(true).find(({ title }) => title === "CPU")?.waiting).toEqual([1, 2]);
  expect(plan(false).find(({ title }) => title === "CPU")?.waiting).toEqual([]);
});

test("of charts above one another over one axis the lowest alone has its labels", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean()), fc.integer({ min: 1, max: 3 }), (byStep, columns) => {
      const axes = axesOf(byStep, columns);
      for (const [place, own] of byStep.entries()) {
        const below = place + columns < byStep.length && byStep[place + columns] === own;
        expect(axes[place]).toBe(!below);
      }
    }),
  );
});
