/** What a picture shows of a machine, by the examples of `tests/exchange/choice.py`. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { buildGroups } from "../charts/groups";
import { encodeKeyframe } from "../testing/packets";
import { CATALOG } from "../vocabulary/catalog.gen";
import { MOST_CHARTS, MOST_ROWS } from "../vocabulary/shared.gen";
import { decodePacket, type KeyframePacket } from "../wire/packet";
import { candidates, choose } from "./choice";

interface Case {
  readonly name: string;
  readonly charts: number;
  readonly silent: readonly string[];
  /** What each machine is called, if it is; one without a name where there are none. */
  readonly hosts?: Readonly<Record<string, string>>;
  readonly groups: readonly (readonly [entity: string, count: number, metric: string])[];
  readonly drawn: readonly unknown[];
  readonly listed: readonly unknown[];
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL("../../../tests/data/figure/choice.json", import.meta.url), "utf8"),
);

function packetOf({ groups, silent, hosts = { h0: "" } }: Case): KeyframePacket {
  const named = Object.keys(hosts).flatMap((host) =>
    groups.flatMap(([entity, count, metric]) =>
      Array.from({ length: count }, (_, n) => {
        return { host, entity: entity.replace("{}", String(n)), metric };
      }),
    ),
  );
  const series = named.map((one, id) => ({
    ...one,
    id,
    unit: CATALOG[one.metric]?.unit ?? "",
    kind: CATALOG[one.metric]?.kind ?? "gauge",
    labels: {},
  }));
  const envelopes = series
    .filter(({ metric }) => !silent.includes(metric))
    .map(({ id }) => ({ id, lo: 0, hi: 1, codes: Array(4).fill([0, 65533]) }));
  const machines = Object.entries(hosts).filter(([, name]) => name !== "");
  const entities = machines.map(([host, name]) => ({ host, entity: "host", labels: { name } }));
  const told = { series, entities };
  return decodePacket(encodeKeyframe(0, [0, 1, 2, 3, 4], envelopes, told)) as KeyframePacket;
}

test.each(cases)("of $name what the kernel draws and lists", (one) => {
  const chosen = choose(candidates(packetOf(one)), one.charts, MOST_ROWS - MOST_ROWS / 5);
  const drawn = chosen.charts.map(({ title, lines }) => [title, lines.map(({ label }) => label)]);
  const listed = chosen.lines.map(({ title, owner, series }) => [title, owner, series]);

  expect(drawn).toEqual(one.drawn);
  expect(listed).toEqual(one.listed);
});

/** What the dashboard shows below its cards before anything is asked for: two rows of charts. */
const FIRST_OF_GPUS = ["GPU utilization", "GPU memory used", "Power"];
const FIRST_OF_MACHINE = ["CPU utilization", "Memory used", "Process CPU"];

describe.each([0, 1, 8, 64])("a picture of %s GPUs", (gpus) => {
  const about = (id: number, entity: string, metric: string) => {
    const unit = CATALOG[metric]?.unit ?? "";
    return { id, host: "h0", entity, metric, unit, kind: "gauge", labels: {} };
  };
  const metrics = ["utilization", "memory.used", "power", "temperature", "sm.active"];
  const things = [
    ...["loss", "lr", "speed", "norm"].map((metric) => ["user", metric] as const),
    ...metrics.flatMap((metric) =>
      Array.from({ length: gpus }, (_, i) => [`gpu:${i}`, `gpu.${metric}`] as const),
    ),
    ...["cpu.utilization", "memory.used", "disk.read", "disk.write", "net.received"].map(
      (metric) => ["host", metric] as const,
    ),
    ["kernel", "process.cpu"] as const,
  ];
  const series = things.map(([entity, metric], id) => about(id, entity, metric));
  const envelopes = series.map(({ id }) => ({ id, lo: 0, hi: 1, codes: [[0, 65533]] as const }));
  const packet = decodePacket(encodeKeyframe(0, [0, 10], envelopes, { series })) as KeyframePacket;
  const { charts } = choose(candidates(packet), MOST_CHARTS, 32);
  const panels = buildGroups(packet.series, [], null).flatMap((group) => group.panels);

  test("begins with the charts that the dashboard shows first", () => {
    const own = panels.filter(({ group }) => group === "Your metrics").map(({ title }) => title);
    const titles = charts.map(({ title }) => title);
    expect(titles.slice(0, 3)).toEqual(own.slice(0, 3));
    const machine = titles.filter((title) => !own.includes(title));
    expect(machine.slice(0, 3)).toEqual(gpus > 0 ? FIRST_OF_GPUS : FIRST_OF_MACHINE);
    expect(titles).toHaveLength(MOST_CHARTS);
  });

  test("has the lines of the dashboard's charts in their colours", () => {
    const alike = charts.flatMap((chart) => {
      const panel = panels.find(({ title }) => title === chart.title);
      return panel ? [{ chart, panel }] : [];
    });
    expect(alike.length).toBeGreaterThan(5);
    for (const { chart, panel } of alike) {
      // Many lines are rows of colours here and there.
      const lines = panel.crowded ? chart.rows : chart.lines;
      expect(lines.map(({ color, metric }) => [color, metric])).toEqual(
        panel.lines.map(({ color, series: { metric } }) => [color, metric]),
      );
    }
  });
});
