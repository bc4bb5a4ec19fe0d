/** What a picture shows of a machine, by the examples of `tests/exchange/choice.py`. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { buildGroups, type Panel } from "../charts/groups";
import { sectionsOf } from "../dashboard/section-plan";
import { initialState } from "../dashboard/view-state";
import { encodeKeyframe } from "../testing/packets";
import { CATALOG } from "../vocabulary/catalog.gen";
import { COLUMNS, MOST_CHARTS, MOST_ROWS } from "../vocabulary/shared.gen";
import { decodePacket, type KeyframePacket } from "../wire/packet";
import { candidates, choose } from "./choice";

interface Case {
  readonly name: string;
  readonly charts: number;
  readonly silent: readonly string[];
  /** What each machine is called, if it is; one without a name where there are none. */
  readonly hosts?: Readonly<Record<string, string>>;
  readonly defined?: Readonly<Record<string, unknown>>;
  readonly groups: readonly (readonly [entity: string, count: number, metric: string])[];
  readonly drawn: readonly unknown[];
  readonly listed: readonly unknown[];
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL("../../../tests/data/figure/choice.json", import.meta.url), "utf8"),
);

function packetOf({ groups, silent, defined = {}, hosts = { h0: "" } }: Case): KeyframePacket {
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
  const labels = { defined: JSON.stringify(defined) };
  const told = { series, entities: [...entities, { host: "h0", entity: "user", labels }] };
  return decodePacket(encodeKeyframe(0, [0, 1, 2, 3, 4], envelopes, told)) as KeyframePacket;
}

test.each(cases)("of $name what the kernel draws and lists", (one) => {
  const chosen = choose(candidates(packetOf(one)), one.charts, MOST_ROWS - MOST_ROWS / 5);
  const titled = (title: string, unit: string) => (one.defined ? `${title} (${unit})` : title);
  const drawn = chosen.charts.map(({ title, unit, lines }) => {
    return [titled(title, unit), lines.map(({ label }) => label)];
  });
  const listed = chosen.lines.map(({ title, owner, series }) => [title, owner, series]);

  expect(drawn).toEqual(one.drawn);
  expect(listed).toEqual(one.listed);
});

/** The charts that the dashboard shows before anything is asked for, section by section. */
function shownAtFirst(packet: KeyframePacket, gpus: boolean): readonly Panel[] {
  const groups = buildGroups(packet.series, [], null).map((group) => ({ ...group, hinted: false }));
  const context = { asked: false, columns: COLUMNS, gpus, young: false };
  const sections = sectionsOf(groups, initialState("all"), context);
  return sections.flatMap(({ open, panels, shown }) => (open ? panels.slice(0, shown) : []));
}

describe.each([0, 1, 8, 64])("a picture of %s GPUs", (gpus) => {
  const about = (id: number, entity: string, metric: string) => {
    const unit = CATALOG[metric]?.unit ?? "";
    return { id, host: "h0", entity, metric, unit, kind: "gauge", labels: {} };
  };
  const own = ["train/loss", "lr", "val/loss", "speed", "norm"];
  const devices = ["utilization", "memory.used", "power", "temperature", "sm.active"];
  const machine = ["cpu.utilization", "memory.used", "disk.read", "disk.write", "net.received"];
  const things = [
    ...own.map((metric) => ["user", metric] as const),
    ...devices.flatMap((metric) =>
      Array.from({ length: gpus }, (_, i) => [`gpu:${i}`, `gpu.${metric}`] as const),
    ),
    ...machine.map((metric) => ["host", metric] as const),
    ["kernel", "process.cpu"] as const,
  ];
  const series = things.map(([entity, metric], id) => about(id, entity, metric));
  const envelopes = series.map(({ id }) => ({ id, lo: 0, hi: 1, codes: [[0, 65533]] as const }));
  const packet = decodePacket(encodeKeyframe(0, [0, 10], envelopes, { series })) as KeyframePacket;
  const { charts } = choose(candidates(packet), MOST_CHARTS, 32);
  const live = shownAtFirst(packet, gpus > 0);

  test("has the charts that the dashboard shows at first, in their order, and all own", () => {
    const titles = live.map(({ title }) => title);
    expect(live.length).toBeGreaterThanOrEqual(6);
    const drawn = charts.map(({ title }) => title);
    const both = titles.filter((title) => drawn.includes(title));
    expect(drawn.filter((title) => titles.includes(title))).toEqual(both);
    // What gives way to an own one are charts of the machine.
    expect(titles.slice(0, gpus > 0 ? 6 : 3)).toEqual(both.slice(0, gpus > 0 ? 6 : 3));
    expect(drawn.slice(0, 4)).toEqual(["loss", "lr", "speed", "norm"]);
    expect(drawn).toHaveLength(MOST_CHARTS);
  });

  test("has up to six charts of the user's before others than the first of the GPUs", () => {
    const more = Array.from({ length: 9 }, (_, i) => about(1000 + i, "user", `key${i}`));
    const known = more.map(({ id }) => ({ id, lo: 0, hi: 1, codes: [[0, 65533]] as const }));
    const told = { series: [...series, ...more] };
    const bytes = encodeKeyframe(0, [0, 10], [...envelopes, ...known], told);
    const drawn = choose(candidates(decodePacket(bytes) as KeyframePacket), MOST_CHARTS, 32).charts;
    expect(drawn.slice(0, 6).map(({ lines: [line] }) => line?.group)).toEqual(
      Array(6).fill("Your metrics"),
    );
    const [title] = drawn.slice(6).map((chart) => chart.title);
    expect(title).toBe(gpus > 0 ? "GPU utilization" : "CPU utilization");
  });

  test("has the lines of those charts, in their colours", () => {
    for (const panel of live) {
      const chart = charts.find(({ title }) => title === panel.title);
      if (!chart) continue;
      // Many lines are rows of colours here and there.
      const lines = (panel.crowded ? chart?.rows : chart?.lines) ?? [];
      expect(lines.map(({ color, metric }) => [color, metric])).toEqual(
        panel.lines.map(({ color, series: { metric } }) => [color, metric]),
      );
      const names = panel.lines.map(({ label, series: one }) =>
        label === one.metric ? "" : label,
      );
      if (names.every(Boolean)) expect(lines.map(({ label }) => label)).toEqual(names);
    }
  });
});
