/** A journal is read as far as it can be believed, whatever happened to it, piece by piece too. */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { JournalReader } from "./journal";

const DATA = new URL("../../../tests/data/running/", import.meta.url);
const PATH = "crashed.pulse/w-h0-1-1790000000000000/journal-000001.arrows";
const BYTES = new Uint8Array(readFileSync(new URL(PATH, DATA)));

function read(bytes: Uint8Array) {
  const reader = new JournalReader();
  const rows = reader.take(bytes).map(({ rows, crc }) => `${rows} ${crc}`);
  return { reader, rows };
}

const WHOLE = read(BYTES);

test("a whole journal is read to its end", () => {
  expect(WHOLE.rows).toHaveLength(8);
  expect(WHOLE.reader.dropped).toEqual({ bytes: 0, reason: "" });
  expect([...WHOLE.reader.series.values()].map(({ metric }) => metric)).toEqual([
    "gpu.power",
    "cpu.user.total",
    "train/loss",
    "phase",
    "cell",
    "mark",
  ]);
});

test("cut anywhere, what is whole before the cut is read, and the rest is counted", () => {
  let before = 0;
  for (let end = 0; end <= BYTES.length; end += 5) {
    const { reader, rows } = read(BYTES.subarray(0, end));
    expect(rows).toEqual(WHOLE.rows.slice(0, rows.length));
    expect(rows.length).toBeGreaterThanOrEqual(before);
    before = rows.length;
    const { bytes, reason } = reader.dropped;
    expect(reason).toBe(bytes > 0 ? "it breaks off" : "");
    expect(reader.size).toBe(end);
  }
});

test("in pieces of any size the same is read", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }), (sizes) => {
      const reader = new JournalReader();
      const rows: string[] = [];
      for (let at = 0, i = 0; at < BYTES.length; i++) {
        const end = at + (sizes[i % sizes.length] as number);
        const batches = reader.take(BYTES.subarray(at, end));
        rows.push(...batches.map(({ rows: count, crc }) => `${count} ${crc}`));
        at = end;
      }
      expect(rows).toEqual(WHOLE.rows);
      expect(reader.dropped.bytes).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test("whatever bits are flipped, no row is read that nobody wrote", () => {
  const flips = fc.array(fc.integer({ min: 0, max: 8 * BYTES.length - 1 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(flips, (bits) => {
      const bytes = BYTES.slice();
      for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const { rows, reader } = read(bytes);
      expect(rows).toEqual(WHOLE.rows.slice(0, rows.length));
      // Some bytes, such as those between buffers, say nothing.
      if (rows.length < WHOLE.rows.length) expect(reader.dropped.bytes).toBeGreaterThan(0);
    }),
    { numRuns: 1500 },
  );
});

test("whatever bytes come, nothing is thrown", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(BYTES.length), (noise, at) => {
      const bytes = Uint8Array.from([...BYTES.subarray(0, at), ...noise]);
      const { rows } = read(bytes);
      expect(rows).toEqual(WHOLE.rows.slice(0, rows.length));
    }),
    { numRuns: 500 },
  );
});

/** Where the bytes of a batch begin: the prefixes of messages are eight bytes apart from others. */
function messages(): number[] {
  const view = new DataView(BYTES.buffer);
  const found: number[] = [];
  for (let at = 0; at + 8 <= BYTES.length; at += 8) {
    if (view.getUint32(at, true) === 0xffffffff && view.getInt32(at + 4, true) > 8) found.push(at);
  }
  return found;
}

test("a batch that is left out, or comes twice, is noticed", () => {
  const [schema, first, second, third] = messages() as [number, number, number, number];
  const piece = (from: number, to?: number) => [...BYTES.subarray(from, to)];
  const head = piece(schema, first);
  const without = read(Uint8Array.from([...head, ...piece(second)]));
  expect(without.rows).toEqual([]);
  expect(without.reader.dropped.reason).toBe("a batch is missing");
  const twice = [...head, ...piece(first, second), ...piece(first, second), ...piece(second, third)];
  expect(read(Uint8Array.from(twice)).rows).toEqual(WHOLE.rows.slice(0, 1));
});

test("a journal that claims to unpack to more than any holds is refused before it is unpacked", () => {
  const bytes = BYTES.slice();
  const view = new DataView(bytes.buffer);
  const [, first] = messages() as [number, number];
  const body = first + 8 + view.getInt32(first + 4, true);
  view.setBigInt64(body, 2n ** 40n, true);
  const { rows, reader } = read(bytes);
  expect(rows).toEqual([]);
  expect(reader.dropped.reason).toBe("it unpacks to more than any journal holds");
});
