/** One store, whoever brings the packets; and what was kept never hides what was told. */

import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { columns } from "../source";
import { encodePacket, frameOf, kept, keyframeOf, recorded } from "../testing/packets";
import { type Arrival, arrivalOf, tryArrival } from "./channel";
import { LiveStore } from "./live-store";
import { Store } from "./store";

function golden(name: string): Uint8Array {
  return readFileSync(new URL(`../../../tests/data/wire/${name}.bin`, import.meta.url));
}

describe("a store of recorded packets", () => {
  const arrivals = ["frame", "keyframe", "rows"].map((name) => arrivalOf(golden(name)));

  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("answers as one that takes them one by one", () => {
    const heard = new LiveStore(recorded(arrivals));
    const taken = new Store();
    for (const arrival of arrivals) taken.take(arrival);

    expect(heard.catalog().length).toBeGreaterThan(1);
    expect(heard.catalog()).toEqual(taken.catalog());
    expect(heard.extent()).toEqual(taken.extent());
    expect(heard.moments()).toEqual(taken.moments());
    expect(heard.spans()).toEqual(taken.spans());
    expect([...(heard.keyframe ?? [])]).toEqual([...golden("keyframe")]);
    for (const { id } of heard.catalog()) {
      const [one, other] = [columns(), columns()];
      const [t0, t1] = heard.extent();
      heard.range(id, t0, t1, 100, one);
      taken.range(id, t0, t1, 100, other);
      expect(one.length).toBeGreaterThan(0);
      expect(one).toEqual(other);
    }
  });

  test("shows what they say", () => {
    const store = new LiveStore(recorded(arrivals));

    const [t0, out] = [1_760_000_000, columns()];
    store.range(1, t0, t0 + 0.9, 1000, out);
    expect([...out.max.subarray(0, 2)]).toEqual([1.5, 2.5]);
    expect(store.moments()).toMatchObject([{ time: 1.5, metric: "mark" }]);
    expect(store.extent()[0]).toBeGreaterThanOrEqual(t0);
  });

  test("asks its channel, whatever that is", () => {
    const channel = recorded(arrivals);
    const store = new LiveStore(channel);

    const leave = store.attach();
    store.request([0], 1_760_000_000, 1_760_000_004, 600);
    vi.advanceTimersByTime(25_000);
    leave();

    expect(channel.asked.map((one) => (one as { kind: string }).kind)).toEqual([
      "hello",
      "range",
      "seen",
    ]);
    expect(store.pending()).toBe(true);
    expect(store.abandoned).toBe(false);
  });

  test("takes packets that never were bytes", () => {
    const bare = arrivals.map((arrival) => ({ ...arrival, bytes: null }));
    const store = new LiveStore(recorded(bare));

    expect(store.catalog()).toEqual(new LiveStore(recorded(arrivals)).catalog());
    expect(store.keyframe).toBe(null);
  });
});

test.each([
  ["nothing", new Uint8Array()],
  ["no packet", new TextEncoder().encode("this is no packet at all")],
  ["a frame without its rows", encodePacket({ kind: "frame", seq: 1, n: 3 })],
])("%s is refused and said", (_, bytes) => {
  const said = vi.spyOn(console, "error").mockImplementation(() => {});

  expect(() => arrivalOf(bytes)).toThrow();
  expect(tryArrival(bytes)).toBe(null);
  expect(said).toHaveBeenCalledOnce();
  said.mockRestore();
});

// What is kept for later ----------------------------------------------------------------------

const LINE = [{ id: 0, lo: 0, hi: 65533, codes: [[1, 5] as const] }];

/** What a kernel tells of a disk, in full or redacted. */
function about(mount: string, path: string, message: string, phase = "running") {
  return {
    series: [{ id: 0, host: "h0", entity: mount, metric: "disk.used", unit: "B", kind: "gauge" }],
    entities: [{ host: "h0", entity: mount, labels: { device: path } }],
    state: { phase, t0: 0, t1: null, recording: { path, bytes: 5 } },
    moments: [{ time: 1, host: "h0", entity: mount, metric: "alert", facts: { message } }],
  };
}

const FULL = about("fs:/home/me", "/home/me/run", "/home/me is full");
const REDACTED = about("fs:mount-1", "run", "<path> is full");
const ENDED = about("fs:mount-1", "run", "<path> is full", "stopped");

const frame = (seq: number) => frameOf(seq, [[0, 10 + seq, 7]], FULL);
const plainFrame = (seq: number) => frameOf(seq, [[0, 10 + seq, 7]]);
const whole = (seq: number) => keyframeOf(seq, [0, 10 + seq], LINE, FULL);
const snapshot = (seq: number) => kept(keyframeOf(seq, [0, 10 + seq], LINE, REDACTED));
const last = (seq: number) => kept(keyframeOf(seq, [0, 10 + seq], LINE, ENDED));

