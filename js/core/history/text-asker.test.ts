import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { encodePacket, frameOf, keyframeOf } from "../testing/packets";
import { arrivalOf, type Channel, type Listener, type Request } from "./channel";
import { LiveStore } from "./live-store";
import { ENDLESS } from "./text-log";

type Text = Extract<Request, { kind: "printed" }>;

/** The other end: it has printed some lines, and says so when a test wants it. */
class Kernel implements Channel {
  closed = false;
  reaches = true;
  readonly asked: Request[] = [];
  listener: Listener = { hear: () => undefined };

  subscribe(listener: Listener): () => void {
    this.listener = listener;
    return () => undefined;
  }

  send(request: Request): boolean {
    if (this.reaches) this.asked.push(request);
    return this.reaches;
  }

  get texts(): Text[] {
    return this.asked.filter((one): one is Text => one.kind === "printed");
  }

  get switches(): boolean[] {
    return this.asked.flatMap((one) => (one.kind === "lines" ? [one.on] : []));
  }

  state(phase: string, busy = false): void {
    this.listener.hear(keyframeOf(1, [0, 1], [], { state: { phase, t0: 0, kernel: { busy } } }));
  }

  answers({ request, t0, t1 }: Text, times: readonly number[], more = false): void {
    const lines = times.map((time) => ({ series: 0, time, text: `${time}` }));
    this.listener.hear(arrivalOf(encodePacket({ kind: "lines", request, t0, t1, lines, more })));
  }
}

function page(phase = "running") {
  const kernel = new Kernel();
  const store = new LiveStore(kernel);
  kernel.state(phase);
  const times = () => store.lines().map(({ time }) => time);
  return { kernel, store, times, printed: store.printed };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("new lines are sent", () => {
  test("while somebody looks, however many", () => {
    const { kernel, printed } = page();
    const [first, second] = [printed.watch(), printed.watch()];
    expect(kernel.switches).toEqual([true]);
    first();
    first();
    expect(kernel.switches).toEqual([true]);
    second();
    expect(kernel.switches).toEqual([true, false]);
  });

  test("also by a kernel that has forgotten it, or another view's page", () => {
    const { kernel, store, printed } = page();
    const leave = store.attach();
    const off = printed.watch();
    vi.advanceTimersByTime(45_000);
    expect(kernel.switches).toEqual([true, true, true]);
    off();
    vi.advanceTimersByTime(45_000);
    expect(kernel.switches).toEqual([true, true, true, false]);
    leave();
  });
});

describe("an answer", () => {
  test("is complete from then on while somebody looks, and no longer", () => {
    const { kernel, printed, times } = page();
    const off = printed.watch();
    printed.want(-Infinity, Infinity, 100);
    const [asked] = kernel.texts as [Text];
    expect(asked).toMatchObject({ t0: 0, t1: ENDLESS, most: 100 });
    // Whoever answers was told before that lines are wanted.
    expect(kernel.asked.at(-2)).toMatchObject({ kind: "lines", on: true });

    kernel.answers(asked, [5, 6], true);
    kernel.listener.hear(frameOf(2, [], { lines: [{ series: 0, time: 8, text: "8" }] }));

    expect(times()).toEqual([5, 6, 8]);
    expect(printed.known()).toEqual([{ t0: 5, t1: Infinity }]);
    off();
    expect(printed.known()).toEqual([{ t0: 5, t1: 8 }]);
  });

  test("is not when a frame was lost", () => {
    const { kernel, printed } = page();
    printed.watch();
    printed.want(0, Infinity, 100);
    kernel.answers(kernel.texts[0] as Text, [5, 6]);
    kernel.listener.hear(frameOf(2, [[0, 7, 1]]));
    kernel.listener.hear(frameOf(4, [[0, 9, 1]]));
    expect(printed.known()).toEqual([{ t0: 0, t1: 6 }]);
  });

  test("of a session that is over is complete for good", () => {
    const { kernel, printed } = page("replay");
    const off = printed.watch();
    printed.want(0, Infinity, 100);
    kernel.answers(kernel.texts[0] as Text, [5, 6]);
    off();
    expect(printed.known()).toEqual([{ t0: 0, t1: Infinity }]);
  });

  test("is awaited before anything else is asked", () => {
    const { kernel, printed } = page();
    printed.want(0, 10, 100);
    printed.want(20, 30, 100);
    expect(kernel.texts).toHaveLength(1);
    kernel.answers(kernel.texts[0] as Text, []);
    printed.want(20, 30, 100);
    expect(kernel.texts.map(({ t0 }) => t0)).toEqual([0, 20]);
  });

  test("tells the views of lines, and of nothing else", () => {
    const { kernel, store, printed } = page();
    const told: unknown[] = [];
    printed.want(0, 10, 100);
    store.subscribe((change) => told.push(change));
    kernel.answers(kernel.texts[0] as Text, [1]);
    expect(told).toEqual([
      { series: false, entities: false, state: false, events: false, samples: false, lines: true },
    ]);
  });
});

describe("without an answer", () => {
  test("it is overdue after a while in which no cell ran, and asked again later", () => {
    const { kernel, printed } = page();
    expect(printed.awaited()).toBe("none");
    printed.want(0, 10, 100);
    expect(printed.awaited()).toBe("awaited");

    kernel.state("running", true);
    vi.advanceTimersByTime(300_000);
    expect(printed.awaited()).toBe("awaited");

    kernel.state("running", false);
    vi.advanceTimersByTime(14_000);
    expect(printed.awaited()).toBe("awaited");
    vi.advanceTimersByTime(2_000);
    expect(printed.awaited()).toBe("overdue");
    printed.want(0, 10, 100);
    expect(kernel.texts).toHaveLength(1);
    vi.advanceTimersByTime(60_000);
    printed.want(0, 10, 100);
    expect(kernel.texts).toHaveLength(2);

    kernel.answers(kernel.texts[1] as Text, [4]);
    expect(printed.awaited()).toBe("none");
  });

  test("nobody can be asked", () => {
    const { kernel, printed } = page();
    kernel.reaches = false;
    printed.want(0, 10, 100);
    expect(printed.awaited()).toBe("unreachable");
    kernel.reaches = true;
    printed.want(0, 10, 100);
    expect(printed.awaited()).toBe("awaited");
  });

  test("a kernel that is gone is not asked", () => {
    const { kernel, store, printed } = page();
    store.end("died");
    printed.want(0, 10, 100);
    expect([printed.awaited(), kernel.texts]).toEqual(["unreachable", []]);
  });

  test("what is refused is not asked for again and again", () => {
    const { kernel, printed } = page();
    printed.want(0, 10, 100);
    kernel.listener.refused?.((kernel.texts[0] as Text).request);
    expect(printed.awaited()).toBe("refused");
    printed.want(0, 10, 100);
    expect(kernel.texts).toHaveLength(1);
    printed.want(20, 30, 100);
    expect(kernel.texts).toHaveLength(2);
  });
});
