/** `tests/series/test_wire_damage.py` damages the same packet in the same way. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MOST_INFLATED } from "../header.gen";
import { adler32 } from "./adler";
import { encodePacket } from "./encode";
import { WireError } from "./header";
import { headerOf } from "./packet";
import { deflated, inflated } from "./packing";

const PREFIX = 16;
/** Bits behind the last of the deflated ones, up to a whole byte: nothing reads them. */
const UNREAD = 7;

function golden(): Uint8Array {
  return new Uint8Array(
    readFileSync(new URL("../../../tests/data/wire/keyframe.bin", import.meta.url)),
  );
}

test("a deflated packet of which any bit is wrong is refused, but for bits that say nothing", () => {
  const packet = golden();
  const whole = headerOf(packet);
  const start = PREFIX + new DataView(packet.buffer).getUint32(8, true);
  let read = 0;
  for (let bit = 8 * start; bit < 8 * packet.length; bit++) {
    const damaged = packet.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    try {
      expect(headerOf(damaged)).toEqual(whole);
      read++;
    } catch (problem) {
      expect(problem).toBeInstanceOf(WireError);
    }
  }
  expect(read).toBeLessThanOrEqual(UNREAD);
});

test("bytes behind the deflated ones are refused", () => {
  const content = deflated(new Uint8Array(100));
  expect(() => inflated(Uint8Array.of(...content, 0), 100)).toThrow(WireError);
});

/** As in RFC 1950. */
function slowAdler(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}

test("the checksum is that of the zlib format, however many bytes there are", () => {
  expect(adler32(new TextEncoder().encode("Wikipedia"))).toBe(0x11e60398);
  const large = new Uint8Array(20_000).fill(255);
  expect(adler32(large)).toBe(slowAdler(large));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9000, size: "max" }), (bytes) => {
      expect(adler32(bytes)).toBe(slowAdler(bytes));
    }),
  );
});

const body = deflated(new TextEncoder().encode("{}      body"));
const read = (sizes: unknown) => headerOf(encodePacket({ kind: "frame", deflated: sizes }, [body]));

test("two sizes that are true are read", () => {
  expect(read([8, 4]).header).toEqual({});
});

const WRONG: readonly unknown[] = [
  ...["x", null, true, 12, {}, [], [1], [8], [8, 4, 0]],
  ...[
    [null, 1],
    ["8", 4],
    [true, 11],
    [[8], 4],
    [8.5, 3.5],
  ],
  ...[
    [-8, 16],
    [16, -4],
    [-8, -4],
    [4, 8],
    [8, 3],
    [8, 5],
    [0, 8],
  ],
  ...[
    [2 ** 62, -(2 ** 62)],
    [8, 2 ** 62],
  ],
];

test.each(WRONG.map((sizes) => ({ sizes })))("sizes of $sizes are refused", ({ sizes }) => {
  expect(() => read(sizes)).toThrow(WireError);
});

test.each([
  ["each could be", [MOST_INFLATED - 8, MOST_INFLATED - 8]],
  ["their sum is one too many", [8, MOST_INFLATED - 7]],
])("sizes of which %s are refused before anything is made", (_, sizes) => {
  expect(() => read(sizes)).toThrow("too large");
});
