import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { encodeFrame, encodeKeyframe, encodePacket, encodeRows } from "../core/testing/packets";
import { FeedStore, storeOf } from "./feed-store";
import { FakeModel } from "./testing";

const past = encodeKeyframe(
  3,
  [0, 10, 20],
  [
    {
      id: 0,
      lo: 0,
      hi: 65533,
      codes: [
        [1, 5],
        [2, 4],
      ],
    },
  ],
);

function feed(traits: Record<string, unknown> = {}): FakeModel {
  return new FakeModel({ wire: [1, 0], snapshot: new DataView(past.slice().buffer), ...traits });
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("FeedStore", () => {
  test("has the past from the snapshot before any message, and the present from messages", () => {
    const model = feed();
    const source = new FeedStore(model.asModel());
    expect(source.extent()).toEqual([0, 20]);

    model.deliver(encodeFrame(4, [[0, 21, 7]]));

    expect(source.last(0)).toEqual({ time: 21, value: 7 });
  });

  test("leaves the kernel in peace once the session is over", () => {
    const model = feed();
    const source = new FeedStore(model.asModel());
    source.attach();
    model.deliver(encodeFrame(4, [], { state: { phase: "stopped", t0: 0, t1: 20 } }));
    model.sent.length = 0;

    vi.advanceTimersByTime(3_600_000);

    expect(model.sent).toEqual([]);
  });

  test("greets the kernel for each view and stays heard of while one is there", () => {
    const model = feed();
    const source = new FeedStore(model.asModel());
    const kinds = () => model.sent.map((message) => message["kind"]);

    const leave = source.attach();
    const leaveToo = source.attach();
    leave();
    leave();
    vi.advanceTimersByTime(45_000);
    expect(kinds()).toEqual(["hello", "hello", "seen", "seen"]);

    leaveToo();
    vi.advanceTimersByTime(100_000);
    expect(kinds()).toHaveLength(4);
  });

  test("asks for what each view lacks, and waits for the kernel to be free", () => {
    const model = feed();
    const source = new FeedStore(model.asModel());

    source.request([0, 9], 1, 2, 600);
    source.request([0, 9], 3, 9, 600);

    expect(model.sent).toEqual([
      { kind: "range", request: 1, ids: [0], t0: 1, t1: 2, points: 600 },
      { kind: "range", request: 2, ids: [0], t0: 3, t1: 9, points: 600 },
    ]);
    source.request([0], 4, 9, 500);
    expect(model.sent, "what is asked for already is not asked for again").toHaveLength(2);
    model.deliver(encodeRows({ request: 1, ids: [0], t0: 1, t1: 2, reduced: [] }, [[0, 1, 1]]));
    expect(source.pending()).toBe(true);
    model.sent.length = 0;

    model.deliver(encodeRows({ request: 2, ids: [0], t0: 3, t1: 9, reduced: [] }, [[0, 3, 1]]));
    expect(source.pending()).toBe(false);
    source.request([0], 3, 9, 600);
    expect(model.sent).toEqual([]);
  });

  test("waits for no answer of a kernel that is gone", () => {
    const running = { state: { phase: "running" } };
    const model = feed();
    const source = new FeedStore(model.asModel());
    model.deliver(encodeFrame(4, [[0, 21, 7]], running));
    source.request([0], 1, 9, 600);
    expect(source.pending()).toBe(true);

    model.disconnect();
    expect(source.pending()).toBe(false);
    model.sent.length = 0;
    source.request([0], 3, 4, 600);
    expect(model.sent).toEqual([]);

    const late = new FeedStore(model.asModel());
    late.request([0], 3, 4, 600);
    expect(late.pending()).toBe(false);
  });

  test("asks for all series of a large machine, as many at once as the kernel answers", () => {
    const many = Array.from({ length: 2300 }, (_, id) => id);
    const codes = [[1, 5] as const, [2, 4] as const];
    const envelopes = many.map((id) => ({ id, lo: 0, hi: 65533, codes }));
    const snapshot = new DataView(encodeKeyframe(3, [0, 10, 20], envelopes).slice().buffer);
    const model = feed({ snapshot });

    new FeedStore(model.asModel()).request(many, 1, 9, 600);

    const asked = model.sent.map((message) => (message as unknown as { ids: number[] }).ids);
    expect(asked.map((ids) => ids.length)).toEqual([1000, 1000, 300]);
    expect(asked.flat()).toEqual(many);
  });

  test("says what is wrong when the kernel speaks another version", () => {
    const source = new FeedStore(feed({ wire: [2, 0] }).asModel());

    expect(source.problem).toContain("Upgrade this page's pulse_widgets");
  });

  test("takes a manager that gave its comms up for a restart, and says no more to the kernel", () => {
    const running = { state: { phase: "running" } };
    const model = feed();
    const source = new FeedStore(model.asModel());
    model.deliver(encodeFrame(4, [[0, 21, 7]], running));
    source.attach();

    model.disconnect();
    vi.advanceTimersByTime(45_000);

    expect(source.ended()).toBe("restarted");
    expect(model.sent).toEqual([{ kind: "hello" }]);
  });

  test("keeps what is known better of how the kernel went", () => {
    const model = feed();
    const source = new FeedStore(model.asModel());
    model.deliver(encodeFrame(4, [[0, 21, 7]], { state: { phase: "running" } }));

    source.end("died");
    model.disconnect();

    expect(source.ended()).toBe("died");
  });

  describe("asks for a keyframe", () => {
    function watched() {
      const model = feed();
      const source = new FeedStore(model.asModel());
      source.attach();
      model.deliver(encodeFrame(4, [[0, 21, 7]]));
      model.sent.length = 0;
      return { model, source };
    }
    const until = (seq: number, end: number) =>
      encodeKeyframe(seq, [0, end], [{ id: 0, lo: 0, hi: 65533, codes: [[1, 5]] }]);

    test("once, when frames were lost", () => {
      const { model } = watched();

      model.deliver(encodeFrame(6, [[0, 23, 7]]));
      model.deliver(encodeFrame(9, [[0, 24, 7]]));
      vi.advanceTimersByTime(10_000);

      expect(model.sent).toEqual([{ kind: "hello" }]);
    });

    test("again, when more were lost after it came", () => {
      const { model } = watched();

      for (const seq of [6, 8, 10]) {
        model.deliver(encodeFrame(seq, [[0, 20 + seq, 7]]));
        vi.advanceTimersByTime(2_000);
        model.deliver(until(seq, 21 + seq));
      }

      expect(model.sent).toEqual([{ kind: "hello" }, { kind: "hello" }, { kind: "hello" }]);
    });

    test("when a frame could not be read", () => {
      vi.spyOn(console, "error").mockImplementation(() => {});
      const { model } = watched();

      model.deliver(encodePacket({ kind: "frame" }));
      model.deliver(encodeFrame(6, [[0, 23, 7]]));
      vi.advanceTimersByTime(2_000);

      expect(model.sent).toEqual([{ kind: "hello" }]);
    });

    test("but not when one comes unasked, nor when nothing is missing", () => {
      const { model } = watched();

      model.deliver(encodeFrame(6, [[0, 23, 7]]));
      model.deliver(until(6, 23));
      model.deliver(encodeFrame(7, [[0, 24, 7]]));
      vi.advanceTimersByTime(10_000);

      expect(model.sent).toEqual([]);
    });

    test("although an older one comes, which does not tell what was lost", () => {
      const { model } = watched();

      model.deliver(encodeFrame(6, [[0, 23, 7]]));
      model.change("snapshot", new DataView(until(4, 21).slice().buffer));
      vi.advanceTimersByTime(2_000);

      expect(model.sent).toEqual([{ kind: "hello" }]);
    });

    test("but not of a page that shows no view", () => {
      const model = feed();
      new FeedStore(model.asModel());

      model.deliver(encodeFrame(4, [[0, 21, 7]]));
      model.deliver(encodeFrame(6, [[0, 23, 7]]));
      vi.advanceTimersByTime(10_000);

      expect(model.sent).toEqual([]);
    });
  });

  test("takes a new snapshot for a keyframe", () => {
    const model = feed();
    const source = new FeedStore(model.asModel());
    model.deliver(encodeFrame(4, [[0, 21, 7]]));
    const next = encodeKeyframe(
      5,
      [0, 10, 30],
      [
        {
          id: 0,
          lo: 0,
          hi: 65533,
          codes: [
            [1, 5],
            [2, 9],
          ],
        },
      ],
    );

    model.change("snapshot", new DataView(next.slice().buffer));

    expect(source.keyframe).toEqual(next);
    expect(source.extent()).toEqual([0, 30]);
  });

  test("survives a packet it cannot read", () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const model = feed();
    const source = new FeedStore(model.asModel());

    model.deliver(encodePacket({ kind: "frame" }));
    model.deliver(encodeFrame(4, [[0, 21, 7]]));

    expect(source.last(0)?.value).toBe(7);
  });
});

describe("storeOf", () => {
  test("gives all views of a feed one source, and a new feed of the same id its own", () => {
    const [one, other] = [feed(), feed()];

    const source = storeOf(one.asModel(), "a");

    expect(storeOf(one.asModel(), "a")).toBe(source);
    expect(storeOf(other.asModel(), "a")).not.toBe(source);
    expect(storeOf(one.asModel(), "b")).not.toBe(source);
  });

  test("forgets a closed feed once nobody looks at it", () => {
    const closed = feed();
    const source = storeOf(closed.asModel(), "closed");
    const leave = source.attach();
    closed.comm_live = false;

    storeOf(feed().asModel(), "next");
    expect(storeOf(closed.asModel(), "closed")).toBe(source);

    leave();
    storeOf(feed().asModel(), "after");
    expect(storeOf(closed.asModel(), "closed")).not.toBe(source);
  });
});
