import fc from "fast-check";
import { expect, test } from "vitest";
import type { Condition } from "../shared/monitors";
import { FakeFeed, FakeMonitors } from "./testing";
import { Watch } from "./watch";

function watching(wanted = () => true) {
  const monitors = new FakeMonitors();
  const watch = new Watch(monitors.asMonitors, wanted);
  monitors.changed.connect(() => watch.update());
  return { monitors, watch };
}

test.each<[readonly Condition[], number]>([
  [["unasked"], 0],
  [["idle"], 0],
  [["starting"], 0],
  [["absent"], 0],
  [["running"], 1],
  [["running", "ended"], 1],
  [["running", "starting", "running"], 1],
  [["running", "idle"], 0],
  [["running", "dead"], 0],
  [["running", "dead", "starting", "unasked"], 0],
])("after %j so many look: %d", (conditions, watchers) => {
  const { monitors } = watching();

  for (const condition of conditions) monitors.say(condition);

  expect(monitors.watchers).toBe(watchers);
});

test("a kernel that begins anew is left alone", () => {
  const { monitors } = watching();
  const { store } = new FakeFeed();
  monitors.say("running", { store });

  store.end("restarted");
  monitors.say("starting");
  monitors.say("unasked");

  expect(monitors.watchers).toBe(0);
});

test("whoever comes back to a page or a notebook looks again, though nobody was asked since", () => {
  let isVisible = true;
  const { monitors, watch } = watching(() => isVisible);
  monitors.say("running");
  isVisible = false;
  watch.update();
  monitors.say("unasked");
  expect(monitors.watchers).toBe(0);

  isVisible = true;
  watch.update();
  expect(monitors.watchers).toBe(1);

  monitors.say("unasked", { session: "s2" });
  expect(monitors.watchers).toBe(0);
  monitors.say("unasked", { session: "s1" });
  expect(monitors.watchers).toBe(1);
});

test("one that tells of a change while it is asked to be looked at is looked at once", () => {
  const { monitors } = watching();
  const look = monitors.watch.bind(monitors);
  monitors.watch = () => {
    const held = look();
    monitors.say("starting");
    return held;
  };

  monitors.say("running");

  expect([monitors.watchers, monitors.looks]).toEqual([1, 1]);
});

const CONDITIONS = fc.constantFrom<Condition>(
  ...(["no kernel", "starting", "busy", "unasked", "idle", "running", "ended"] as const),
  ...(["dead", "failed", "absent", "unloaded"] as const),
);
const EVENTS = fc.array(fc.tuple(CONDITIONS, fc.constantFrom("s1", "s2", null), fc.boolean()), {
  maxLength: 30,
});

test("nobody is looked at twice, unwanted, or before a monitor was heard there", () => {
  fc.assert(
    fc.property(EVENTS, (events) => {
      let wanted = true;
      const { monitors, watch } = watching(() => wanted);
      const heard = new Set<string | null>();
      for (const [condition, session, isWanted] of events) {
        wanted = isWanted;
        if (condition === "running") heard.add(session);
        monitors.say(condition, { session });
        expect([0, 1]).toContain(monitors.watchers);
        if (!wanted || session === null || !heard.has(session)) expect(monitors.watchers).toBe(0);
        else if (condition === "running") expect(monitors.watchers).toBe(1);
      }
      watch.dispose();
      expect(monitors.watchers).toBe(0);
    }),
  );
});