function known(arrivals: readonly Arrival[]) {
  const store = new Store();
  for (const arrival of arrivals) store.take(arrival);
  return {
    entities: store.catalog().map((one) => one.entity),
    labels: store.entities(),
    path: store.state().recording.path,
    messages: store.moments().map(({ facts }) => facts["message"]),
    phase: store.state().phase,
    store,
  };
}

const IN_FULL = {
  entities: ["fs:/home/me"],
  labels: FULL.entities,
  path: "/home/me/run",
  messages: ["/home/me is full"],
};

const ORDERS: readonly (readonly [string, readonly Arrival[]])[] = [
  ["frames alone", [frame(1), snapshot(1)]],
  ["a keyframe", [whole(1), snapshot(1), plainFrame(2), snapshot(3)]],
  ["a keyframe after a reload", [snapshot(1), whole(2)]],
  ["a frame and a keyframe after a reload", [snapshot(1), plainFrame(2), snapshot(2), whole(2)]],
  ["a keyframe between many", [snapshot(1), snapshot(2), whole(3), snapshot(4), last(4)]],
];

test.each(ORDERS)("what %s told stays, whatever was kept", (_, arrivals) => {
  expect(known(arrivals)).toMatchObject(IN_FULL);
});

test("a page that only has what was kept shows that, and each newer one", () => {
  const said = known([snapshot(1), last(2)]);

  expect(said).toMatchObject({ entities: ["fs:mount-1"], path: "run", phase: "stopped" });
  expect(said.messages).toEqual(["<path> is full"]);
  expect(said.store.extent()).toEqual([0, 12]);
});

test("what was kept at the end of a session says that it is over", () => {
  expect(known([whole(1), plainFrame(2), last(2)])).toMatchObject({ ...IN_FULL, phase: "stopped" });
});

test("what is kept at the end brings the size of the finished recording, and no other text", () => {
  const store = new Store();
  const told = (path: string, bytes: number, phase = "stopped") => {
    return keyframeOf(9, [0, 10], [], { state: { phase, recording: { path, bytes } } });
  };

  store.take(told("/home/ada/run", 500));
  store.take(kept(told("<path>", 70)));

  expect(store.state().recording).toMatchObject({ path: "/home/ada/run", bytes: 70 });
  store.take(told("/home/ada/run", 500, "running"));
  store.take(kept(told("<path>", 70, "running")));
  expect(store.state().recording).toMatchObject({ path: "/home/ada/run", bytes: 500 });
});

test("only what was kept may be saved, however new the rest is", () => {
  const [first, second] = [snapshot(1), snapshot(3)];

  expect(known([whole(1), plainFrame(2)]).store.kept).toBe(null);
  expect(known([first, whole(4)]).store.kept).toBe(first.bytes);
  expect(known([first, whole(2), second, whole(3)]).store.kept).toBe(second.bytes);
});

test("what was kept heals the samples that were missed", () => {
  const { store } = known([frame(1), plainFrame(4), snapshot(4)]);

  const out = columns();
  store.range(0, 0, 20, 100, out);
  expect(out.length).toBeGreaterThan(2);
  expect(out.time[0]).toBeLessThan(11);
});

test("of two keyframes of one moment the page keeps the one that tells all", () => {
  const [told, later] = [whole(3), snapshot(5)];

  expect(known([told, snapshot(3)]).store.keyframe).toBe(told.bytes);
  expect(known([snapshot(3), told]).store.keyframe).toBe(told.bytes);
  expect(known([told, later]).store.keyframe).toBe(later.bytes);
});

test.each([3, 4])("a coarse one that was kept makes room for a finer one with number %i", (seq) => {
  const fine = Array.from({ length: 10 }, (_, i) => [i, i + 1] as const);
  const edges = Array.from({ length: 11 }, (_, i) => i);
  const store = new Store();
  const heights = () => {
    const out = columns();
    store.range(0, 0, 10, 1000, out);
    return new Set(out.max.subarray(0, out.length)).size;
  };

  store.take(kept(keyframeOf(3, [0, 10], [{ id: 0, lo: 0, hi: 65533, codes: [[0, 11]] }])));
  expect(heights()).toBe(1);
  store.take(keyframeOf(seq, edges, [{ id: 0, lo: 0, hi: 65533, codes: fine }]));
  expect(heights()).toBe(10);
  store.take(kept(keyframeOf(3, [0, 10], [{ id: 0, lo: 0, hi: 65533, codes: [[0, 11]] }])));
  expect(heights()).toBe(10);
});
