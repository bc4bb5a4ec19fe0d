/** Directories that Python wrote are answered as Python answers them; see tests/storage/running.py. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Arrival } from "../../core/history/channel";
import type { KeyframePacket, RowsPacket } from "../../core/wire/packet";
import { CODE_MISSING } from "../../core/wire/packet";
import { openDirectory } from "./open";
import { MemoryFolder } from "./testing";

const DATA = new URL("../../../tests/data/running/", import.meta.url);
const MANY = 20_000;

/** Time in microseconds, value and step; null is none. */
type Row = [number, number | null, number | null];

interface Answers {
  running: boolean;
  problems: string[];
  series: unknown[];
  entities: unknown[];
  moments: unknown[];
  spans: unknown[];
  odd: unknown[];
  state: Record<string, unknown>;
  edges: [number, number];
  last: Record<string, number | null>;
  missing: Record<string, number[]>;
  whole: Record<string, Row[]>;
  part: [number, number, Record<string, Row[]>];
}

const all = JSON.parse(readFileSync(new URL("answers.json", DATA), "utf8")) as Record<
  string,
  Answers
>;

async function opened(name: string) {
  const folder = MemoryFolder.of(new URL(`${name}.pulse`, DATA).pathname);
  folder.silentFor = all[name]?.running ? 1 : 1000;
  const channel = await openDirectory(folder, {
    hidden: () => true,
    gone: () => undefined,
    again: () => undefined,
  });
  let hear: (arrival: Arrival) => void = () => undefined;
  channel.subscribe({ hear: (arrival) => hear(arrival) });
  const next = () =>
    new Promise<Arrival["packet"]>((resolve) => {
      hear = ({ packet }) => resolve(packet);
    });
  const keyframe = async () => {
    const packet = next();
    channel.send({ kind: "hello" });
    return (await packet) as KeyframePacket;
  };
  const range = async (ids: readonly number[], t0: number, t1: number) => {
    const packet = next();
    channel.send({ kind: "range", request: 1, ids, t0, t1, points: MANY });
    return (await packet) as RowsPacket;
  };
  return { channel, keyframe, range };
}

function rowsIn({ rows }: RowsPacket): Record<string, Row[]> {
  const found: Record<string, Row[]> = {};
  const number = (value: number | undefined) =>
    value === undefined || Number.isNaN(value) ? null : value;
  for (let i = 0; i < rows.length; i++) {
    const row: Row = [
      Math.round((rows.time[i] as number) * 1e6),
      number(rows.value[i]),
      number(rows.step?.[i]),
    ];
    const id = String(rows.series[i]);
    found[id] = [...(found[id] ?? []), row];
  }
  return found;
}

/** First and last place of what is missing, in pairs. */
function missingIn(packet: KeyframePacket): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const [row, id] of packet.ids.entries()) {
    const codes = packet.min.subarray(row * packet.buckets, (row + 1) * packet.buckets);
    const places: number[] = [];
    codes.forEach((code, i) => {
      if (code !== CODE_MISSING) return;
      if (codes[i - 1] !== CODE_MISSING) places.push(i);
      if (codes[i + 1] !== CODE_MISSING) places.push(i);
    });
    found[id] = places;
  }
  return found;
}

test("there are directories of every sort", () => {
  expect(Object.keys(all).length).toBeGreaterThanOrEqual(10);
});

test.each(Object.entries(all))("%s is answered as Python answers it", async (name, told) => {
  const { channel, keyframe, range } = await opened(name);

  expect(channel.running).toBe(told.running);
  const reason = /(_:|JSON object|is missing): .*(Expecting|JSON).*$/;
  const plain = (sentence: string) => sentence.replace(reason, "$1");
  expect(channel.problems.map(plain).sort()).toEqual(told.problems.map(plain).sort());

  const packet = await keyframe();
  expect(packet.series).toEqual(told.series);
  expect(packet.entities).toEqual(told.entities);
  expect(packet.moments).toEqual(told.moments);
  expect(packet.spans).toEqual(told.spans);
  expect(packet.odd).toEqual(told.odd);
  const { title, t0, t1, interval, simulated, phase } = packet.state ?? {};
  expect({ title, t0, interval, simulated }).toEqual({
    title: told.state["title"],
    t0: told.state["t0"],
    interval: told.state["interval"],
    simulated: told.state["simulated"],
  });
  expect([phase, t1]).toEqual(told.running ? ["running", null] : ["replay", told.state["t1"]]);
  expect([packet.edges[0], packet.edges.at(-1)]).toEqual(told.edges);
  expect(Object.fromEntries(packet.ids.map((id, row) => [id, packet.last?.[row]]))).toEqual(
    told.last,
  );
  expect(missingIn(packet)).toEqual(told.missing);

  const ids = packet.series.map(({ id }) => id);
  expect(rowsIn(await range(ids, ...told.edges))).toEqual(told.whole);
  const [t0s, t1s, rows] = told.part;
  expect(rowsIn(await range(ids, t0s, t1s))).toEqual(rows);
  channel.close();
});
