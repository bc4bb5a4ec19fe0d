import fc from "fast-check";
import { expect, test } from "vitest";
import { lastOfEach } from "./spans";

test("of each metric the last are kept, in their order, however many others there are", () => {
  const spans = fc.array(fc.constantFrom("cell", "span", "task"), { maxLength: 60 });
  fc.assert(
    fc.property(spans, fc.nat(20), (metrics, count) => {
      const all = metrics.map((metric, at) => ({ metric, at }));
      const kept = lastOfEach(all, count, ({ metric }) => metric);

      const expected = all.filter(({ metric, at }) => {
        const later = all.slice(at + 1).filter((one) => one.metric === metric);
        return later.length < count;
      });
      expect(kept).toEqual(expected);
    }),
  );
});
