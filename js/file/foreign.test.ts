import { describe, expect, test } from "vitest";
import { memoryFile } from "./access";
import { CachedFile } from "./cache";
import { readForeign } from "./foreign";
import { orderOf } from "./foreign-rows";
import { FOREIGN, type ForeignLimits, FRUGAL, MOST_GROUP_BYTES, MOST_GROUP_ROWS } from "./limits";
import { readFooter } from "./parquet/footer";
import { footerLength } from "./parquet/table";
import { keepOnce } from "./parquet/texts";
import type { Stored } from "./stored";
import { bytesOf } from "./testing";
import { Turns } from "./turns";

async function read(name: string, limits: Partial<ForeignLimits> = {}): Promise<Stored> {
  const bytes = bytesOf(name);
  const file = await CachedFile.open(memoryFile("it", bytes), FRUGAL);
  const end = bytes.length - 8;
  const length = footerLength(bytes, bytes.length, bytes.length);
  const footer = readFooter(bytes.subarray(end - length, end), bytes.length, {
    groupRows: MOST_GROUP_ROWS,
    groupBytes: MOST_GROUP_BYTES,
  });
  return readForeign(file, footer, null, { ...FOREIGN, ...limits });
}

/** How much of each kind a file has. */
async function sizesOf(name: string): Promise<ForeignLimits> {
  const stored = await read(name);
  const numbers = stored.keys.map((_, number) => number);
  const texts = new Set(stored.keys.flatMap(({ host, entity, metric }) => [host, entity, metric]));
  await stored.read(numbers, { texts: true }, (_, columns) => {
    for (const text of columns.texts ?? []) texts.add(text);
  });
  texts.delete("");
  return {
    bytes: stored.bytes,
    rows: stored.extents.reduce((sum, { rows }) => sum + rows, 0),
    series: stored.keys.length,
    texts: texts.size,
    textBytes: [...texts].reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0),
  };
}

const FILES = ["naive", "second", "zeros", "odd_types"];
const BOUNDS = Object.keys(FOREIGN) as (keyof ForeignLimits)[];

describe.each(FILES)("of the file %s no more is held than is allowed", async (name) => {
  const sizes = await sizesOf(name);

  test.each(BOUNDS)("%s", async (bound) => {
    const most = sizes[bound];
    const { keys } = await read(name, { [bound]: most });
    expect(keys).toHaveLength(sizes.series);
    await expect(read(name, { [bound]: most - 1 })).rejects.toMatchObject({
      name: "RecordingError",
      trouble: "too large",
      remedy: "Open it in a notebook: pw.replay(path).",
    });
  });
});

describe("equal texts are held once", () => {
  test.each([1, 7, 200])("%i different ones in 5000 rows", (many) => {
    const page = new TextEncoder().encode(
      Array.from({ length: 5000 }, (_, i) => `text ${i % many}`.padEnd(50)).join(""),
    );
    const taken: number[] = [];
    const keep = keepOnce((bytes) => taken.push(bytes));
    const held = new Set(Array.from({ length: 5000 }, (_, i) => keep(page, 50 * i, 50 * i + 50)));
    expect(held.size).toBe(many);
    expect(taken).toEqual(new Array(many).fill(50));
  });

  test("texts that look alike stay what they are, however many", () => {
    const ends = "x".repeat(40);
    const texts = Array.from({ length: 100 }, (_, i) => ends + String(i).padStart(3) + ends);
    const page = new TextEncoder().encode(texts.join(""));
    const keep = keepOnce(() => {});
    const found = texts.map((_, i) => keep(page, 83 * i, 83 * i + 83));
    expect(found.map((bytes) => new TextDecoder().decode(bytes))).toEqual(texts);
  });
});

test.each([0, 1, 19_999, 20_000, 20_001, 65_537])("%i times are put in order", async (many) => {
  let state = 7;
  const time = Float64Array.from({ length: many }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % 1000;
  });
  const right = Array.from(time, (_, i) => i).sort(
    (a, b) => (time[a] as number) - (time[b] as number) || a - b,
  );
  expect([...(await orderOf(time, new Turns()))]).toEqual(right);
});
