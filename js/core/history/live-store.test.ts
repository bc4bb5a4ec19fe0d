import { describe, expect, test } from "vitest";
import { encodeKeyframe, frameOf, kept, keyframeOf, rowsFrom } from "../testing/packets";
import { type Arrival, arrivalOf, type Channel, type Listener, type Request } from "./channel";
import { LiveStore } from "./live-store";

type Range = Extract<Request, { kind: "range" }>;

/** The other end of a page, in the hands of a test. */
class Kernel implements Channel {
  readonly closed = false;
  readonly asked: Request[] = [];
  #listener: Listener | null = null;

  subscribe(listener: Listener): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  send(request: Request): boolean {
    this.asked.push(request);
    return true;
  }

  says(...arrivals: readonly Arrival[]): void {
    for (const arrival of arrivals) this.#listener?.hear(arrival);
  }

  get ranges(): Range[] {
    return this.asked.filter((one): one is Range => one.kind === "range");
  }
}

function page(): { kernel: Kernel; store: LiveStore } {
  const kernel = new Kernel();
  return { kernel, store: new LiveStore(kernel) };
}

const series = (id: number) => ({
  id,
  host: "h0",
  entity: "e",
  metric: `m${id}`,
  unit: "",
  labels: {},
  kind: "gauge",
});

/** What is known of `count` series from 100 to 200, in two buckets. */
function picture(seq: number, count: number, phase = "running", interval = 1): Arrival {
  const ids = Array.from({ length: count }, (_, id) => id);
  const codes = [[1, 5] as const, [2, 4] as const];
  return keyframeOf(
    seq,
    [100, 150, 200],
    ids.map((id) => ({ id, lo: 0, hi: 65533, codes })),
    { series: ids.map(series), state: { phase, t0: 100, interval } },
  );
}

function answer(request: Range): Arrival {
  const { ids, t0, t1 } = request;
  const rows = rowsFrom(
    ids.flatMap(
      (id) =>
        [
          [id, t0, 3],
          [id, t1, 4],
        ] as const,
    ),
  );
  const packet = { ...request, kind: "rows", reduced: [], envelopes: [], odd: [], rows } as const;
  return { packet, bytes: null, kept: false };
}

/** An answer in 400 buckets, which are wider than those that were asked for. */
function told(request: Range): Arrival {
  const edges = Float64Array.from({ length: 401 }, (_, i) => 100 + i / 4);
  const flat = new Float64Array(400).fill(3);
  const [missing, step] = [new Uint8Array(400), null];
  const envelope = { edges, min: flat, max: flat, mean: flat, missing, step, slack: 0 };
  const { packet } = answer(request);
  if (packet.kind !== "rows") throw new Error("an answer has rows");
  const instead = { ...packet, rows: rowsFrom([]), envelopes: [{ id: 0, envelope }] };
  return { packet: instead, bytes: null, kept: false };
}

describe("what is stale", () => {
  const frame = frameOf(4, [[0, 201, 3]]);
  const late = (seq: number, id: number) => frameOf(seq, [[id, 201 + seq, 3]]);
  const snapshot = (phase: string) => kept(picture(3, 1, phase));

  test.each([
    ["nothing heard", [], false],
    ["a kept picture", [snapshot("running")], true],
    ["one kept picture after another", [snapshot("running"), kept(picture(9, 1))], true],
    ["the picture of a session that had ended", [snapshot("stopped")], false],
    ["a picture that was sent", [picture(3, 1)], false],
    ["a frame after it", [snapshot("running"), frame], false],
    ["a picture sent after it", [snapshot("running"), picture(3, 1)], false],
    ["a frame that is no newer", [snapshot("running"), frameOf(3, [[0, 199, 3]])], true],
    ["a frame after few that were lost", [snapshot("running"), frameOf(9, [[9, 201, 3]])], false],
    ["a frame after many that were lost", [snapshot("running"), frameOf(90, [[9, 201, 3]])], true],
    ["and the frame after it", [snapshot("running"), late(90, 9), late(91, 9)], true],
    ["and a kept picture", [snapshot("running"), late(90, 9), kept(picture(91, 1))], true],
    ["and rows of all series", [snapshot("running"), late(90, 9), late(91, 0)], false],
    ["and a picture that was sent", [snapshot("running"), late(90, 9), picture(90, 1)], false],
    ["many lost later", [picture(3, 1), frame, late(90, 9)], false],
    ["a kept picture after what was sent", [picture(3, 1), kept(picture(9, 1))], false],
  ] as const)("%s", (_, arrivals, stale) => {
    const { kernel, store } = page();

    kernel.says(...arrivals);

    expect(store.stale()).toBe(stale);
  });

  test("is as of the kept picture, whatever came since", () => {
    const { kernel, store } = page();

    kernel.says(snapshot("running"), late(90, 9));

    expect(store.stale()).toBe(true);
    expect([store.asOf(), store.extent()[1]]).toEqual([200, 291]);
  });

  test("not when its kernel is known to have gone", () => {
    const { kernel, store } = page();
    kernel.says(snapshot("running"));

    store.end("died");

    expect(store.stale()).toBe(false);
  });
});

