/** A directory is followed while it grows: bytes come, journals become parts, writers join and end. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Arrival } from "../../core/history/channel";
import { LiveStore } from "../../core/history/live-store";
import { columns } from "../../core/source";
import type { FramePacket, Packet } from "../../core/wire/packet";
import type { RecordingChannel } from "../recording";
import { openDirectory } from "./open";
import { MemoryFolder } from "./testing";

const DATA = new URL("../../../tests/data/running/", import.meta.url).pathname;
const WRITER = "w-h0-1-1790000000000000";
const JOURNAL = `${WRITER}/journal-000001.arrows`;
const OLDER = `${WRITER}/journal-000000.arrows`;
const PART = `${WRITER}/part-000000.parquet`;

let isHidden = false;
const gone = vi.fn();
const again = vi.fn();
let channel: RecordingChannel | null = null;

beforeEach(() => {
  vi.useFakeTimers();
  isHidden = false;
  gone.mockReset();
  again.mockReset();
});

afterEach(() => {
  channel?.close();
  channel = null;
  vi.useRealTimers();
});

/** The directory `crashed`, as if its writer were at work, with the first bytes of its journal. */
function growing(bytes: number): { folder: MemoryFolder; whole: Uint8Array<ArrayBuffer> } {
  const folder = MemoryFolder.of(`${DATA}crashed.pulse`);
  folder.silentFor = 1;
  const whole = folder.files.get(JOURNAL) as Uint8Array<ArrayBuffer>;
  folder.files.set(JOURNAL, whole.slice(0, bytes));
  return { folder, whole };
}

async function followed(folder: MemoryFolder) {
  channel = await openDirectory(folder, { hidden: () => isHidden, gone, again });
  const packets: Packet[] = [];
  channel.subscribe({ hear: ({ packet }: Arrival) => packets.push(packet) });
  const store = new LiveStore(channel);
  store.attach();
  await vi.advanceTimersByTimeAsync(0);
  folder.asked.length = 0;
  return { channel, store, packets };
}

const seconds = (count: number) => vi.advanceTimersByTimeAsync(1000 * count);

/** All that a page knows of every series. */
function known(store: LiveStore): Record<string, [number[], number[]]> {
  const [t0, t1] = store.extent();
  const found: Record<string, [number[], number[]]> = {};
  for (const { id, metric } of store.catalog()) {
    const out = columns();
    store.range(id, t0 - 1, t1 + 1, 20_000, out);
    // A rate is counted from another first moment, which rounds in another way.
    const cut = (column: Float64Array) =>
      Array.from(column.subarray(0, out.length), (one) => Number(one.toPrecision(9)));
    found[metric] = [cut(out.min), cut(out.max)];
  }
  return found;
}

/** What a page knows that opens the whole directory at once, and asks for all of it. */
async function atOnce(): Promise<{ store: LiveStore; frames: number }> {
  const folder = MemoryFolder.of(`${DATA}crashed.pulse`);
  const whole = await followed(folder);
  const [t0, t1] = whole.store.extent();
  const ids = whole.store.catalog().map(({ id }) => id);
  whole.store.request(ids, t0 - 1, t1 + 1, 20_000);
  await seconds(1);
  whole.channel.close();
  return { store: whole.store, frames: whole.packets.length };
}

test.each([1, 7, 100, 997])("in steps of %d bytes the same comes as at once", async (step) => {
  const all = await atOnce();
  const { folder, whole } = growing(600);
  const { store, packets } = await followed(folder);
  const ids = () => store.catalog().map(({ id }) => id);
  const [t0, t1] = all.store.extent();
  store.request(ids(), t0 - 1, t1 + 1, 20_000);
  await seconds(0);

  for (let bytes = 600; bytes < whole.length; bytes += Math.max(step, whole.length / 40)) {
    folder.files.set(JOURNAL, whole.slice(0, bytes));
    await seconds(1);
  }
  folder.files.set(JOURNAL, whole);
  await seconds(1);

  store.request(ids(), t0 - 1, t1 + 1, 20_000);
  await seconds(0);
  expect(known(store)).toEqual(known(all.store));
  expect(store.spans()).toEqual(all.store.spans());
  expect(store.moments()).toEqual(all.store.moments());
  const frames = packets.filter((packet): packet is FramePacket => packet.kind === "frame");
  expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, i) => i + 1));
  expect(store.lost()).toBe(0);
  expect(store.state().phase).toBe("running");
});

test("only the new bytes of the journal are asked for, and a list every five seconds", async () => {
  const { folder, whole } = growing(3000);
  await followed(folder);
  folder.files.set(JOURNAL, whole.slice(0, 4000));

  await seconds(10);

  const lists = folder.asked.filter((asked) => asked.startsWith("list"));
  expect(lists).toEqual(["list ", `list ${WRITER}`, "list ", `list ${WRITER}`]);
  const begins = folder.asked.flatMap((asked) => /since \S+ (\d+)/.exec(asked)?.[1] ?? []);
  expect(begins).toEqual(["3000", ...Array(9).fill("4000")]);
  expect(folder.asked).toHaveLength(14);
});

test("how large its files are is told as they grow", async () => {
  const { folder, whole } = growing(3000);
  const { store } = await followed(folder);
  const before = store.state().recording.bytes;
  folder.files.set(JOURNAL, whole);

  await seconds(6);

  expect(store.state().recording.bytes - before).toBe(whole.length - 3000);
  expect(store.state().phase).toBe("running");
  expect(store.lost()).toBe(0);
});

