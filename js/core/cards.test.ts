import { describe, expect, test } from "vitest";
import { absencesOf, cardsOf, recordingCards, startingOf } from "./cards";
import type { SourceStatus, State } from "./source";

function status(name: string, state: SourceStatus["state"], more: Partial<SourceStatus> = {}) {
  return {
    name,
    state,
    problem: `${name} problem`,
    remedy: `${name} remedy`,
    missing: [],
    ...more,
  };
}

const none = new Set<string>();

describe("cards", () => {
  test("stand in the place of a group that everyone expects, with cause and remedy", () => {
    expect(cardsOf([status("nvml", "absent")], none)).toMatchObject([
      { group: "GPU", why: "nvml problem", remedy: "nvml remedy", fault: false },
    ]);
  });

  test("of one group do not repeat what its first card says", () => {
    const cards = cardsOf([status("nvml", "absent"), status("gpm", "absent")], none);
    expect(cards).toHaveLength(1);
  });

  test("show every fault, even beside charts", () => {
    const faults = [
      status("nvml", "failed"),
      status("gpm", "stalled"),
      status("system", "abandoned"),
    ];
    const cards = cardsOf(faults, new Set(["GPU", "CPU"]));
    expect(cards.map((card) => [card.group, card.fault])).toEqual([
      ["GPU", true],
      ["GPU", true],
      ["CPU", true],
    ]);
  });

  test("are not shown for what works, starts, or was never expected", () => {
    const quiet = [
      status("nvml", "ok"),
      status("system", "starting"),
      status("prometheus", "absent"),
    ];
    expect(cardsOf(quiet, none)).toEqual([]);
  });

  test("a group that has charts needs no card for a source that is merely not there", () => {
    expect(cardsOf([status("nvml", "absent")], new Set(["GPU"]))).toEqual([]);
  });
});

describe("the card of a recording with a problem", () => {
  function titles(phase: State["phase"], problem: string | null) {
    const recording = { path: "/a.pulse", bytes: 1, problem, remedy: null };
    return recordingCards({ phase, recording } as State).map((card) => card.title);
  }

  test.each<[State["phase"], string]>([
    ["running", "The recording is not being saved"],
    ["stopped", "The recording was not saved whole"],
    ["replay", "Something is missing from this recording"],
  ])("says of one that is %s what the problem means there", (phase, title) => {
    expect(titles(phase, "8192 rows are damaged")).toEqual([title]);
    expect(titles(phase, null)).toEqual([]);
  });
});

describe("what is quietly missing", () => {
  test("is every absent source without a card, and every missing field", () => {
    const fan = { what: "gpu.fan", why: "this card has none" };
    const sources = [
      status("nvml", "absent"),
      status("gpm", "absent"),
      status("system", "ok", { missing: [fan] }),
    ];
    const absences = absencesOf(sources, cardsOf(sources, none));
    expect(absences).toEqual([
      { what: "GPU profiling metrics", why: "gpm problem gpm remedy" },
      fan,
    ]);
  });
});

test("sources that have not answered yet are named", () => {
  expect(startingOf([status("nvml", "starting"), status("system", "ok")])).toEqual(["NVIDIA GPUs"]);
});
