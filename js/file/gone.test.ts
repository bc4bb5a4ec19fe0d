/** A file that is deleted while it is open: the waiting ends, and few requests find that out. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveStore } from "../core/history/live-store";
import { httpFile, rangeHeader } from "./access";
import { CachedFile } from "./cache";
import { FileChannel } from "./channel";
import { FRUGAL, MOST_AT_ONCE } from "./limits";
import { openFile } from "./open";
import { GoneError, RecordingError } from "./place";
import { bytesOf } from "./testing";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A server with one file, which can be deleted and come back. */
function served(bytes: Uint8Array<ArrayBuffer>) {
  const server = { status: 200, asked: 0 };
  const file = httpFile("a.pulse.parquet", async (range) => {
    server.asked++;
    if (server.status !== 200) return new Response("", { status: server.status });
    const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(rangeHeader(range)) as string[];
    const begin = first ? Number(first) : Math.max(0, bytes.length - Number(last));
    const end = first ? Number(last) + 1 : bytes.length;
    const headers = { "Content-Range": `bytes ${begin}-${end - 1}/${bytes.length}` };
    return new Response(bytes.slice(begin, end), { status: 206, headers });
  });
  return { server, file };
}

/** Zooms at a recording as a page does: the store asks, and counts what it waits for. */
async function zooming() {
  const { server, file } = served(bytesOf("long"));
  const channel = await openFile(file, { ...FRUGAL, small: 0, tail: 8192 });
  const store = new LiveStore(channel);
  store.attach();
  await vi.advanceTimersByTimeAsync(0);
  const ids = store.catalog().map(({ id }) => id);
  const [first, last] = store.extent();
  const zoom = async (part: number) => {
    const before = server.asked;
    const middle = first + (last - first) * (0.3 + part / 100);
    store.request(ids, middle, middle + (last - first) / 500, 1000);
    await vi.advanceTimersByTimeAsync(0);
    return server.asked - before;
  };
  return { server, channel, store, zoom };
}

test.each([404, 410])("after %d nothing is waited for, and a zoom asks once", async (status) => {
  const { server, channel, store, zoom } = await zooming();
  server.status = status;

  await zoom(0);
  expect(store.pending()).toBe(false);
  expect(channel.problems).toEqual(["a.pulse.parquet cannot be read: it is not there any more"]);
  expect(await zoom(10)).toBe(1);
  expect(await zoom(20)).toBe(1);
  expect(store.pending()).toBe(false);

  // Nobody asks by itself.
  const before = server.asked;
  await vi.advanceTimersByTimeAsync(120_000);
  expect(server.asked).toBe(before);
});

test("where it is there again, the next zoom shows it", async () => {
  const { server, channel, zoom } = await zooming();
  server.status = 404;
  await zoom(0);
  server.status = 200;

  expect(await zoom(0)).toBeGreaterThan(0);
  expect(channel.problems).toEqual([]);
});

test("a server in trouble is waited for, as before", async () => {
  const { server, store, zoom } = await zooming();
  server.status = 502;
  await zoom(0);
  expect(store.pending()).toBe(true);
  server.status = 200;

  await vi.advanceTimersByTimeAsync(5000);

  expect(store.pending()).toBe(false);
});

test("of many ranges one is asked for once the file was not there", async () => {
  const bytes = new Uint8Array(100_000);
  const { server, file } = served(bytes);
  const cached = await CachedFile.open(file, { tail: 10, gap: 0 });
  const ranges = Array.from({ length: 20 }, (_, k) => [4000 * k, 4000 * k + 10] as const);
  const asked = async () => {
    const before = server.asked;
    const problem = await cached.hold(ranges).catch((one: unknown) => one);
    await vi.advanceTimersByTimeAsync(0);
    return [server.asked - before, problem instanceof GoneError];
  };
  server.status = 404;

  expect(await asked()).toEqual([MOST_AT_ONCE, true]);
  expect(await asked()).toEqual([1, true]);
  server.status = 200;
  expect(await asked()).toEqual([20, false]);
});

test.each([
  ["that is gone", new GoneError("a is not there.")],
  ["that is damaged", new RecordingError("damaged", "a is damaged.")],
])("a request at a file %s is told to have no answer", async (_, problem) => {
  const refuse = () => Promise.reject(problem);
  const opened = {
    stored: { problems: [], running: false },
    provider: { problems: [], detail: refuse },
    close: () => undefined,
    cost: { requests: 0, bytes: 0 },
  };
  const channel = new FileChannel(
    opened as unknown as ConstructorParameters<typeof FileChannel>[0],
  );
  const refused: number[] = [];
  channel.subscribe({ hear: () => undefined, refused: (request) => refused.push(request) });

  const range = { kind: "range", ids: [0], t0: 0, t1: 1, points: 10 } as const;
  for (const request of [1, 2, 3]) channel.send({ ...range, request });
  await vi.advanceTimersByTimeAsync(0);

  expect(refused).toEqual([1, 2, 3]);
});
