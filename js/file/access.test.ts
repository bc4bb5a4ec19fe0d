import { expect, test } from "vitest";
import { type Fetch, type FetchRange, httpFile, rangeHeader } from "./access";
import { FRUGAL, MOST_WHOLE } from "./limits";
import { openFile } from "./open";
import { RecordingError } from "./place";
import { bytesOf, Heard, keyframeOf } from "./testing";

const NAME = "run.pulse.parquet";
const SPARING = { ...FRUGAL, small: 0, tail: 8192 };

/** A server with one file. */
function server(
  bytes: Uint8Array<ArrayBuffer>,
  knowsRanges = true,
): { fetch: Fetch; asked: FetchRange[] } {
  const asked: FetchRange[] = [];
  const fetch: Fetch = async (range) => {
    asked.push(range);
    if (!knowsRanges) return new Response(bytes);
    const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(rangeHeader(range)) as string[];
    const begin = first ? Number(first) : Math.max(0, bytes.length - Number(last));
    const end = first ? Number(last) + 1 : bytes.length;
    if (begin >= bytes.length) {
      return new Response(null, {
        status: 416,
        headers: { "Content-Range": `bytes */${bytes.length}` },
      });
    }
    const headers = { "Content-Range": `bytes ${begin}-${end - 1}/${bytes.length}` };
    return new Response(bytes.slice(begin, end), { status: 206, headers });
  };
  return { fetch, asked };
}

async function troubleOf(fetch: Fetch): Promise<RecordingError> {
  const problem = await openFile(httpFile(NAME, fetch)).catch((problem: unknown) => problem);
  expect(problem).toBeInstanceOf(RecordingError);
  expect((problem as RecordingError).remedy).not.toBe("");
  return problem as RecordingError;
}

test("the end of a file is asked for first, and its size with it", async () => {
  const { fetch, asked } = server(bytesOf("hard"));
  const file = httpFile(NAME, fetch);
  const channel = await openFile(file);
  expect(asked).toEqual([{ suffix: expect.any(Number) }]);
  expect(channel.cost).toEqual({ requests: 1, bytes: bytesOf("hard").length });
  expect((await keyframeOf(channel)).ids.length).toBeGreaterThan(10);
  // All of so small a file is at hand.
  expect(channel.cost.requests).toBe(1);
});

test("a server that knows no ranges sends the whole file, once", async () => {
  const { fetch, asked } = server(bytesOf("long"), false);
  const channel = await openFile(httpFile(NAME, fetch));
  expect((await keyframeOf(channel)).ids).toHaveLength(3);
  expect(asked).toHaveLength(1);
  expect(channel.cost).toEqual({ requests: 1, bytes: bytesOf("long").length });
});

test("a whole file that is too large is not taken, and the limit is told", async () => {
  const headers = { "Content-Length": String(MOST_WHOLE + 1) };
  const told = await troubleOf(async () => new Response("x", { headers }));
  expect(told).toMatchObject({ trouble: "too large", message: expect.stringContaining("64 MB") });
  let sent = 0;
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1 << 20;
        controller.enqueue(new Uint8Array(1 << 20));
      },
    });
  expect((await troubleOf(async () => new Response(endless()))).trouble).toBe("too large");
  expect(sent).toBeLessThan(MOST_WHOLE + (8 << 20));
});

const ANSWERS: readonly [string, () => Promise<Response>, RegExp][] = [
  ["no connection", () => Promise.reject(new TypeError("Failed to fetch")), /Failed to fetch/],
  ["no permission", async () => new Response("", { status: 403 }), /no permission/],
  ["not there", async () => new Response("", { status: 404 }), /not there/],
  ["logged out", async () => new Response("", { status: 401 }), /log in/],
  ["a server in trouble", async () => new Response("", { status: 502 }), /answers 502/],
  [
    "a part of nobody knows what",
    async () => new Response("x", { status: 206 }),
    /without saying which/,
  ],
  [
    "another part",
    async () =>
      new Response("x", { status: 206, headers: { "Content-Range": "bytes 0-0/9999999" } }),
    /another part/,
  ],
  [
    "less than was told",
    async () => new Response("x", { status: 206, headers: { "Content-Range": "bytes 0-99/100" } }),
    /broke off/,
  ],
  [
    "more than was told",
    async () =>
      new Response("x".repeat(200), {
        status: 206,
        headers: { "Content-Range": "bytes 0-99/100" },
      }),
    /more than was asked for/,
  ],
];

test.each(ANSWERS)("%s is told in words", async (_, fetch, words) => {
  const { trouble, message } = await troubleOf(fetch);
  expect(trouble).toBe("unreachable");
  expect(message).toMatch(words);
});

test.each([206, 416])(
  "an empty file is empty, whether the server answers %d or not",
  async (status) => {
    const headers = { "Content-Range": "bytes */0" };
    const answer = async () =>
      status === 416 ? new Response(null, { status, headers }) : new Response("");
    expect((await troubleOf(answer)).trouble).toBe("empty");
  },
);

test("a file that changes while it is read is not mixed with what it was", async () => {
  const [old, young] = [server(bytesOf("long")), server(bytesOf("hard"))];
  let asked = 0;
  const file = httpFile(NAME, (range, signal) =>
    (asked++ === 0 ? old : young).fetch(range, signal),
  );
  await file.tail(1000);
  await expect(file.read(0, 100)).rejects.toThrow(/has changed/);
});

test("closing ends what is under way, and nothing comes after it", async () => {
  const { fetch } = server(bytesOf("long"));
  let isOpen = false;
  let hold: (signal: AbortSignal) => void = () => {};
  const held = new Promise<AbortSignal>((resolve) => {
    hold = resolve;
  });
  const file = httpFile(NAME, (range, signal) => {
    if (!isOpen) return fetch(range, signal);
    hold(signal);
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")));
    });
  });
  const channel = await openFile(file, SPARING);
  isOpen = true;
  const heard = new Heard(channel);
  channel.send({ kind: "hello" });
  const signal = await held;
  channel.close();
  expect(signal.aborted).toBe(true);
  expect(channel.closed).toBe(true);
  expect(channel.send({ kind: "hello" })).toBe(false);
  await Promise.resolve();
  expect(heard.packets).toEqual([]);
});

test("what could not be fetched is tried again, and the reason told meanwhile", async () => {
  const { fetch } = server(bytesOf("long"));
  let isDown = false;
  const file = httpFile(NAME, (range, signal) =>
    isDown ? Promise.reject(new Error("the network is down")) : fetch(range, signal),
  );
  const waits: number[] = [];
  const problems: (readonly string[])[] = [];
  const channel = await openFile(file, SPARING, async (seconds) => {
    waits.push(seconds);
    problems.push(channel.problems);
    if (waits.length === 3) isDown = false;
  });
  isDown = true;
  const { ids } = await keyframeOf(channel);
  expect(ids).toHaveLength(3);
  expect(waits).toEqual([1, 3, 10]);
  expect(problems[0]).toEqual([expect.stringContaining("the network is down")]);
  expect(channel.problems).toEqual([]);
});