test("a writer that is quiet is asked less often, until something comes", async () => {
  const { folder, whole } = growing(3000);
  const { packets } = await followed(folder);
  const polls = () => folder.asked.filter((asked) => asked.startsWith("since")).length;
  await seconds(30);
  expect(polls()).toBeGreaterThanOrEqual(29);
  folder.asked.length = 0;

  await seconds(60);
  expect(polls()).toBeLessThanOrEqual(13);
  expect(polls()).toBeGreaterThanOrEqual(11);
  folder.files.set(JOURNAL, whole);
  await seconds(5);
  expect(packets.some(({ kind }) => kind === "frame")).toBe(true);

  folder.asked.length = 0;
  await seconds(10);
  expect(polls()).toBeGreaterThanOrEqual(9);
});

test("nothing is asked for while nobody looks", async () => {
  const { folder } = growing(3000);
  await followed(folder);
  isHidden = true;
  await seconds(60);
  expect(folder.asked).toEqual([]);

  isHidden = false;
  await seconds(1);
  expect(folder.asked).not.toEqual([]);
});

test.each([0, 500, 3000, 4500, Infinity])(
  "a journal of which %d bytes were read becomes a part: the rest comes, and nothing twice",
  async (bytes) => {
    const all = await atOnce();
    const folder = MemoryFolder.of(`${DATA}crashed.pulse`);
    folder.silentFor = 1;
    const [older, newer] = [OLDER, JOURNAL].map((name) => folder.files.get(name));
    const part = folder.files.get(PART) as Uint8Array<ArrayBuffer>;
    folder.files.delete(PART);
    folder.files.delete(JOURNAL);
    folder.files.set(OLDER, (older as Uint8Array<ArrayBuffer>).slice(0, bytes));
    const { store } = await followed(folder);

    folder.files.set(PART, part);
    folder.files.delete(OLDER);
    folder.files.set(JOURNAL, newer as Uint8Array<ArrayBuffer>);
    await seconds(1);

    const [t0, t1] = all.store.extent();
    const ids = store.catalog().map(({ id }) => id);
    store.request(ids, t0 - 1, t1 + 1, 20_000);
    await seconds(0);
    expect(again).not.toHaveBeenCalled();
    expect(known(store)).toEqual(known(all.store));
    expect(store.spans()).toEqual(all.store.spans());
    expect(store.moments()).toEqual(all.store.moments());
  },
);

test("a writer that joins, or that ends, makes it be read anew", async () => {
  const { folder } = growing(3000);
  await followed(folder);
  folder.files.set("w-h0-2-2/journal-000000.arrows", new Uint8Array(0));
  await seconds(6);
  expect(again).toHaveBeenCalledTimes(1);

  again.mockReset();
  channel?.close();
  const other = growing(3000);
  await followed(other.folder);
  other.folder.silentFor = 31;
  await seconds(6);
  expect(again).toHaveBeenCalledTimes(1);
  // It is over: nothing more is asked for.
  other.folder.asked.length = 0;
  await seconds(30);
  expect(other.folder.asked).toEqual([]);
});

test("a directory that is gone is told of, once", async () => {
  const { folder } = growing(3000);
  await followed(folder);
  folder.files.clear();
  await seconds(10);
  expect(gone).toHaveBeenCalledTimes(1);
  expect(again).not.toHaveBeenCalled();
});

test("a server that does not answer for a while is asked again", async () => {
  const { folder, whole } = growing(3000);
  const { packets } = await followed(folder);
  const since = vi.spyOn(folder, "since").mockRejectedValue(new TypeError("network"));
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  await seconds(3);
  since.mockRestore();
  folder.files.set(JOURNAL, whole);
  await seconds(1);

  expect(packets.some(({ kind }) => kind === "frame")).toBe(true);
  expect(gone).not.toHaveBeenCalled();
});

test("what is closed asks for nothing more", async () => {
  const { folder } = growing(3000);
  const { channel: open } = await followed(folder);
  open.close();
  await seconds(20);
  expect(folder.asked).toEqual([]);
  expect(open.send({ kind: "hello" })).toBe(false);
});

test.each([
  ["who looks", true],
  ["nobody", false],
])("lines that are printed meanwhile are sent to %s", async (_, looks) => {
  const folder = MemoryFolder.of(`${DATA}../recording-1.0.pulse`);
  folder.silentFor = 1;
  const whole = folder.files.get(JOURNAL) as Uint8Array<ArrayBuffer>;
  const texts = async (all: LiveStore) => {
    all.printed.want(0, Number.POSITIVE_INFINITY, 1000);
    await seconds(0);
    return all.lines().map(({ text }) => text);
  };
  const complete = await texts((await followed(folder)).store);
  channel?.close();
  folder.files.set(JOURNAL, whole.slice(0, 10));
  const { store } = await followed(folder);
  const before = await texts(store);
  expect(before.length).toBeLessThan(complete.length);
  if (looks) store.printed.watch();

  folder.files.set(JOURNAL, whole);
  await seconds(2);

  expect(store.lines().map(({ text }) => text)).toEqual(looks ? complete : before);
  expect(store.spans().length).toBeGreaterThan(0);
});
