/** What notebooks have kept in wire version 1.0 is read as what it was. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { encodeKeyframe } from "../testing/packets";
import { withHeader } from "./encode";
import { decodePacket, type FramePacket, headerOf, type KeyframePacket } from "./packet";
import { envelopeOf } from "./parts";

type Header = Readonly<Record<string, unknown>>;

const CELL = { metric: "cell", entity: "cell:3", id: "3@10" };
const BEGUN = { ...CELL, time: 10, value: null, count: 3, line: "train()" };
const ENDED = { ...CELL, time: 25, value: 15, status: "ok" };

function golden(name: string): unknown {
  return decodePacket(
    readFileSync(new URL(`../../../tests/data/wire/${name}-1.0.bin`, import.meta.url)),
  );
}

function series(metric: string, kind: string, entity = "cell:3", host = "h0"): Header {
  return { id: 0, host, entity, metric, unit: "", kind, labels: {} };
}

function older(header: Header): KeyframePacket {
  const { moments, spans, ...rest } = { moments: [], spans: [], ...header };
  return decodePacket(encodeKeyframe(1, [0, 1], [], rest)) as KeyframePacket;
}

test("packets that the kernel of that version wrote", () => {
  const frame = golden("frame") as FramePacket;
  const keyframe = golden("keyframe") as KeyframePacket;
  expect(frame.moments).toEqual([{ time: 1.5, host: "h0", entity: "", metric: "mark", facts: {} }]);
  expect(keyframe.entities).toEqual([{ host: "h0", entity: "gpu:0", labels: { name: "x" } }]);
});

test.each(["1.0", "1.1"])(
  "the means of a keyframe of %s are only known where its extremes are one",
  (version) => {
    const read = readFileSync(
      new URL(`../../../tests/data/wire/keyframe-${version}.bin`, import.meta.url),
    );
    const keyframe = decodePacket(read) as KeyframePacket;

    expect(keyframe.mean).toBeNull();
    const [min, max, mean] = keyframe.ids
      .map((_, row) => envelopeOf(keyframe, row))
      .reduce<number[][]>(
        (all, one) => [one.min, one.max, one.mean].map((v, i) => [...(all[i] ?? []), ...v]),
        [],
      ) as [number[], number[], number[]];
    expect(min.some((low, i) => low === max[i])).toBe(true);
    expect(mean).toEqual(min.map((low, i) => (low === max[i] ? low : Number.NaN)));
  },
);

test("a packet with another header is of the version that its columns are of", () => {
  const bytes = new Uint8Array(
    readFileSync(new URL("../../../tests/data/wire/keyframe-1.1.bin", import.meta.url)),
  );

  const changed = withHeader(bytes, (header) => ({ ...header, seq: 77 }));

  const { kind, ...rest } = decodePacket(bytes) as KeyframePacket;
  expect(decodePacket(changed)).toEqual({ kind, ...rest, seq: 77 });
  expect(headerOf(changed).minor).toBe(1);
});

test("a cell is one span from its start to its end", () => {
  const { spans } = older({ series: [series("cell", "span")], events: [BEGUN, ENDED] });
  expect(spans).toEqual([
    {
      ...{ host: "h0", entity: "cell:3", metric: "cell", id: "3@10", start: 10, end: 25 },
      facts: { count: 3, line: "train()", status: "ok" },
    },
  ]);
});

test("of a cell whose start was forgotten the start is told by its seconds", () => {
  expect(older({ events: [ENDED] }).spans).toMatchObject([{ start: 10, end: 25 }]);
});

test("a cell that runs has no end", () => {
  expect(older({ events: [BEGUN] }).spans).toMatchObject([{ start: 10, end: null }]);
});

test.each([
  ["span", "span", "spans"],
  ["task", "span", "spans"],
  ["task", "text", "moments"],
  ["alert", "text", "moments"],
  ["log.stdout", "text", "neither"],
  ["sample", "media", "neither"],
  ["task", "of a newer version", "neither"],
])("%s that is stored as %s is one of the %s", (metric, kind, sort) => {
  const told = older({ series: [series(metric, kind)], events: [{ ...BEGUN, metric }] });
  expect([told.spans.length, told.moments.length]).toEqual([
    Number(sort === "spans"),
    Number(sort === "moments"),
  ]);
});

test.each([
  ["span", 1, 0],
  ["finding", 0, 1],
  ["log.stderr", 0, 0],
  ["constructor", 0, 1],
])("of %s without a series there are %i spans and %i moments", (metric, spans, moments) => {
  const told = older({ events: [{ ...BEGUN, metric }] });
  expect([told.spans.length, told.moments.length]).toEqual([spans, moments]);
});

test("an entity is one of each host that has it, and a machine has its name", () => {
  const { entities } = older({
    series: [series("gpu.power", "gauge", "gpu:0"), series("gpu.power", "gauge", "gpu:0", "h1")],
    entities: { "gpu:0": { name: "H100" }, h1: { name: "node17" } },
  });
  expect(entities).toEqual([
    { host: "h0", entity: "gpu:0", labels: { name: "H100" } },
    { host: "h1", entity: "gpu:0", labels: { name: "H100" } },
    { host: "h1", entity: "host", labels: { name: "node17" } },
  ]);
});

test.each(["sent_bytes_s", "sent_bytes_per_s"])("bytes a second are read from %s", (name) => {
  const { state } = older({ state: { phase: "stopped", cost: { [name]: 9000 } } });
  expect(state?.cost.sent_bytes_per_s).toBe(9000);
});
