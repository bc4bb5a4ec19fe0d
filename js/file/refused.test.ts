import { expect, test } from "vitest";
import { memoryFile } from "./access";
import { openFile } from "./open";
import { bytesOf, keyframeOf, rowsOf } from "./testing";

const open = (name: string) => openFile(memoryFile(`${name}.parquet`, bytesOf(name)));

const REFUSED: readonly [string, string, RegExp][] = [
  ["odd-no-keys", "foreign", /has no host, no entity$/],
  ["odd-wrong-type", "foreign", /its column time is not timestamp, or int64/],
  ["odd-null-key", "damaged", /its column entity is NULL in some rows/],
  ["odd-half-steps", "damaged", /its steps are not whole numbers/],
  ["odd-brotli", "foreign", /packed with Brotli/],
  ["odd-many-series", "too large", /has more than 10,000 series$/],
];

test.each(REFUSED)("%s is refused in words: %s", async (name, trouble, words) => {
  await expect(open(name)).rejects.toMatchObject({
    name: "RecordingError",
    trouble,
    message: expect.stringMatching(words),
    remedy: expect.stringMatching(/\w/),
  });
});

test("a table without values opens, and nothing is known of its series", async () => {
  const channel = await open("odd-no-value");
  const { ids, last } = await keyframeOf(channel);
  expect(ids).toHaveLength(4);
  expect(last).toEqual([null, null, null, null]);
});

test("rows that an index gives to another series are left out, and counted", async () => {
  const channel = await open("odd-lying");
  const { ids, state } = await keyframeOf(channel);
  expect(ids).toEqual([0, 1, 2]);
  const { rows } = await rowsOf(channel, (state?.t0 ?? 0) - 1, (state?.t1 ?? 0) + 1);
  // The first five rows of the first series, and those of the last, are as the index says.
  expect([...rows.series]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  expect(channel.problems).toEqual(["5 rows are damaged in odd-lying.parquet and left out"]);
});
