import { nullTranslator } from "@jupyterlab/translation";
import { expect, test } from "vitest";
import type { LiveStore } from "../../core/history/live-store";
import { refusalOf } from "../link/refusal";
import type { Condition, Followed } from "../shared/monitors";
import { type Offer, saidOf, titleOf } from "./states";

const words = nullTranslator.load("pulse_widgets");
const NAMED: Followed = {
  ...{ name: "train.ipynb", session: "s", kernel: "Python 3", condition: "idle" },
  ...{ problem: "", remedy: "", status: null, store: null },
};

const absent = refusalOf(
  { kind: "error", name: "ModuleNotFoundError", text: "No module named 'pulse_widgets'" },
  words,
);

test.each<[Condition, Partial<Followed>, RegExp, readonly Offer[]]>([
  ["no kernel", { name: "" }, /No notebook/, ["launcher"]],
  ["no kernel", {}, /train.ipynb has no kernel/, ["choose kernel"]],
  ["foreign", { kernel: "R" }, /not run Python: R/, ["choose kernel"]],
  ["starting", {}, /Waiting/, []],
  ["starting", { problem: "The connection is lost." }, /lost/, []],
  ["busy", {}, /between cells/, ["retry"]],
  ["unloaded", { problem: "A cell is running." }, /A cell is running/, ["load"]],
  ["absent", absent, /not installed/, ["install", "copy", "retry"]],
  ["mismatch", { problem: "It is older.", remedy: "%pip x" }, /older/, ["copy", "retry"]],
  ["unasked", {}, /Asking/, []],
  ["idle", {}, /No monitor runs/, ["start"]],
  ["running", {}, /waiting for what it measures/, []],
  ["ended", {}, /stopped/, ["start"]],
  ["dead", {}, /has ended/, ["restart"]],
  ["failed", { problem: "Broken." }, /Broken/, ["retry"]],
  ["failed", {}, /cannot be asked/, ["retry"]],
])("%s with %j: a sentence and what helps", (condition, about, sentence, offers) => {
  const said = saidOf({ ...NAMED, ...about, condition }, words);

  expect(said.sentence).toMatch(sentence);
  expect(said.offers).toEqual(offers);
  for (const offer of offers) expect(titleOf(offer, condition, words)).not.toBe("");
});

test("the line that installs is one that can be copied", () => {
  const said = saidOf({ ...NAMED, ...absent }, words);

  expect(said.code).toBe("%pip install pulse_widgets");
});

test("a session that is drawn needs no sentence; one that ended says how", () => {
  const store = (ended: string | null) =>
    ({ ended: () => ended, state: () => ({ recording: { path: "/r/a.pulse" } }) }) as LiveStore &
      unknown;

  const said = (condition: Condition, ended: string | null) =>
    saidOf({ ...NAMED, condition, store: store(ended) }, words);

  expect(said("running", null).sentence).toBeNull();
  expect(said("ended", null).sentence).toMatch(/stopped/);
  expect(said("ended", "restarted").sentence).toMatch(/ended with its kernel/);
  expect(said("ended", null).offers).toEqual(["start", "open recording"]);
});
