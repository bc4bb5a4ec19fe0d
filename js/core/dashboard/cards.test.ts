import { describe, expect, test } from "vitest";
import type { SourceState, State } from "../state.gen";
import { absencesOf, cardsOf, recordingCards, startingOf } from "./cards";

function status(name: string, state: SourceState["state"], more: Partial<SourceState> = {}) {
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
  test("say of what, why, and what to try", () => {
    expect(cardsOf([status("nvml", "failed")], none)).toMatchObject([
      { group: "GPU", why: "nvml problem", remedy: "nvml remedy", fault: true },
    ]);
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

  test("a machine without GPUs has no card for them: the footer says it", () => {
    const sources = [status("nvml", "absent"), status("gpm", "absent")];
    expect(cardsOf(sources, none)).toEqual([]);
    expect(absencesOf(sources, []).map(({ what }) => what)).toEqual([
      "NVIDIA GPUs",
      "GPU profiling metrics",
    ]);
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
      { what: "NVIDIA GPUs", why: "nvml problem nvml remedy" },
      { what: "GPU profiling metrics", why: "gpm problem gpm remedy" },
      { what: "Fan", why: "this card has none" },
    ]);
  });

  test.each([
    ["gpu:0 gpu.power", "Power, GPU 0"],
    ["gpu:0 to gpu:7 gpu.power", "Power, GPU 0 to GPU 7"],
    ["gpu:0, gpu:3 fan.speed", "GPU 0, GPU 3 fan.speed"],
    ["gpu:0, gpu:2, gpu:4 and 3 more", "GPU 0, GPU 2, GPU 4 and 3 more"],
    ["gpu:0/mig:1 gpu.power", "Power, GPU 0 · MIG 1"],
    ["host cpu.utilization", "CPU utilization, host"],
    ["pid:7/gpu:0 gpu.power", "Power, process 7 · GPU 0"],
    ["fs:/data 1 gpu.power", "Power, fs:/data 1"],
    ["npu:1 npu.power", "NPU power, NPU 1"],
    ["npu:1 npu.fan", "NPU 1 npu.fan"],
    ["npu:1", "NPU 1"],
    ["", ""],
  ])("is worded as on the charts: %s", (what, said) => {
    const sources = [status("npu", "ok", { group: "NPU", missing: [{ what, why: "why" }] })];
    const titles = new Map([["npu.power", "NPU power"]]);
    expect(absencesOf(sources, [], titles)).toEqual([{ what: said, why: "why" }]);
  });
});

describe("a source of another package", () => {
  const npu = { title: "My NPU", group: "NPU" };

  test("is called by its title, and its card stands under its heading", () => {
    expect(cardsOf([status("npu", "absent", npu)], none)).toEqual([
      {
        group: "NPU",
        title: "My NPU: not available here",
        why: "npu problem",
        remedy: "npu remedy",
        fault: false,
      },
    ]);
    expect(startingOf([status("npu", "starting", npu)])).toEqual(["My NPU"]);
  });

  test("that is not there is told of quietly where its heading has charts", () => {
    const sources = [status("npu", "absent", npu)];
    const cards = cardsOf(sources, new Set(["NPU"]));
    expect(cards).toEqual([]);
    expect(absencesOf(sources, cards)[0]?.what).toBe("My NPU");
  });

  test("has its card between ours", () => {
    const sources = [
      status("user", "failed"),
      status("prometheus", "failed"),
      status("ups", "failed", { title: "Rack", group: "UPS" }),
      status("npu", "failed", npu),
      status("amd", "failed", { title: "AMD", group: "GPU" }),
    ];
    const groups = cardsOf(sources, new Set(["NPU"])).map((card) => card.group);
    expect(groups).toEqual(["Your metrics", "GPU", "NPU", "UPS", "Other metrics"]);
  });

  test("that says neither goes by its name, as in older recordings", () => {
    for (const said of [{}, { title: "", group: " " }]) {
      const sources = [status("npu", "failed", said), status("ups", "absent", said)];
      const cards = cardsOf(sources, none);
      expect(cards).toMatchObject([
        { group: "Other metrics", title: "npu: stopped with an error" },
      ]);
      expect(absencesOf(sources, cards)[0]?.what).toBe("ups");
    }
  });

  test("cannot rename one of ours", () => {
    const nvml = status("nvml", "failed", { title: "Cards", group: "Cards" });
    expect(cardsOf([nvml], none)).toMatchObject([
      { group: "GPU", title: "NVIDIA GPUs: stopped with an error" },
    ]);
  });
});

test("sources that have not answered yet are named", () => {
  expect(startingOf([status("nvml", "starting"), status("system", "ok")])).toEqual(["NVIDIA GPUs"]);
});
