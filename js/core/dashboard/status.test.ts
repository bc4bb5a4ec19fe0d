import { expect, test } from "vitest";
import { FakeSource, type Scenario } from "../../dev/fake-source";
import { SCENARIOS } from "../../dev/scenarios";
import { Store } from "../history/store";
import type { Source } from "../source";
import type { State } from "../state.gen";
import { keyframeOf } from "../testing/packets";
import { clockText } from "../vocabulary/time-text";
import { statusOf } from "./status";
import { initialState, reduce } from "./view-state";

function sourceOf(name: string, change: Partial<State> = {}): Source {
  const source = new FakeSource(SCENARIOS[name] as Scenario);
  source.setState(change);
  return source;
}

const said = (source: Source, view = initialState(300)) => {
  const { word, detail, tone } = statusOf(source, view, 0, "");
  return [word, detail, tone];
};

test("a replay of a session that was still running says of when it is", () => {
  const at = 1_790_000_100;
  const when = `as of ${clockText(at)}, the session was running`;
  expect(said(sourceOf("replay", { as_of: at }))).toEqual(["Replay", when, "past"]);
  for (const over of [{ as_of: null }, {}]) {
    expect(said(sourceOf("replay", over))[1]).not.toContain("running");
  }
});

test("what a replay says of its moment comes through the wire", () => {
  const store = new Store();
  const state = { phase: "replay", t0: 0, t1: 100, as_of: 1_790_000_100 };
  store.take(keyframeOf(0, [0, 100], [{ id: 0, lo: 0, hi: 1, codes: [[0, 0]] }], { state }));
  expect(said(store)[1]).toContain("the session was running");
});

test("a picture that may be out of date is not called live", () => {
  const source = sourceOf("one");
  expect(said(source)[0]).toBe("Live");
  source.stale = () => true;
  const last = source.extent()[1];
  expect(said(source)).toEqual(["Catching up", `as of ${clockText(last)}`, "held"]);
  expect(statusOf(source, initialState(300), 0, "").stale).toBe(true);
});

test.each([
  [{ type: "pause", at: 1_790_000_010 } as const, "Paused"],
  [{ type: "range", range: [1_790_000_000, 1_790_000_010] } as const, "Zoomed"],
])("%o is said", (action, word) => {
  expect(said(sourceOf("one"), reduce(initialState(300), action))[0]).toBe(word);
});
