import { nullTranslator } from "@jupyterlab/translation";
import { expect, test } from "vitest";
import type { LiveStore } from "../../core/history/live-store";
import { ENDINGS } from "../../core/source";
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
  ["no kernel", { problem: "The kernel of b was shut down." }, /of b was shut/, ["follow"]],
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
  expect(said("ended", null).detail).toBe("Its recording: a.pulse");
  expect(said("ended", null).offers).toEqual(["start", "open recording", "show recording"]);
});

test("a session that was not recorded says so, and offers nothing to open", () => {
  const session = { running: false, title: "", t0: 0, path: null, feed: null };
  const status = { kind: "status", version: 1, package: "1", disabled: false, session } as const;

  const said = saidOf({ ...NAMED, condition: "ended", status }, words);

  expect([said.detail, said.offers]).toEqual(["Nothing was recorded.", ["start"]]);
});

const ENDED = ENDINGS.flatMap((ending) =>
  (["ended", "idle", "no kernel", "dead"] as const).map(
    (condition) => [ending, condition] as const,
  ),
);

test.each(ENDED)(
  "%s, then %s: how it ended, where it is, and what helps here",
  (how, condition) => {
    const state = () => ({ recording: { path: "/r/a.pulse" } });
    const store = { ended: () => how, state } as unknown as LiveStore;

    const { sentence, detail, offers } = saidOf({ ...NAMED, condition, store }, words);

    expect(sentence).toMatch(/(kernel.*ended|shut down)/);
    expect(sentence).not.toMatch(/No monitor/);
    expect(detail).toBe("Its recording: a.pulse");
    expect(offers.slice(1)).toEqual(["open recording", "show recording"]);
  },
);