describe("after a reload", () => {
  test("the past is asked for once, when the kernel has sent a picture, and no view need do it", () => {
    const { kernel, store } = page();
    kernel.says(kept(picture(3, 2)));
    store.attach();
    kernel.says(
      frameOf(4, [
        [0, 201, 3],
        [1, 201, 3],
      ]),
    );
    expect(kernel.ranges).toEqual([]);

    kernel.says(picture(4, 2));

    const [request] = kernel.ranges as [Range];
    expect(request).toMatchObject({ ids: [0, 1], t0: 100, t1: 201 });
    kernel.says(answer(request), picture(5, 2), picture(6, 2));
    expect(kernel.ranges).toHaveLength(1);
    expect(store.pending()).toBe(false);
  });

  test("series that the kept picture had no room for are asked for when they come", () => {
    const { kernel, store } = page();
    kernel.says(kept(picture(3, 1)));
    store.attach();
    kernel.says(picture(3, 1), picture(4, 3));

    expect(kernel.ranges.map(({ ids }) => ids)).toEqual([[0], [1, 2]]);
  });

  test.each([
    ["a session that is over", "stopped", true],
    ["a page without a view", "running", false],
  ])("%s asks for nothing", (_, phase, view) => {
    const { kernel, store } = page();
    if (view) store.attach();

    kernel.says(picture(3, 2, phase));

    expect(kernel.ranges).toEqual([]);
  });

  test("a page that has every row asks for nothing", () => {
    const { kernel, store } = page();
    store.attach();
    kernel.says(arrivalOf(encodeKeyframe(0, [100], [], { state: { phase: "running", t0: 100 } })));
    kernel.says(frameOf(1, [[0, 101, 3]], { series: [series(0)] }), picture(1, 1));

    expect(kernel.ranges).toEqual([]);
  });

  test.each([
    [1, 1],
    [100, 0.1],
    [2000, 1],
    [2000, 0.1],
  ])("%d series read every %d s are asked for in bounds", (count, interval) => {
    const { kernel, store } = page();
    store.attach();

    kernel.says(picture(3, count, "running", interval));

    const all = kernel.ranges;
    expect(all.flatMap(({ ids }) => ids)).toHaveLength(count);
    expect(all.reduce((sum, one) => sum + one.ids.length * one.points, 0)).toBeLessThan(61_000);
    const rows = all.map(({ ids, t0, t1 }) => (ids.length * (t1 - t0)) / interval);
    expect(rows.reduce((a, b) => a + b, 0)).toBeLessThan(201_000);
  });
});

describe("a request", () => {
  test.each([
    ["all before the session", 10, 90, null],
    ["up to its start", 10, 100, null],
    ["across its start", 50, 150, { t0: 100, t1: 150, points: 300 }],
    ["within it", 110, 150, { t0: 110, t1: 150, points: 600 }],
  ])("%s asks for what can be there", (_, t0, t1, expected) => {
    const { kernel, store } = page();
    kernel.says(picture(3, 1));

    store.request([0], t0, t1, 600);

    const sent = kernel.ranges.map(({ t0, t1, points }) => ({ t0, t1, points }));
    expect(sent).toEqual(expected ? [expected] : []);
    expect(store.pending()).toBe(expected !== null);
  });

  test("that goes further before the start is answered by what came", () => {
    const { kernel, store } = page();
    kernel.says(picture(3, 1));
    store.request([0], 90, 150, 600);
    kernel.says(answer(kernel.ranges[0] as Range));

    for (const by of [10, 20, 40]) store.request([0], 90 - by, 150 - by, 600);

    expect(kernel.ranges).toHaveLength(1);
    expect(store.pending()).toBe(false);
  });

  test("that only moves about within what an envelope told is not sent", () => {
    const { kernel, store } = page();
    kernel.says(picture(3, 1));
    const [span, points] = [100 / 3, 1000];
    store.request([0], 100, 200, (points * 100) / span);
    kernel.says(told(kernel.ranges[0] as Range));

    for (let by = -50; by < 150; by += 0.7) store.request([0], by, by + span, points);

    const further = kernel.ranges.slice(1).filter(({ t1 }) => t1 <= 200);
    expect(further).toEqual([]);
  });

  test("answered by an envelope is not sent again, and one for more detail is", () => {
    const { kernel, store } = page();
    kernel.says(picture(3, 1));
    store.request([0], 100, 200, 1000);
    const [request] = kernel.ranges as [Range];
    kernel.says(told(request));

    store.request([0], 100, 200, 1000);
    store.request([0], 120, 140, 200);
    expect(kernel.ranges).toHaveLength(1);
    store.request([0], 120, 140, 1000);
    expect(kernel.ranges).toHaveLength(2);
  });
});
