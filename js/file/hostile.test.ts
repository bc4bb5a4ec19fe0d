import { describe, expect, test } from "vitest";
import { memoryFile } from "./access";
import { openFile } from "./open";
import { INT64_DELTAS, unpackDeltas, unpackRuns } from "./parquet/bits";
import { unpacked } from "./parquet/codecs";
import { crc32 } from "./parquet/crc";
import { DamageError } from "./parquet/damage";
import { unlz4, unlz4Hadoop } from "./parquet/lz4";
import { decode } from "./parquet/thrift";
import { RecordingError } from "./place";
import { bytesOf, keyframeOf, rowsOf } from "./testing";

/** The file with another footer of the same length, whose own checksum is right again. */
function resealed(bytes: Uint8Array, change: (footer: Uint8Array) => void): Uint8Array {
  const made = bytes.slice();
  const length = new DataView(made.buffer).getUint32(made.length - 8, true);
  const footer = made.subarray(made.length - 8 - length, made.length - 8);
  change(footer);
  const head = new TextEncoder().encode("\u0018\u0009pulse.crc\u0018\u0010");
  const at =
    footer.findLastIndex((_, i) => head.every((byte, k) => footer[i + k] === byte)) + head.length;
  footer.fill(0x30, at, at + 16);
  const hex = (number: number) => number.toString(16).padStart(8, "0");
  footer.set(new TextEncoder().encode(hex(length) + hex(crc32(footer))), at);
  return made;
}

function dice(seed: number): (most: number) => number {
  let state = seed >>> 0;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

function replaced(footer: Uint8Array, from: string, to: string): void {
  const text = new TextDecoder("latin1").decode(footer);
  const at = text.indexOf(from);
  expect(at).toBeGreaterThanOrEqual(0);
  footer.set(new TextEncoder().encode(to), at);
}

const ROUNDS = 80;

test("a footer that lies with a right checksum gives our error, or a picture", async () => {
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const roll = dice(round);
    const bytes = resealed(bytesOf("hard"), (footer) => {
      for (let k = 0; k <= roll(3); k++) {
        const at = roll(footer.length - 40);
        footer[at] = roll(2) ? (footer[at] as number) ^ (1 << roll(8)) : roll(256);
      }
    });
    try {
      const channel = await openFile(memoryFile("it", bytes));
      await keyframeOf(channel);
      await rowsOf(channel, 0, 1e10, 100);
      channel.close();
    } catch (problem) {
      if (!(problem instanceof RecordingError)) throw problem;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(0);
});

test("a newer major version is refused with the line that upgrades", async () => {
  const newer = (text: string) =>
    openFile(
      memoryFile(
        "it",
        resealed(bytesOf("nothing"), (f) =>
          replaced(f, "pulse.version\u0018\u00031.0", `pulse.version\u0018\u0003${text}`),
        ),
      ),
    );
  await expect(newer("2.0")).rejects.toMatchObject({
    trouble: "newer",
    message: "it has format 2.0; this version reads format 1",
    remedy: "Upgrade with: pip install --upgrade pulse_widgets",
  });
  expect((await keyframeOf(await newer("1.7"))).moments).toHaveLength(1);
  await expect(newer("x.y")).rejects.toMatchObject({ trouble: "damaged" });
});

test("an overview that is damaged is not drawn: the rows are", async () => {
  const whole = await keyframeOf(await openFile(memoryFile("it", bytesOf("long"))));
  const bytes = resealed(bytesOf("long"), (footer) =>
    replaced(footer, '"footer_crc32": ', '"footer_crc3X": '),
  );
  const { ids, series, last } = await keyframeOf(await openFile(memoryFile("it", bytes)));
  expect({ ids, series, last }).toEqual({ ids: whole.ids, series: whole.series, last: whole.last });
});

/** Bytes that claim to hold a great deal. */
const BOMBS: readonly [string, () => unknown][] = [
  ["a run of two billion", () => unpackRuns(Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f, 1), 8, 10)],
  [
    "a run of eight billion in bits",
    () => unpackRuns(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f), 8, 10),
  ],
  ["empty runs without end", () => unpackRuns(new Uint8Array(100), 8, 10)],
  [
    "differences in one huge block",
    () => unpackDeltas(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 8, 1, 10, 0), 10),
  ],
  ["differences in no blocks", () => unpackDeltas(Uint8Array.of(0x80, 1, 0, 10, 0), 10)],
  ["a list of a million", () => decode(Uint8Array.of(0x19, 0xfc, 0xff, 0xff, 0x3f, 0))],
  ["structures in structures", () => decode(new Uint8Array(100).fill(0x1c))],
  ["a text longer than all", () => decode(Uint8Array.of(0x18, 0xff, 0xff, 0xff, 0xff, 0x0f))],
  [
    "LZ4 that copies without end",
    () => unlz4(Uint8Array.of(0x1f, 1, 1, 0, 255, 255, 255, 255), 100),
  ],
  ["LZ4 from before its beginning", () => unlz4(Uint8Array.of(0x10, 1, 9, 0), 100)],
  [
    "ZSTD of another size",
    () => unpacked(6, Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 200, 1, 0, 0), 5),
  ],
  ["ZSTD that is none", () => unpacked(6, new Uint8Array(40).fill(7), 5)],
  ["Snappy that is none", () => unpacked(1, new Uint8Array(40).fill(7), 5)],
  ["GZIP that is none", () => unpacked(2, new Uint8Array(40).fill(7), 5)],
  ["Brotli", () => unpacked(4, new Uint8Array(40), 5)],
];

