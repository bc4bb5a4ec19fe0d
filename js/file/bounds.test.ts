import { expect, test } from "vitest";
import type { KeyframePacket } from "../core/wire/packet";
import { decodeCatalog } from "./catalog";
import type { Columns } from "./columns";
import { MOST_SERIES_ROWS } from "./limits";
import { HeldRows } from "./memory";
import { Provider } from "./provider";

const START = 1_790_000_000_000_000;

function numbers(rows: number): Columns {
  return {
    time: new Float64Array(rows).map((_, i) => START + i * 1000),
    value: new Float64Array(rows).fill(1),
    missing: null,
    step: null,
    texts: null,
  };
}

test("a series that nothing sums up and that is too long is left out, and told", async () => {
  const keys = ["long", "short"].map((metric) => ({ host: "h0", entity: "user", metric }));
  const held = [numbers(MOST_SERIES_ROWS + 1), numbers(100)].map((columns, i) => ({
    key: keys[i] as (typeof keys)[number],
    columns,
  }));
  const catalog = decodeCatalog(new TextEncoder().encode("{}"), keys);
  const run = { id: "x", start: START, about: {} };
  const about = { name: "it", bytes: 1, run, catalog, problems: [], running: false };
  const provider = new Provider(new HeldRows(about, held));
  const packets: KeyframePacket[] = [];
  for await (const packet of provider.keyframes()) packets.push(packet);
  expect(packets).toHaveLength(1);
  expect(packets[0]?.last).toEqual([null, 1]);
  const told = "1 series is too long to be drawn without a kernel";
  expect(provider.problems).toEqual([expect.stringContaining(told)]);
  expect(packets[0]?.state?.recording.problem).toContain(told);
  const ask = (t1: number) =>
    provider.detail({
      request: 1,
      ids: [0, 1],
      t0: START / 1e6,
      t1: START / 1e6 + t1,
      points: 100,
    });
  // All of it is too much. It must not be said that there is nothing.
  expect((await ask(1e6)).ids).toEqual([1]);
  const { ids, rows } = await ask(0.05);
  expect(ids).toEqual([0, 1]);
  expect([...rows.series].filter((id) => id === 0)).toHaveLength(51);
});
