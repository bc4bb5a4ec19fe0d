/** What a picture shows of a machine, by the examples of `tests/exchange/choice.py`. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { encodeKeyframe } from "../testing/packets";
import { CATALOG } from "../vocabulary/catalog.gen";
import { MOST_ROWS } from "../vocabulary/shared.gen";
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
