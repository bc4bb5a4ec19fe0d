/** tests/exchange/test_search.py asks the kernel the same. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { whatFits } from "./search";

/** About what a series takes with each detail. */
const DETAILS = [600, 400, 250, 160, 130, 110, 70, 40];
const LAST = DETAILS.length - 1;
const TRIAL = 48;

/** Tells what packets would take, and counts those that are no mere trials. */
function packer(uneven: number) {
  const counted = { large: 0 };
  const size = (ids: readonly number[], detail: number) => {
    if (ids.length > TRIAL) counted.large++;
    const each = DETAILS[detail] as number;
    const sum = ids.reduce((all, i) => all + each * (1 + (uneven * ((i * 7919) % 101)) / 101), 0);
    return 500 + Math.round(sum);
  };
  return { counted, size };
}

function groupsOf(sizes: readonly number[]): number[][] {
  let next = 0;
  return sizes.map((count) => Array.from({ length: count }, () => next++));
}

const limits = (first: number) => ({ first, withAll: 5, details: DETAILS.length });

describe("whatFits", () => {
  test("finds the most that fits, in order, without what never can", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 });
    const room = fc.integer({ min: 1000, max: 200_000 });
    const uneven = fc.constantFrom(0, 0.5, 3);
    fc.assert(
      fc.property(sizes, fc.nat(20), room, uneven, (each, first, most, rough) => {
        const groups = groupsOf(each);
        const { size } = packer(rough);

        const fit = whatFits(groups, most, limits(Math.min(first, groups.length)), size);

        const able = groups.filter((group) => size(group, LAST) <= most);
        const prefixes = [groups, able].flatMap((some) =>
          [...some.keys(), some.length].map((count) => some.slice(0, count).flat().join()),
        );
        expect(size(fit.ids, fit.detail)).toBeLessThanOrEqual(most);
        expect(prefixes).toContain(fit.ids.join());
        expect(fit.ids.length > 0).toBe(able.length > 0);
      }),
    );
  });

  describe.each([0, 1])("of series that differ by %d", (uneven) => {
    test.each([15_000, 45_000, 140_000, 600_000])("packs few times for %d bytes", (room) => {
      const ones = Array.from({ length: 2000 }, () => 1);
      for (const sizes of [ones, Array.from({ length: 31 }, () => 64), [2000], [1000, ...ones]]) {
        const { counted, size } = packer(uneven);

        whatFits(groupsOf(sizes), room, limits(Math.min(5, sizes.length)), size);

        expect(counted.large).toBeLessThanOrEqual(12);
      }
    });
  });
});
