import { describe, expect, test } from "vitest";
import { arrivalOf } from "../history/channel";
import { encodeKeyframe, frameOf, kept, keyframeOf } from "../testing/packets";
import { WireError } from "../wire/header";
import { readSaved, SavedStore } from "./saved";

const past = encodeKeyframe(0, [0, 1], [], { state: { phase: "running" } });
const text = btoa(String.fromCharCode(...past));

describe("readSaved", () => {
  test("reads the keyframe and the feed", () => {
    const saved = readSaved({ version: 1, feed: "abc", keyframe: text });

    expect(saved.feed).toBe("abc");
    expect(saved.keyframe).toEqual(past);
    expect(readSaved({ version: 1, keyframe: text }).feed).toBeNull();
  });

  test("reads how the kernel went, as far as it is known here", () => {
    const ended = (value: unknown) => readSaved({ version: 1, keyframe: text, ended: value }).ended;

    expect([ended("died"), ended(undefined), ended("abducted")]).toEqual(["died", null, null]);
  });

  test.each([
    null,
    {},
    { version: 1 },
    { version: 1, keyframe: "!" },
    { version: 0, keyframe: text },
  ])("refuses %j", (data) => {
    expect(() => readSaved(data)).toThrow(WireError);
  });

  test("says what to upgrade for a picture of a newer version", () => {
    expect(() => readSaved({ version: 2, keyframe: text })).toThrow(/Upgrade/);
  });
});

describe("SavedStore", () => {
  test("takes nothing in a picture for running until it is heard of", () => {
    const store = new SavedStore();
    store.take(arrivalOf(past));
    expect(store.state().phase).toBe("replay");
    expect(store.stale()).toBe(true);

    store.live = true;
    store.take(frameOf(5, []));

    expect(store.state().phase).toBe("running");
    expect(store.stale()).toBe(false);
    // Nothing is heard of it any more.
    store.live = false;
    expect(store.stale()).toBe(true);
  });

  test("is out of date until all of it came anew, though its session is heard of", () => {
    const store = new SavedStore();
    const one = { id: 0, lo: 0, hi: 65533, codes: [[1, 5] as const] };
    store.take(kept(keyframeOf(0, [0, 1], [one], { state: { phase: "running" } })));

    store.take(frameOf(99, [[7, 50, 1]]));
    store.live = true;
    expect([store.state().phase, store.stale()]).toEqual(["running", true]);

    store.take(keyframeOf(99, [0, 50], [one], { state: { phase: "running" } }));
    expect(store.stale()).toBe(false);
  });

  test("takes the picture of a session that had ended for what it is", () => {
    const store = new SavedStore();
    store.take(arrivalOf(encodeKeyframe(0, [0, 1], [], { state: { phase: "stopped" } })));

    expect(store.stale()).toBe(false);
  });
});
