import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { rowsOf } from "../testing/packets";
import { decodePacket, type FramePacket, type KeyframePacket, type RowsPacket } from "./packet";
import { envelopeOf } from "./parts";

const NONE = Number.NaN;
const T0 = 1_760_000_000;

function golden(name: string): { packet: unknown; header: Record<string, unknown> } {
  const read = (end: string) =>
    readFileSync(new URL(`../../../tests/data/wire/${name}.${end}`, import.meta.url));
  return { packet: decodePacket(read("bin")), header: JSON.parse(read("json").toString()) };
}

describe("packets as the kernel writes them", () => {
  test("a frame", () => {
    const { packet, header } = golden("frame");
    const frame = packet as FramePacket;

    expect(frame).toMatchObject({ kind: "frame", seq: 3, series: header["series"] });
    expect(frame.state).toMatchObject(header["state"] as object);
    expect(frame).toMatchObject({ moments: header["moments"], spans: header["spans"] });
    expect(frame).toMatchObject({ entities: header["entities"], lines: header["lines"] });
    expect(rowsOf(frame.rows)).toEqual([
      [0, T0, 351.25, NONE],
      [1, T0 + 1e-6, 0.5, 7],
      [0, T0 + 1, NONE, NONE],
      [1, T0 + 2.5, -1e300, 8],
    ]);
  });

  test("a keyframe", () => {
    const { packet, header } = golden("keyframe");
    const keyframe = packet as KeyframePacket;

    expect(keyframe).toMatchObject({
      kind: "keyframe",
      seq: 9,
      buckets: 3,
      ids: [0, 1],
      lo: [1, -5],
      hi: [9, -5],
      stepped: [1],
      series: header["series"],
      entities: header["entities"],
    });
    expect([...keyframe.edges]).toEqual([T0, T0 + 4, T0 + 8, T0 + 9]);
    expect([...keyframe.stepLast]).toEqual([NONE, NONE, 12]);
    expect([...keyframe.min]).toEqual([0, 65534, 16383, 65535, 65535, 0]);
    expect([...keyframe.max]).toEqual([8192, 65534, 65533, 65535, 65535, 0]);
    expect([...(keyframe.mean ?? [])]).toEqual([2048, 65534, 65535, 65535, 65535, 0]);
    const [power, loss] = [0, 1].map((row) => envelopeOf(keyframe, row));
    expect(power?.mean[0]).toBeCloseTo(1.25, 3);
    expect([...(power?.mean.subarray(1) ?? [])]).toEqual([NONE, NONE]);
    expect([...(loss?.mean ?? [])]).toEqual([NONE, NONE, -5]);
  });

  test("an answer", () => {
    const answer = golden("rows").packet as RowsPacket;

    expect(answer).toMatchObject({ kind: "rows", request: 4, ids: [0, 1, 2], t0: T0, t1: T0 + 1 });
    expect(answer.reduced).toEqual([2, 0]);
    const edges = Float64Array.of(T0, T0 + 0.5, T0 + 1);
    expect(answer.envelopes).toEqual([
      {
        id: 2,
        envelope: {
          ...{ edges, min: Float64Array.of(1, NONE), max: Float64Array.of(2, NONE) },
          ...{ mean: Float64Array.of(1.125, NONE), missing: Uint8Array.of(0, 1) },
          ...{ step: null, slack: 0 },
        },
      },
      {
        id: 0,
        envelope: {
          ...{ edges, min: Float64Array.of(-3, 7), max: Float64Array.of(-3, 1e300) },
          ...{ mean: Float64Array.of(-3, 8), missing: Uint8Array.of(0, 0) },
          ...{ step: Float64Array.of(NONE, 12), slack: 0 },
        },
      },
    ]);
    expect(rowsOf(answer.rows)).toEqual([
      [1, T0, 1.5],
      [1, T0 + 0.5, 2.5],
    ]);
  });
});
