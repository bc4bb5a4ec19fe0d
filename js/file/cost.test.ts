import { expect, test } from "vitest";
import { LiveStore } from "../core/history/live-store";
import type { Envelope } from "../core/wire/envelope";
import type { KeyframePacket, RowsPacket } from "../core/wire/packet";
import { envelopeOf } from "../core/wire/parts";
import { type CountedFile, memoryFile } from "./access";
import { FRUGAL, type Frugality } from "./limits";
import { openFile } from "./open";
import { bytesOf, Heard, keyframeOf, rowsOf } from "./testing";

const T0 = 1_790_000_000;
/** As if the file were so large that bytes must be spared. */
const SPARING: Frugality = {
  tail: 65_536,
  gap: 1024,
  small: 0,
  firstBlocks: 20_000,
  later: { requests: 20, bytes: 1 << 20 },
  rows: 20_000,
};

/** A file that counts what is read of it. */
function counted(
  name: string,
): CountedFile & { readonly cost: { requests: number; bytes: number } } {
  const file = memoryFile(name, bytesOf(name));
  const cost = { requests: 0, bytes: 0 };
  const count = (bytes: Uint8Array<ArrayBuffer>) => {
    cost.requests++;
    cost.bytes += bytes.length;
    return bytes;
  };
  return {
    ...file,
    cost,
    read: async (begin, end) => count(await file.read(begin, end)),
    tail: async (most) => count(await file.tail(most)),
  };
}

test("the first picture of a long recording costs its coarse blocks, and encloses every value", async () => {
  const file = counted("long");
  const channel = await openFile(file, SPARING);
  const heard = new Heard(channel);
  channel.send({ kind: "hello" });
  const coarse = (await heard.at(0)) as KeyframePacket;
  expect(file.cost.requests).toBeLessThanOrEqual(5);
  expect(file.cost.bytes).toBeLessThan(SPARING.tail + SPARING.firstBlocks + 16_000);

  const better = (await heard.at(1)) as KeyframePacket;
  const exact = await openFile(memoryFile("long", bytesOf("long")));
  const whole = new Heard(exact);
  exact.send({ kind: "hello" });
  const right = (await whole.at(0)) as KeyframePacket;
  expect(right.last?.every((one) => one !== null)).toBe(true);
  expect(better.last).toEqual(right.last);
  for (const [row, id] of right.ids.entries()) {
    const [ours, theirs] = [envelopeOf(coarse, row), envelopeOf(right, row)] as [
      Envelope,
      Envelope,
    ];
    const slack = ours.slack + theirs.slack;
    const isEnclosed = theirs.min.every((least, i) => {
      const [low, high] = [ours.min[i] as number, ours.max[i] as number];
      return (
        Number.isNaN(least) || (low <= least + slack && high >= (theirs.max[i] as number) - slack)
      );
    });
    expect(isEnclosed, `series ${id}`).toBe(true);
    // An outage is a gap, however coarse the picture.
    expect([...ours.missing].some(Boolean)).toBe([...theirs.missing].some(Boolean));
  }
});

/** The second picture of a recording, and the requests that were made after the first. */
async function secondOf(name: string, later: Frugality["later"]) {
  const file = counted(name);
  const channel = await openFile(file, { ...SPARING, tail: 12_000, later });
  const [heard, made] = [new Heard(channel), [] as number[]];
  channel.subscribe({ hear: () => made.push(file.cost.requests) });
  channel.send({ kind: "hello" });
  const better = (await heard.at(1)) as KeyframePacket;
  return { better, requests: (made[1] as number) - (made[0] as number) };
}

test("what is fetched after the first picture keeps to its room", async () => {
  const frugal = await secondOf("long", { requests: 2, bytes: 0 });
  expect(frugal.requests).toBe(0);
  const rich = await secondOf("long", { requests: 20, bytes: 1 << 20 });
  expect(rich.requests).toBeGreaterThan(0);
});

test("events are fetched, however little room there is", async () => {
  const right = await keyframeOf(await openFile(memoryFile("hard", bytesOf("hard"))));
  const { better, requests } = await secondOf("hard", { requests: 2, bytes: 0 });
  expect(requests).toBe(1);
  expect(right.moments.length + right.spans.length).toBeGreaterThan(0);
  expect(better.moments).toEqual(right.moments);
  expect(better.spans).toEqual(right.spans);
});

const WINDOWS: readonly (readonly [number, number])[] = [
  [100, 110],
  [9_995, 10_010],
  [18_590, 18_610],
  [12_000, 12_030],
];

test.each(WINDOWS)(
  "a look from %d to %d s reads a few pages, and has every row",
  async (from, to) => {
    const file = counted("long");
    const sparing = await openFile(file, SPARING);
    const heard = new Heard(sparing);
    sparing.send({ kind: "hello" });
    await heard.at(1);
    const before = file.cost.bytes;
    const ours = await rowsOf(sparing, T0 + from, T0 + to, 1000, [0, 1]);
    expect(file.cost.bytes - before).toBeLessThan(bytesOf("long").length / 3);
    const exact = await openFile(memoryFile("long", bytesOf("long")));
    const theirs = await rowsOf(exact, T0 + from, T0 + to, 1000, [0, 1]);
    const rows = ({ rows, envelopes }: RowsPacket) => [
      [...rows.time],
      [...rows.value],
      envelopes.length,
    ];
    expect(rows(ours)).toEqual(rows(theirs));
  },
);

test("one reading in 220 000 is there at every zoom", async () => {
  const channel = await openFile(counted("long"), SPARING);
  const heard = new Heard(channel);
  channel.send({ kind: "hello" });
  const { series } = (await heard.at(1)) as KeyframePacket;
  const { id } = series.find(({ metric }) => metric === "gpu.temperature") as { id: number };
  for (const half of [20_000, 2000, 200, 20, 2, 0.2]) {
    const { rows, envelopes } = await rowsOf(channel, T0 + 18_600 - half, T0 + 18_600 + half, 500, [
      id,
    ]);
    const most = envelopes[0]?.envelope.max ?? rows.value;
    expect(Math.max(...[...most].filter((one) => !Number.isNaN(one)))).toBe(9000);
  }
});

test("a store that is given the channel draws what was recorded", async () => {
  const channel = await openFile(memoryFile("hard", bytesOf("hard")), FRUGAL);
  const store = new LiveStore(channel);
  const heard = new Heard(channel);
  const detach = store.attach();
  await heard.at(0);
  expect(store.state()).toMatchObject({ phase: "replay", title: "The case hard" });
  expect(store.catalog().map(({ metric }) => metric)).toContain("disk.read");
  const [first, last] = store.extent();
  expect([first, last]).toEqual([T0, expect.any(Number)]);
  const ids = store.catalog().map(({ id }) => id);
  store.request(ids, T0 + 1234, T0 + 1235, 500);
  await heard.at(1);
  expect(store.pending()).toBe(false);
  detach();
  channel.close();
});
