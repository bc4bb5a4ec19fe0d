import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, encodeKeyframe, encodePacket, encodeRows, rowsOf } from "../testing/packets";
import { WireError } from "./header";
import { CODE_NONE, decodePacket, type FramePacket, headerOf, type KeyframePacket } from "./packet";
import { envelopeOf } from "./parts";

const row = fc.tuple(
  fc.integer({ min: 0, max: 500 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double(),
);

describe("decodePacket", () => {
  test("gives back the rows of a frame, whatever their values", () => {
    fc.assert(
      fc.property(fc.array(row), fc.nat(), (rows, seq) => {
        const packet = decodePacket(encodeFrame(seq, rows)) as FramePacket;

        expect(packet.seq).toBe(seq);
        expect(rowsOf(packet.rows)).toEqual(rows);
      }),
    );
  });

  test("reads a buffer that starts off an 8-byte boundary", () => {
    const bytes = encodeFrame(3, [[1, 10.5, 2, 7]]);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);

    const packet = decodePacket(new DataView(shifted.buffer, 3)) as FramePacket;

    expect(rowsOf(packet.rows)).toEqual([[1, 10.5, 2, 7]]);
  });

  test("gives back what is new in words", () => {
    const series = { id: 4, host: "h", entity: "gpu:0", metric: "gpu.power", unit: "W" };
    const about = { host: "h", entity: "kernel" };
    const moment = { ...about, time: 5, metric: "mark", facts: { label: "here" } };
    const span = { ...about, id: "a", start: 5, end: null, metric: "cell", facts: { count: 3 } };
    const news = {
      series: [{ ...series, kind: "gauge", labels: { rank: "0" } }],
      entities: [{ host: "h", entity: "gpu:0", labels: { name: "µ-GPU" } }],
      moments: [moment],
      spans: [span],
      lines: [{ series: 4, time: 6, text: "printed" }],
      state: { phase: "running", title: "run", t0: 1, t1: null, interval: 0.5, simulated: true },
    };

    const packet = decodePacket(encodeFrame(1, [], news)) as FramePacket;

    expect(packet.series).toEqual(news.series);
    expect(packet.entities).toEqual(news.entities);
    expect(packet.moments).toEqual(news.moments);
    expect(packet.spans).toEqual(news.spans);
    expect(packet.lines).toEqual(news.lines);
    expect(packet.state).toMatchObject(news.state);
    expect(packet.state?.recording.path).toBeNull();
  });

  test("reads what a source is called, and does without in what older versions wrote", () => {
    const npu = { name: "npu", state: "ok", title: "My NPU", group: "NPU", rejected: 3 };
    const sources = [npu, { name: "nvml", state: "ok" }, { name: "odd", title: 7, group: null }];

    const packet = decodePacket(encodeFrame(1, [], { state: { sources } })) as FramePacket;

    expect(packet.state?.sources.map(({ name, title, group }) => [name, title, group])).toEqual([
      ["npu", "My NPU", "NPU"],
      ["nvml", "", ""],
      ["odd", "", ""],
    ]);
  });

  test("gives back the codes of a keyframe", () => {
    const edges = [0, 8, 9];
    const codes = [[1, 65533] as const, null];

    const bytes = encodeKeyframe(9, edges, [{ id: 2, lo: -1, hi: 1, codes }]);
    const packet = decodePacket(bytes) as KeyframePacket;

    expect(packet).toMatchObject({ seq: 9, buckets: 2, ids: [2], lo: [-1], hi: [1] });
    expect([...packet.edges]).toEqual(edges);
    expect([...packet.min]).toEqual([1, 65535]);
    expect([...packet.max]).toEqual([65533, 65535]);
  });

  test("refuses every packet that was cut short or has bytes too many", () => {
    const whole = encodeRows({ ids: [1], t0: 0, t1: 9, reduced: [] }, [[1, 2, 3]]);
    for (let size = 0; size < whole.length; size++) {
      expect(() => decodePacket(whole.slice(0, size))).toThrow(WireError);
    }

    const longer = new Uint8Array(whole.length + 8);
    longer.set(whole);

    expect(() => decodePacket(longer)).toThrow(WireError);
  });

  test("never fails in another way than with a WireError, whatever byte is wrong", () => {
    const whole = encodeKeyframe(9, [0, 1], [{ id: 2, lo: 0, hi: 1, codes: [[0, 9]] }]);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const bytes = whole.slice();
        bytes[at] = byte;
        try {
          decodePacket(bytes);
        } catch (problem) {
          expect(problem).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("refuses an answer with envelopes that was cut short", () => {
    const whole = new Uint8Array(
      readFileSync(new URL("../../../tests/data/wire/rows.bin", import.meta.url)),
    );
    const { header, body } = headerOf(whole);
    for (let size = 0; size < body.length; size++) {
      expect(() => decodePacket(encodePacket(header, [body.subarray(0, size)]))).toThrow(WireError);
    }
    const wrong = { ...header, envelopes: { ids: [1], buckets: 1e12, stepped: [] } };
    expect(() => decodePacket(encodePacket(wrong, [body]))).toThrow(WireError);
  });

  test.each([
    ["a size that no body could have", { kind: "frame", seq: 1, n: 1e15, steps: false }],
    ["a negative size", { kind: "frame", seq: 1, n: -1, steps: false }],
    ["a size that is no number", { kind: "frame", seq: 1, n: "1", steps: false }],
    ["a kind it does not know", { kind: "surprise" }],
    [
      "a keyframe without ranges",
      { kind: "keyframe", seq: 1, buckets: 0, ids: [1], lo: [], hi: [] },
    ],
  ])("refuses %s", (_, header) => {
    expect(() => decodePacket(encodePacket(header))).toThrow(WireError);
  });

  test("refuses rows without a time and edges that fall", () => {
    expect(() => decodePacket(encodeFrame(1, [[1, Number.NaN, 3]]))).toThrow("no time");
    expect(() => decodePacket(encodeKeyframe(1, [2, 1], []))).toThrow("do not rise");
  });

  test("says which side to upgrade when the major versions differ", () => {
    const header = { kind: "frame", seq: 1, n: 0, steps: false };

    expect(() => decodePacket(encodePacket(header, [], [2, 0]))).toThrow(
      /this page's pulse_widgets/,
    );
    expect(() => decodePacket(encodePacket(header, [], [0, 9]))).toThrow(
      /the kernel's pulse_widgets/,
    );
  });

  test("reads what it knows of a newer minor version", () => {
    const header = { kind: "frame", seq: 1, n: 0, steps: false, news: 1 };
    const more = [new Uint8Array(8)];

    expect(decodePacket(encodePacket(header, more, [1, 99])).kind).toBe("frame");
    expect(decodePacket(encodePacket({ kind: "surprise" }, [], [1, 99])).kind).toBe("unknown");
  });
});

test.each([
  [undefined, undefined],
  [0, undefined],
  [700, 700],
])("a frame that leaves out %s lines says so", (some, told) => {
  const frame = decodePacket(encodeFrame(1, [], { lines_left_out: some })) as FramePacket;
  expect(frame.linesLeftOut).toBe(told);
  expect(() => decodePacket(encodeFrame(1, [], { lines_left_out: "many" }))).toThrow(WireError);
});

describe("an answer with printed lines", () => {
  const line = (time: number, text: unknown = "x") => ({ series: 3, time, text });
  const answer = { kind: "lines", request: 7, t0: 1, t1: 9, lines: [line(1), line(4)], more: true };

  test("is read as it is", () => {
    expect(decodePacket(encodePacket(answer))).toEqual(answer);
    // A moment that was rounded may lie just outside of what was asked for.
    const near = { ...answer, lines: [line(0.9999995), line(9.0000004)], more: false };
    expect(decodePacket(encodePacket(near))).toEqual(near);
  });

  test.each([
    ["without its number", { request: undefined }],
    ["with a number that is none", { request: -1 }],
    ["without its stretch", { t0: null }],
    ["without an end of it", { t1: "9" }],
    ["without lines", { lines: undefined }],
    ["with lines that are no list", { lines: {} }],
    ["with a line that is none", { lines: ["x"] }],
    ["with a line of no time", { lines: [line(Number.NaN)] }],
    ["with a line of no series", { lines: [{ time: 2, text: "x" }] }],
    ["with a line of no text", { lines: [line(2, 5)] }],
    ["with lines that run back", { lines: [line(4), line(3)] }],
    ["with a line before it", { lines: [line(0.5)] }],
    ["with a line after it", { lines: [line(9.5)] }],
    ["that does not tell whether there are more", { more: undefined }],
    ["that tells it in words", { more: "yes" }],
  ])("%s is refused", (_, wrong) => {
    expect(() => decodePacket(encodePacket({ ...answer, ...wrong }))).toThrow(WireError);
  });

  test("with a body is refused", () => {
    expect(() => decodePacket(encodePacket(answer, [new Uint8Array(8)]))).toThrow(WireError);
  });
});

describe("the means of a keyframe", () => {
  const code = fc.oneof(fc.nat(65533), fc.constant(CODE_NONE));

  test("lie between the extremes or are not known, whatever the packet says", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(code, code, code), { maxLength: 9 }), (cells) => {
        const codes = cells.map(([a, b, mean]) =>
          a > 65533 || b > 65533 ? null : ([Math.min(a, b), Math.max(a, b), mean] as const),
        );
        const edges = [0, ...codes.map((_, i) => i + 1)];
        const packet = encodeKeyframe(1, edges, [{ id: 0, lo: -7, hi: 1e9, codes }]);

        const { min, max, mean } = envelopeOf(decodePacket(packet) as KeyframePacket, 0);

        for (const [i, all] of codes.entries()) {
          const known = all !== null && (all[2] !== CODE_NONE || all[0] === all[1]);
          expect(Number.isNaN(mean[i])).toBe(!known);
          if (!known) continue;
          const exact = -7 + ((1e9 + 7) / 65533) * all[2];
          const inside = Math.min(Math.max(exact, min[i] as number), max[i] as number);
          expect(mean[i]).toBeCloseTo(inside, 3);
        }
      }),
    );
  });
});

describe("the last values of a keyframe", () => {
  const envelopes = [0, 1].map((id) => ({ id, lo: 0, hi: 1, codes: [[0, 1] as const] }));
  const read = (news: Record<string, unknown>) =>
    decodePacket(encodeKeyframe(1, [0, 1], envelopes, news)) as KeyframePacket;

  test("are one a series, and null where there is none now", () => {
    expect(read({ last: [0.000342, null] }).last).toEqual([0.000342, null]);
  });

  test("are not known of older packets", () => {
    expect(read({}).last).toBeNull();
  });

  test("are numbers, as many as series", () => {
    expect(() => read({ last: [1] })).toThrow(WireError);
    expect(() => read({ last: [1, "2"] })).toThrow(WireError);
  });
});
