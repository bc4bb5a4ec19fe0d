import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LiveStore } from "../core/history/live-store";
import type { LinesPacket } from "../core/wire/packet";
import { memoryFile } from "./access";
import type { Columns } from "./columns";
import { openFile } from "./open";
import { newestLines } from "./printed";
import type { RecordingChannel } from "./recording";
import { openDirectory } from "./running/open";
import { MemoryFolder } from "./running/testing";
import type { Series } from "./series";
import type { Stored, Want } from "./stored";
import { bytesOf, Heard } from "./testing";

const T0 = 1_790_000_000;

async function asked(
  channel: RecordingChannel,
  t0: number,
  t1: number,
  most: number,
): Promise<LinesPacket> {
  const heard = new Heard(channel);
  channel.send({ kind: "printed", request: 4, t0, t1, most });
  return (await heard.at(0)) as LinesPacket;
}

const opened = (name: string) => openFile(memoryFile(`${name}.pulse.parquet`, bytesOf(name)));
const textsOf = ({ lines }: LinesPacket) => lines.map(({ text }) => text);
const named = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);

describe("a finished file", () => {
  test.each<[string, [number, number, number], string[], boolean]>([
    ["its newest lines", [0, 1e10, 3], named(297, 299), true],
    ["all of them", [0, 1e10, 300], named(0, 299), false],
    ["more than there are", [0, 1e10, 5000], named(0, 299), false],
    ["those of a stretch", [T0 + 10, T0 + 12, 50], named(10, 12), false],
    ["the newest of a stretch", [T0 + 10, T0 + 200, 2], named(199, 200), true],
    ["those of a moment", [T0 + 7, T0 + 7, 50], ["line 7"], false],
    ["those of between two", [T0 + 7.2, T0 + 7.8, 50], [], false],
    ["those of before it", [T0 - 99, T0 - 1, 50], [], false],
    ["those of after it", [T0 + 900, T0 + 999, 50], [], false],
    ["those of no stretch", [T0 + 9, T0 + 5, 50], [], false],
    ["no lines", [0, 1e10, 0], ["line 299"], true],
  ])("tells %s", async (_, [t0, t1, most], texts, more) => {
    const channel = await opened("hard");
    const answer = await asked(channel, t0, t1, most);
    expect(answer).toMatchObject({ kind: "lines", request: 4, t0, t1, more });
    expect(textsOf(answer)).toEqual(texts);
    channel.close();
  });

  test("in which nothing was printed tells that", async () => {
    const channel = await opened("nothing");
    expect(await asked(channel, 0, 1e10, 10)).toMatchObject({ lines: [], more: false });
    channel.close();
  });

  test("shows its lines on a page that asks back and back", async () => {
    const channel = await opened("hard");
    const store = new LiveStore(channel);
    store.attach();
    const changes: (() => void)[] = [];
    const come = () => new Promise<void>((resolve) => changes.push(resolve));
    store.subscribe(({ lines, state }) => {
      if (lines || state) for (const one of changes.splice(0)) one();
    });
    while (!store.heard()) await come();
    for (let end = Infinity; end > 0; end = store.printed.known()[0]?.t0 ?? 0) {
      store.printed.want(0, end, 70);
      await come();
    }
    expect(store.lines().map(({ text }) => text)).toEqual(named(0, 299));
    const [line] = store.lines();
    const series = store.catalog().find(({ id }) => id === line?.series);
    expect(series).toMatchObject({ metric: "log.stdout", entity: "kernel" });
    channel.close();
  });
});

/** Rows in memory, which notes how many were read. */
function stored(times: readonly (readonly number[])[], texts?: readonly string[]) {
  let read = 0;
  const extents = times.map((all) => ({
    rows: all.length,
    start: all[0] ?? 0,
    end: all.at(-1) ?? 0,
  }));
  const reads = async (
    numbers: readonly number[],
    { since = 0, end = Infinity }: Want,
    each: (number: number, columns: Columns) => void,
  ) => {
    for (const number of [...numbers].reverse()) {
      const all = times[number] ?? [];
      // The row before those that are wanted comes, too.
      const from = Math.max(0, all.findIndex((time) => time >= since) - 1);
      const some = all.map((_, i) => i).filter((i) => i >= from && (all[i] as number) < end);
      read += some.length;
      const time = Float64Array.from(some, (i) => all[i] as number);
      const value = new Float64Array(some.length).fill(Number.NaN);
      const words = some.map((i) => texts?.[i] ?? `${number}:${i}`);
      each(number, { time, value, missing: null, step: null, texts: words });
    }
  };
  const series = times.map((_, number) => {
    const metric = number % 2 === 0 ? "log.stdout" : "log.stderr";
    return { id: 10 + number, number, info: { metric, kind: "text" } };
  });
  return {
    all: series as unknown as Series[],
    stored: { extents, read: reads } as unknown as Stored,
    read: () => read,
  };
}

describe("the newest lines", () => {
  const time = fc.integer({ min: 0, max: 400 }).map((one) => one * 1000);
  const some = fc.array(time, { maxLength: 40 }).map((all) => all.sort((a, b) => a - b));

  test("are those of all streams, whichever stretch and however many", async () => {
    const limits = fc.tuple(fc.nat(450_000), fc.nat(450_000), fc.integer({ min: 1, max: 50 }));
    await fc.assert(
      fc.asyncProperty(fc.array(some, { maxLength: 3 }), limits, async (streams, [a, b, most]) => {
        const filled = streams.filter(({ length }) => length > 0);
        const made = stored(filled);
        const request = { request: 1, t0: a / 1e6, t1: b / 1e6, most };
        const { lines, more } = await newestLines(made.stored, made.all, request);
        const all = filled
          .flatMap((times, n) => times.map((at, i) => ({ at, text: `${n}:${i}` })))
          .filter(({ at }) => at >= a && at <= b)
          .sort((x, y) => x.at - y.at);
        expect(lines.map(({ text }) => text)).toEqual(all.slice(-most).map(({ text }) => text));
        expect(more).toBe(all.length > most);
      }),
    );
  });

  test("are read without all that were printed", async () => {
    const made = stored([Array.from({ length: 100_000 }, (_, i) => i * 1000)]);
    const request = { request: 1, t0: 0, t1: 60, most: 100 };
    const { lines, more } = await newestLines(made.stored, made.all, request);
    expect([lines.length, lines.at(-1)?.time, more]).toEqual([100, 60, true]);
    expect(made.read()).toBeLessThan(1000);
  });

  test("have so many letters at most, and one comes however long it is", async () => {
    const times = [Array.from({ length: 9 }, (_, i) => i)];
    const answer = async (length: number) => {
      const made = stored(times, Array(9).fill("x".repeat(length)));
      return await newestLines(made.stored, made.all, { request: 1, t0: 0, t1: 1, most: 100 });
    };
    const some = await answer(1 << 20);
    expect([some.lines.length, some.more]).toEqual([4, true]);
    const one = await answer(5 << 20);
    expect([one.lines.length, one.more]).toEqual([1, true]);
  });
});

test("a directory tells its lines", async () => {
  const path = new URL("../../tests/data/recording-1.0.pulse", import.meta.url).pathname;
  const channel = await openDirectory(MemoryFolder.of(path));
  const { lines, more } = await asked(channel, 0, 1e10, 100);
  expect(more).toBe(false);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.every(({ text }) => text.length > 0)).toBe(true);
  channel.close();
});
