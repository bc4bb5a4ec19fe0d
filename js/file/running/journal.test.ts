import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { JournalReader } from "./journal";

test("x", () => {
  const bytes = new Uint8Array(
    readFileSync("tests/data/recording-1.0.pulse/w-h0-1-1790000000000000/journal-000001.arrows"),
  );
  const r = new JournalReader();
  const batches = r.take(bytes);
  console.log(
    batches.length,
    r.reason,
    r.dropped,
    [...r.series.values()],
    batches.map((b) => b.rows),
    batches[0]?.time,
    batches[0]?.value,
  );
  expect(batches.length).toBeGreaterThan(0);
});
