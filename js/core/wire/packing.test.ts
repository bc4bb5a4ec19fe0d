import fc from "fast-check";
import { expect, test } from "vitest";
import { WireError } from "./header";
import { CODE_MISSING, CODE_NONE, deflated, inflated, packed, unpacked } from "./packing";

type Cell = readonly [min: number, max: number, mean: number];

const number = fc.integer({ min: 0, max: 65533 });
const cell: fc.Arbitrary<Cell> = fc.oneof(
  fc.tuple(number, number, number).map((all): Cell => {
    const [min, mean, max] = all.sort((a, b) => a - b) as [number, number, number];
    return [min, max, mean];
  }),
  fc.tuple(number, number).map(([a, b]): Cell => [Math.min(a, b), Math.max(a, b), CODE_NONE]),
  fc.constantFrom<Cell>(
    [CODE_MISSING, CODE_MISSING, CODE_MISSING],
    [CODE_NONE, CODE_NONE, CODE_NONE],
    [5, 9, 7],
  ),
);

function codesOf(cells: readonly Cell[]) {
  const [min, max, mean] = [0, 1, 2].map((i) => Uint16Array.from(cells, (all) => all[i] as number));
  return { min: min as Uint16Array, max: max as Uint16Array, mean: mean as Uint16Array };
}

test("codes that were packed and deflated come back", () => {
  fc.assert(
    fc.property(fc.array(cell), (cells) => {
      const content = packed(codesOf(cells));
      const whole = inflated(deflated(content), content.length);
      expect(unpacked(whole, cells.length)).toEqual(codesOf(cells));
    }),
  );
});

test("values that stay the same take a byte a cell", () => {
  const cells = Array.from(
    { length: 1000 },
    (_, i): Cell => (i % 2 ? [5, 9, 7] : [65535, 65535, 65535]),
  );
  expect(packed(codesOf(cells)).length).toBe(1000 + 6);
});

test("bytes that are no codes are refused, whatever they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), (bytes, cells) => {
      try {
        unpacked(bytes, cells);
      } catch (problem) {
        expect(problem).toBeInstanceOf(WireError);
      }
    }),
  );
  expect(() => unpacked(Uint8Array.of(4), 1)).toThrow(WireError);
});

test.each([
  ["more", 99],
  ["fewer", 101],
])("content of %s bytes than it tells is refused", (_, size) => {
  expect(() => inflated(deflated(new Uint8Array(100)), size)).toThrow(WireError);
  expect(() => inflated(new Uint8Array(100), size)).toThrow(WireError);
});
