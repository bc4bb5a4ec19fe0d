import { expect, test } from "vitest";
import { Readings } from "../../core/dashboard/readings";
import type { Ending } from "../../core/source";
import type { Condition } from "../shared/monitors";
import type { Shows } from "../shared/settings";
import { statusLine } from "./status-line";
import { type About, FakeFeed, FakeMonitors, seriesOf, TRANS } from "./testing";

const GIB = 1024 ** 3;

type Values = Readonly<Record<string, number>>;

const gpu = (busy: number, used: number, watts: number, more: Values = {}): Values => ({
  "gpu.utilization": busy,
  "gpu.memory.used": used * GIB,
  "gpu.memory.total": 80 * GIB,
  "gpu.power": watts,
  ...more,
});
const LOST = gpu(Number.NaN, Number.NaN, Number.NaN);
const HOST: Values = {
  "cpu.utilization": 0.43,
  "memory.used": 12.3 * GIB,
  "memory.total": 64 * GIB,
};

/** Readings at second 100; entities by their ids. */
function feedOf(entities: Readonly<Record<string, Values>>): FakeFeed {
  const all = Object.entries(entities).flatMap(([entity, values]) =>
    Object.entries(values).map(([metric, value]) => [entity, metric, value] as const),
  );
  const feed = new FakeFeed();
  const series = seriesOf(all.map(([entity, metric]): About => [entity, metric]));
  const state = { phase: "running", t0: 0, interval: 1 };
  feed.frame(
    all.map(([, , value], id) => [id, 100, value] as const),
    { series, state },
  );
  return feed;
}

function lineOf(
  entities: Readonly<Record<string, Values>>,
  shows: Shows = "gpus",
  silent = 0,
  condition: Condition = "running",
) {
  const { store } = feedOf(entities);
  const { followed } = new FakeMonitors();
  const now = { ...followed, condition, store };
  return statusLine(now, new Readings(store), { shows, silent }, TRANS);
}

const ONE = { "gpu:0": gpu(0.87, 61.2, 312), host: HOST };
const TWO = { "gpu:0": gpu(0.8, 61, 300), "gpu:1": gpu(0.9, 40, 200), host: HOST };

test.each<[string, Readonly<Record<string, Values>>, Shows, string]>([
  ["one GPU", ONE, "gpus", "GPU 87 % \u00b7 61/80 GiB \u00b7 312 W"],
  ["several GPUs", TWO, "gpus", "2 GPUs 85 % \u00b7 101/160 GiB \u00b7 500 W"],
  ["no GPU", { host: HOST }, "gpus", "CPU 43 % \u00b7 12/64 GiB"],
  ["the machine alone", ONE, "machine", "CPU 43 % \u00b7 12/64 GiB"],
  ["both", ONE, "both", "GPU 87 % \u00b7 61/80 GiB \u00b7 312 W \u00b7 CPU 43 % \u00b7 12/64 GiB"],
  ["both without a GPU", { host: HOST }, "both", "CPU 43 % \u00b7 12/64 GiB"],
  [
    "a GPU that does not tell its power",
    { "gpu:0": { "gpu.utilization": 0.5 } },
    "gpus",
    "GPU 50 %",
  ],
  [
    "a load that is missing",
    { "gpu:0": gpu(Number.NaN, 8, 60) },
    "gpus",
    "GPU \u2013 \u00b7 8/80 GiB \u00b7 60 W",
  ],
])("of %s it says what there is", (_, entities, shows, text) => {
  expect(lineOf(entities, shows)).toMatchObject({ text, alarm: "" });
});

test.each<[string, Readonly<Record<string, Values>>, Shows, string]>([
  ["a lost GPU", { "gpu:0": gpu(0.5, 10, 100), "gpu:1": LOST }, "gpus", "1 GPU lost"],
  ["two lost GPUs", { "gpu:0": LOST, "gpu:1": LOST }, "gpus", "2 GPUs lost"],
  ["a lost GPU, whatever is shown", { "gpu:0": LOST, host: HOST }, "machine", "1 GPU lost"],
  ["a full memory", { "gpu:0": gpu(0.5, 79, 100) }, "gpus", "GPU 0 memory 98 % full"],
  [
    "more than one",
    { "gpu:0": gpu(0.5, 79, 100), "gpu:1": gpu(0.5, 79, 100) },
    "gpus",
    "GPU 0 memory 98 % full and 1 more",
  ],
])("%s is said in words", (_, entities, shows, alarm) => {
  const line = lineOf(entities, shows);

  expect(line?.alarm).toBe(alarm);
  expect(line?.text).not.toBe("");
});

test("a lost GPU takes its memory out of both the sum and the total", () => {
  const line = lineOf({ "gpu:0": gpu(0.5, 10, 100), "gpu:1": LOST });

  expect(line?.text).toBe("2 GPUs 50 % \u00b7 10/80 GiB \u00b7 100 W");
});

test.each<[Condition, string | null]>([
  ["no kernel", null],
  ["foreign", null],
  ["starting", null],
  ["busy", null],
  ["unloaded", null],
  ["absent", null],
  ["mismatch", null],
  ["unasked", null],
  ["idle", null],
  ["running", "GPU 87 % \u00b7 61/80 GiB \u00b7 312 W"],
  ["ended", "Pulse: the monitor has ended"],
  ["dead", null],
  ["failed", null],
])("in the condition %j it says %j", (condition, text) => {
  expect(lineOf(ONE, "gpus", 0, condition)?.text ?? null).toBe(text);
});

test.each<[Ending, string]>([
  ["restarted", "Pulse: the kernel was restarted"],
  ["died", "Pulse: the kernel died"],
  ["shut down", "Pulse: the kernel was shut down"],
  ["replaced", "Pulse: the kernel was replaced"],
])(
  "of a kernel that was %s it says so, and never its last readings as those of now",
  (how, text) => {
    const { store } = feedOf(ONE);
    store.end(how);
    const about = { ...new FakeMonitors().followed, store };
    const line = (condition: Condition) => {
      const shown = { shows: "gpus", silent: 0 } as const;
      return statusLine({ ...about, condition }, new Readings(store), shown, TRANS)?.text;
    };

    expect([line("ended"), line("dead")]).toEqual([text, text]);
    expect([line("starting"), line("unasked"), line("idle")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(line("running")).toBe("Pulse: waiting for readings");
  },
);

test("before the first readings it says that they are awaited", () => {
  const followed = { ...new FakeMonitors().followed, condition: "running" as const };

  const line = statusLine(followed, null, { shows: "gpus", silent: 0 }, TRANS);

  expect(line?.text).toBe("Pulse: waiting for readings");
});

test.each([
  [4, false],
  [6, true],
])("%d s of silence are said: %j", (silent, said) => {
  expect(lineOf(ONE, "gpus", silent)?.text.includes("nothing new for 0:06")).toBe(said);
});

test("the tooltip names the kernel, each GPU up to eight, and the machine", () => {
  const gpus = Array.from({ length: 10 }, (_, i) => [`gpu:${i}`, gpu(0.5, 10, 100)]);
  const details = lineOf({ ...Object.fromEntries(gpus), host: HOST })?.details ?? [];

  expect(details[0]).toBe("Pulse monitor of train.ipynb, kernel Python 3");
  expect(details[1]).toBe("GPU 0: busy 50 %, 10/80 GiB, 100 W");
  expect(details.slice(9)).toEqual(["and 2 more GPUs", "CPU 43 % \u00b7 12/64 GiB"]);
});
