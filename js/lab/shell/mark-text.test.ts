import { expect, test } from "vitest";
import type { GpuUse } from "./cell-use";
import { markText } from "./mark-text";
import { TRANS } from "./testing";

const RUN = { start: 100, end: 112.5, outcome: "" } as const;
const GIB = 1024 ** 3;
const USE: GpuUse = {
  gpus: 1,
  busy: 8.25,
  whyNotBusy: "",
  peak: { bytes: 41.5 * GIB, label: "GPU 0" },
  whyNoPeak: "",
  lacking: "",
};

test.each<[string, GpuUse | null, RegExp]>([
  ["nothing of GPUs", null, /^The last run took 12.5 s, until [^\n]*$/],
  ["one GPU", USE, /the GPU was busy for 8.25 s, whoever used it.\nAt most 41.5 GiB of its memory/],
  [
    "two GPUs",
    { ...USE, gpus: 2, peak: { bytes: 3 * GIB, label: "GPU 1" } },
    /2 GPUs were busy for 8.25 s together.*\nThe most memory in use on one GPU: 3 GiB, on GPU 1./,
  ],
  [
    "a gap",
    { ...USE, busy: null, whyNotBusy: "gap", lacking: "GPU 3" },
    /is not known: GPU 3 gave no readings for a part of it/,
  ],
  [
    "a monitor that began late",
    { ...USE, busy: null, whyNotBusy: "not covered", peak: null, whyNoPeak: "not covered" },
    /peak of GPU memory is not known: the monitor did not run all the time/,
  ],
  [
    "a run between two readings",
    { ...USE, busy: null, whyNotBusy: "too short", peak: null, whyNoPeak: "too short" },
    /not known: the run was too short for the readings/,
  ],
])("a mark of %s is one line, and the rest is in its tooltip", (_, use, title) => {
  const mark = markText(RUN, use, false, TRANS);

  expect(mark.line).toBe("12.5 s");
  expect(mark.title).toMatch(title);
});

test.each([
  ["", "12.5 s", /^The last run took 12.5 s, until /],
  ["failed", "\u2717 failed", /^The last run failed after 12.5 s, at /],
  ["interrupted", "\u25a0 stopped", /^The last run was interrupted after 12.5 s, at /],
] as const)("of a run that ended as %j a sign and a word tell", (outcome, line, title) => {
  for (const use of [null, USE]) {
    const mark = markText({ ...RUN, outcome }, use, false, TRANS);
    expect(mark.line).toBe(line);
    expect(mark.title).toMatch(title);
    expect(mark.title).not.toMatch(outcome === "" ? /failed|interrupted/ : /took/);
  }
});

test.each([
  [0.0123, "12.3 ms"],
  [59.4, "59.4 s"],
  [59.7, "1:00"],
  [123.4, "2:03"],
  [7384, "2:03:04"],
])("%d s beside a prompt are %j, and in full in the tooltip", (seconds, text) => {
  const mark = markText({ start: 100, end: 100 + seconds, outcome: "" }, null, false, TRANS);

  expect(mark.line).toBe(text);
  expect(mark.title).toMatch(/took [\d.]+ (ms|s|min|h)/);
});

test("an edit is said, and the numbers stay", () => {
  const mark = markText(RUN, USE, true, TRANS);

  expect(mark.line).toBe(markText(RUN, USE, false, TRANS).line);
  expect(mark.title).toMatch(/The cell was edited since\.$/);
});