test.each(BOMBS)("%s is refused", (_, read) => {
  expect(read).toThrow(DamageError);
});

describe("whatever the bytes, a decoder gives what was asked for, or our error", () => {
  const DECODERS: Readonly<
    Record<string, (bytes: Uint8Array, count: number) => { readonly length: number }>
  > = {
    runs: (bytes, count) => unpackRuns(bytes, count % 33, count),
    differences: (bytes, count) => unpackDeltas(bytes, count).values,
    "differences in thousands": (bytes, count) =>
      unpackDeltas(bytes, count, { ...INT64_DELTAS, divisor: 1000 }).values,
    "differences of 32 bits": (bytes, count) =>
      unpackDeltas(bytes, count, { ...INT64_DELTAS, bits: 32 }).values,
    "differences without a sign": (bytes, count) =>
      unpackDeltas(bytes, count, { ...INT64_DELTAS, isSigned: false }).values,
    LZ4: unlz4,
    "LZ4 of Hadoop": unlz4Hadoop,
    Snappy: (bytes, count) => unpacked(1, bytes, count),
    GZIP: (bytes, count) => unpacked(2, bytes, count),
    ZSTD: (bytes, count) => unpacked(6, bytes, count),
  };
  /** How such bytes begin, so that more than the first byte is looked at. */
  const BEGINS: Readonly<Record<string, readonly number[]>> = {
    differences: [0x80, 1, 4, 20],
    "differences in thousands": [0x80, 1, 4, 20],
    "differences of 32 bits": [0x80, 1, 4, 20],
    "differences without a sign": [0x80, 1, 4, 20],
    GZIP: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3],
    ZSTD: [0x28, 0xb5, 0x2f, 0xfd, 0],
    Snappy: [20],
  };

  test.each(Object.keys(DECODERS))("%s", (name) => {
    for (let round = 0; round < 2000; round++) {
      const roll = dice(round);
      const bytes = Uint8Array.from([
        ...(BEGINS[name] ?? []),
        ...Array.from({ length: roll(80) }, () => (roll(3) ? roll(256) : roll(4))),
      ]);
      const count = name.startsWith("diff") ? 20 : roll(50);
      try {
        expect(DECODERS[name]?.(bytes, count).length).toBe(count);
      } catch (problem) {
        if (!(problem instanceof DamageError)) throw problem;
      }
    }
  });
});
