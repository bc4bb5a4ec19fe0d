import fc from "fast-check";
import { expect, test } from "vitest";
import { Exact } from "./exact";

const VALUE = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -9000, max: 9000 }) },
  fc.constant(Number.NaN),
);

/** What may happen to a series; moments are shares of its length so far. */
const operation = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), values: fc.array(VALUE, { maxLength: 800 }) }),
  fc.record({
    kind: fc.constant("insert" as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    value: VALUE,
  }),
  fc.record({
    kind: fc.constant("replace" as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    rows: fc.nat(300),
    values: fc.array(VALUE, { maxLength: 100 }),
  }),
  fc.record({
    kind: fc.constant("drop" as const),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** The same, on plain arrays. */
class Model {
  time: number[] = [];
  value: number[] = [];

  apply(step: Operation, exact: Exact): void {
    const end = this.time[this.time.length - 1] ?? 0;
    switch (step.kind) {
      case "append":
        for (const [i, value] of step.values.entries()) {
          this.time.push(end + 1 + i);
          this.value.push(value);
          exact.add(end + 1 + i, value, Number.NaN);
        }
        return;
      case "insert": {
        const at = Math.floor(step.at * this.time.length);
        const before = this.time[at - 1];
        const after = this.time[at];
        if (before === undefined || after === undefined || before === after) return;
        const time = (before + after) / 2;
        this.time.splice(at, 0, time);
        this.value.splice(at, 0, step.value);
        exact.add(time, step.value, Number.NaN);
        return;
      }
      case "replace":
        this.#replace(step.at, step.rows, step.values, exact);
        return;
      case "drop": {
        const rows = Math.floor(step.share * this.time.length);
        this.time.splice(0, rows);
        this.value.splice(0, rows);
        exact.dropFirst(rows);
      }
    }
  }

  #replace(share: number, rows: number, values: readonly number[], exact: Exact): void {
    if (this.time.length === 0) return;
    const last = this.time.length - 1;
    const at = Math.min(Math.floor(share * this.time.length), last);
    const [t0, t1] = [this.time[at] as number, this.time[Math.min(at + rows, last)] as number];
    const from = this.time.indexOf(t0);
    const to = this.time.lastIndexOf(t1);
    const time = values.map((_, i) => t0 + ((t1 - t0) * i) / values.length);
    this.time.splice(from, to - from + 1, ...time);
    this.value.splice(from, to - from + 1, ...values);
    exact.replace(t0, t1, { length: values.length, time, value: values, step: null });
  }
}

test("the extremes of any stretch are those of its rows, whatever happened to the series", () => {
  const ends = fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(
      fc.array(operation, { minLength: 1, maxLength: 12 }),
      fc.array(ends, { minLength: 20, maxLength: 20 }),
      (steps, stretches) => {
        const exact = new Exact();
        const model = new Model();
        // Enough rows for three levels of the pyramid, and no value twice.
        const many = Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5003);
        for (const step of [{ kind: "append", values: many } as const, ...steps]) {
          model.apply(step, exact);
        }
        expect([...exact.value.subarray(0, exact.length)]).toEqual(model.value);

        for (const [a, b] of stretches) {
          const from = Math.floor(Math.min(a, b) * model.value.length);
          const to = Math.ceil(Math.max(a, b) * model.value.length);
          const values = model.value.slice(from, to).filter((value) => !Number.isNaN(value));
          const { lowest, highest } = exact.scan(from, to);
          expect([lowest, highest]).toEqual([
            values.reduce((x, y) => Math.min(x, y), Number.POSITIVE_INFINITY),
            values.reduce((x, y) => Math.max(x, y), Number.NEGATIVE_INFINITY),
          ]);
        }
      },
    ),
    { numRuns: 60 },
  );
});
