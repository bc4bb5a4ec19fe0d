import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EncodedEnvelope, encodeKeyframe } from "../testing/packets";
import { leftOutSentence } from "../vocabulary/left-out";
import { packedKeyframe } from "../wire/encode";
import {
  CODE_MISSING,
  CODE_NONE,
  decodePacket,
  headerOf,
  type KeyframePacket,
} from "../wire/packet";
import { envelopeOf } from "../wire/parts";
import { coarsened } from "./detail";
import { fitKeyframe, matchingKeyframe, stripKeyframe } from "./fit";

interface Case {
  readonly name: string;
  readonly limit: number;
  readonly groups: readonly (readonly [entity: string, count: number, metric: string])[];
  /** How many series of each group `fit` keeps in the kernel. */
  readonly kept: readonly number[];
  readonly said: readonly string[];
}

const CASES: Case[] = JSON.parse(
  readFileSync(new URL("../../../tests/data/figure/kept.json", import.meta.url), "utf8"),
);

const edges = (buckets: number) => Array.from({ length: buckets + 1 }, (_, i) => 1e9 + i);

function series(id: number, metric = "gpu.power", entity = `gpu:${id}`) {
  return { id, host: "host-0", entity, metric, unit: "W", kind: "gauge", labels: {} };
}

/** What is known of each thing that has a series. */
function entitiesOf(about: readonly { host: string; entity: string }[]) {
  const owners = new Map(about.map(({ host, entity }) => [entity, host]));
  return [...owners].map(([entity, host]) => ({ host, entity, labels: { name: entity } }));
}

function read(packet: Uint8Array): KeyframePacket {
  return decodePacket(packet) as KeyframePacket;
}

function coarse(bytes: Uint8Array, buckets: number): KeyframePacket {
  const packet = read(bytes);
  return read(coarsened(packet, headerOf(bytes).header, [...packet.ids.keys()], buckets));
}

function row(packet: KeyframePacket, id: number): [number, number][] {
  const at = packet.ids.indexOf(id) * packet.buckets;
  return Array.from({ length: packet.buckets }, (_, i) => [
    packet.min[at + i] as number,
    packet.max[at + i] as number,
  ]);
}

const MISSING = [CODE_MISSING, CODE_MISSING] as const;

/** So many series that one bucket more is more than the slack in the reckoning. */
const MANY = Array.from({ length: 100 }, (_, id) => id);

function many(codes: EncodedEnvelope["codes"]): Uint8Array {
  const envelopes = MANY.map((id) => ({ id, lo: 0, hi: 1, codes }));
  return encodeKeyframe(0, edges(codes.length), envelopes, {
    series: MANY.map((id) => series(id)),
  });
}

describe("fitKeyframe", () => {
  test("leaves alone what fits", () => {
    const packet = encodeKeyframe(3, edges(2), [{ id: 0, lo: 0, hi: 1, codes: [[1, 2], null] }]);

    expect(fitKeyframe(packet, packet.length)).toEqual(packet);
  });

  test("puts neighbours together: the least and the greatest stay, gaps stay gaps", () => {
    const pattern = [
      ...[
        [5, 6],
        [1, 7],
      ], // two buckets with values
      ...[[3, 4], null],
      ...[MISSING, null], // a gap that goes on
      ...[null, null], // and on
      ...[[8, 65533], MISSING], // a short gap beside values is not seen any more
      ...[null, [2, 2]], // and is over here
    ] as (readonly [number, number] | null)[];
    const codes = Array.from({ length: 10 }, () => pattern).flat();

    const fitted = coarse(many(codes), 60);

    expect([fitted.ids.length, fitted.series.length, fitted.buckets]).toEqual([100, 100, 60]);
    expect([...fitted.edges]).toEqual(Array.from({ length: 61 }, (_, i) => 1e9 + 2 * i));
    expect(row(fitted, 7).slice(6, 12)).toEqual([
      [1, 7],
      [3, 4],
      [CODE_MISSING, CODE_MISSING],
      [CODE_MISSING, CODE_MISSING],
      [8, 65533],
      [2, 2],
    ]);
  });

  test("keeps the last step of what is put together", () => {
    const pattern = [1, Number.NaN, Number.NaN, Number.NaN, 7, 9];
    const codes = Array.from({ length: 120 }, () => [1, 1] as const);
    const steps = Array.from({ length: 20 }, () => pattern).flat();

    const fitted = coarse(stepped(steps, codes), 60);

    expect(fitted.buckets).toBe(60);
    expect([...fitted.stepLast.subarray(0, 3)]).toEqual([1, Number.NaN, 9]);
  });

  test("leaves out series rather than curves, those no chart is missed for first, and says so", () => {
    const about = [
      ...Array.from({ length: 300 }, (_, i) => series(i, "cpu.utilization", `cpu:${i}`)),
      series(300, "loss", "user"),
      series(301, "gpu.utilization", "gpu:0"),
    ];
    const source = { name: "nvml", state: "ok", problem: "", remedy: "", missing: [] };
    const envelopes = about.map(({ id }) => ({ id, lo: 0, hi: 1, codes: noiseOf(id) }));
    const packet = encodeKeyframe(0, edges(300), envelopes, {
      series: about,
      entities: entitiesOf(about),
      state: { phase: "stopped", sources: [source] },
    });

    const fitted = fitKeyframe(packet, 20_000);
    const { ids, buckets, state, entities, series: kept } = read(fitted);

    expect(fitted.length).toBeLessThanOrEqual(20_000);
    expect(buckets).toBe(200);
    expect(ids).toEqual(expect.arrayContaining([300, 301]));
    expect(ids.length).toBeLessThan(100);
    expect(kept.map(({ id }) => id)).toEqual(ids);
    expect(entities.map(({ entity }) => entity)).toEqual(kept.map(({ entity }) => entity));
    const said = state?.sources.at(-1);
    expect(said?.name).toBe("saved output");
    expect(said?.problem).toBe("300 series are left out of this saved view.");
  });

  test.each(CASES)(
    "keeps of $name what the kernel keeps",
    ({ limit, groups, ...known }) => {
      const named = groups.flatMap(([entity, count, metric]) =>
        Array.from({ length: count }, (_, i) => [entity.replace("{}", `${i}`), metric] as const),
      );
      const about = named.map(([entity, metric], id) => ({
        ...{ id, host: "h0", entity, metric, unit: "W", kind: "gauge", labels: {} },
      }));
      const packet = encodeKeyframe(
        0,
        edges(300),
        about.map(({ id }) => ({ id, lo: 0, hi: 65533, codes: noiseOf(id) })),
        {
          series: about,
          entities: entitiesOf(about),
          state: { phase: "stopped", recording: { path: "run.pulse" }, sources: [] },
        },
      );

      const most = Math.floor((limit * 3) / 4) - 2000;
      const fitted = fitKeyframe(packet, most);
      const { ids, buckets, state } = read(fitted);

      expect(fitted.length).toBeLessThanOrEqual(most);
      expect(buckets).toBeGreaterThanOrEqual(30);
      let first = 0;
      const kept = groups.map(([, count]) => {
        first += count;
        return ids.filter((id) => first - count <= id && id < first).length;
      });
      expect(kept).toEqual(known.kept);
      expect(state?.sources.map(({ problem }) => problem)).toEqual(known.said);
    },
    30_000,
  );

  test("keeps the last values of the series it keeps, beside their ids", () => {
    const kind = (i: number) => (i < 30 ? "disk" : "cpu");
    const about = Array.from({ length: 300 }, (_, i) => series(i, "x", `${kind(i)}:${i}`));
    const packet = encodeKeyframe(
      0,
      edges(300),
      about.map(({ id }) => ({ id, lo: 0, hi: 1, codes: noiseOf(id) })),
      { series: about, last: about.map(({ id }) => (id % 7 === 3 ? null : id / 3)) },
    );

    const fitted = fitKeyframe(packet, 20_000);
    const { ids, last } = read(fitted);

    expect(fitted.length).toBeLessThanOrEqual(20_000);
    expect(ids.length).toBeGreaterThan(10);
    expect(ids.length).toBeLessThan(300);
    expect(last).toEqual(ids.map((id) => (id % 7 === 3 ? null : id / 3)));
  });

  test("gives up the oldest events, and what sources lack, before there is nothing to see", () => {
    // Texts that cannot be packed.
    const digits = (n: number) => (Math.imul(n + 1, 2654435761) >>> 0).toString(36);
    const noise = (i: number) =>
      Array.from({ length: 150 }, (_, k) => digits(i * 150 + k)).join("");
    const events = Array.from({ length: 50 }, (_, i) => ({
      ...{ host: "h0", entity: "kernel", metric: "mark", facts: { label: noise(i) } },
      ...(i % 2 ? { time: i } : { id: `${i}`, start: i, end: i }),
    }));
    const missing = Array.from({ length: 500 }, (_, i) => ({ what: `${i}`, why: "y".repeat(60) }));
    const source = { name: "nvml", state: "ok", problem: "", remedy: "", missing };
    const codes = Array.from({ length: 300 }, () => [1, 2] as const);
    const packet = encodeKeyframe(0, edges(300), [{ id: 0, lo: 0, hi: 1, codes }], {
      series: [series(0)],
      moments: events.filter((_, i) => i % 2),
      spans: events.filter((_, i) => i % 2 === 0),
      state: { sources: [source] },
    });

    const fitted = fitKeyframe(packet, 20_000);

    expect(fitted.length).toBeLessThanOrEqual(20_000);
    const { moments, spans, buckets, state } = read(fitted);
    const said = "The oldest cells and marks are left out of this saved view.";
    expect(state && leftOutSentence(state)).toBe(said);
    // It is said once, also where a view is made smaller again.
    const again = read(fitKeyframe(fitted, 15_000)).state;
    expect(again && leftOutSentence(again)).toBe(said);
    expect(moments.at(-1)?.time).toBe(49);
    expect(spans.at(-1)?.start).toBe(48);
    expect(Math.abs(moments.length - spans.length)).toBeLessThan(2);
    expect(buckets).toBe(300);
  });

  test("joins means by the time of their buckets, and knows none where it knows one not", () => {
    const code = fc.tuple(fc.nat(65533), fc.nat(65533), fc.nat(65533)).map((all) => {
      const [min, mean, max] = all.sort((a, b) => a - b) as [number, number, number];
      return [min, max, mean] as const;
    });
    const unknown = fc.constant([5, 9, CODE_NONE] as const);
    const cell = fc.oneof({ weight: 9, arbitrary: code }, unknown, fc.constant(null));
    const widths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 31, maxLength: 80 });
    const shape = widths.chain((each) =>
      fc.tuple(
        fc.constant(each),
        fc.array(cell, { minLength: each.length, maxLength: each.length }),
      ),
    );
    fc.assert(
      fc.property(shape, ([widths, codes]) => {
        const edges = widths.map((_, i) => widths.slice(0, i).reduce((sum, w) => sum + w, 0));
        edges.push((edges.at(-1) ?? 0) + (widths.at(-1) ?? 0));
        const about = { id: 0, lo: 0, hi: 65533, codes };
        const shown = { series: [series(0, "gpu.power")] };
        const packet = encodeKeyframe(0, edges, [about], shown);

        const fitted = read(stripKeyframe(packet));

        expect(fitted.buckets).toBeLessThanOrEqual(30);
        expect(fitted.buckets).toBeGreaterThanOrEqual(5);
        const { min, max, mean } = envelopeOf(fitted, 0);
        for (let k = 0; k < fitted.buckets; k++) {
          const [start, end] = [fitted.edges[k] as number, fitted.edges[k + 1] as number];
          const inside = codes.flatMap((all, i) =>
            all && start <= (edges[i] as number) && (edges[i] as number) < end
              ? [{ mean: all[2] === CODE_NONE ? Number.NaN : all[2], width: widths[i] as number }]
              : [],
          );
          const seconds = inside.reduce((sum, { width }) => sum + width, 0);
          const exact = inside.reduce((sum, one) => sum + one.mean * one.width, 0) / seconds;
          if (Number.isNaN(exact)) expect(mean[k]).toBeNaN();
          else expect(Math.abs((mean[k] as number) - exact)).toBeLessThanOrEqual(0.5 + 1e-6);
          expect((mean[k] as number) < (min[k] as number)).toBe(false);
          expect((mean[k] as number) > (max[k] as number)).toBe(false);
        }
      }),
    );
  });

  test("makes smaller what was made small, and its envelopes still hold the values", () => {
    const about = Array.from({ length: 21 }, (_, id) => series(id, `x.${id % 7}`, `cpu:${id}`));
    const envelopes = about.map(({ id }) => ({ id, lo: 0, hi: 65533, codes: noiseOf(id) }));
    const whole = encodeKeyframe(0, edges(300), envelopes, { series: about });
    let bytes = whole;
    const told: (readonly number[] | null)[] = [];
    for (const most of [32_000, 14_000, 4_500, 3_500]) {
      bytes = fitKeyframe(bytes, most);
      expect(bytes.length).toBeLessThanOrEqual(most);
      const packet = read(bytes);
      told.push(packet.grains);
      for (const [line, id] of packet.ids.entries()) {
        const grain = packet.grains?.[line] ?? 1;
        const { min, max, mean, slack } = envelopeOf(packet, line);
        for (const [i, [low, high]] of noiseOf(id).entries()) {
          const at = packet.edges.findLastIndex((edge) => edge <= 1e9 + i);
          expect(min[at]).toBeLessThanOrEqual(low + 1e-6);
          expect(max[at]).toBeGreaterThanOrEqual(high - 1e-6);
          expect((mean[at] as number) % grain).toBeCloseTo(0, 6);
        }
        expect(Math.min(...min)).toBeGreaterThanOrEqual(-slack);
        expect(min.every((low, i) => low <= (mean[i] as number))).toBe(true);
        expect(max.every((high, i) => high >= (mean[i] as number))).toBe(true);
      }
    }
    expect(new Set(told.map((grains) => Math.max(...(grains ?? [1])))).size).toBeGreaterThan(1);
  }, 30_000);

  test("never loses an extreme or a gap of what it keeps, and always fits", () => {
    const pair = fc.oneof(
      fc.tuple(fc.nat(65533), fc.nat(65533)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]),
      fc.constant([CODE_MISSING, CODE_MISSING]),
      fc.constant([CODE_NONE, CODE_NONE]),
    ) as fc.Arbitrary<[number, number]>;
    const envelopes = fc
      .tuple(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 4 }))
      .chain(([buckets, rows]) =>
        fc.array(fc.array(pair, { minLength: buckets, maxLength: buckets }), {
          minLength: rows,
          maxLength: rows,
        }),
      );
    fc.assert(
      fc.property(envelopes, fc.integer({ min: 1500, max: 4000 }), (rows, most) => {
        const buckets = rows[0]?.length ?? 0;
        const about = rows.map((_, id) => series(id));
        const packet = encodeKeyframe(
          0,
          edges(buckets),
          rows.map((codes, id) => ({ id, lo: 0, hi: 1, codes })),
          { series: about },
        );

        const bytes = fitKeyframe(packet, most);
        const fitted = read(bytes);

        expect(bytes.length).toBeLessThanOrEqual(most);
        for (const id of fitted.ids) {
          const before = (rows[id] as [number, number][]).filter(([low]) => low < CODE_MISSING);
          const after = row(fitted, id).filter(([low]) => low < CODE_MISSING);
          const extremes = (pairs: [number, number][]) => [
            Math.min(...pairs.map(([low]) => low)),
            Math.max(...pairs.map(([, high]) => high)),
          ];
          expect(extremes(after)).toEqual(extremes(before));
        }
      }),
    );
  });
});

/** Codes that do not compress, the same as in `tests/exchange/kept.py`. */
function noiseOf(row: number, buckets = 300): (readonly [number, number, number])[] {
  const low = Array.from({ length: buckets }, (_, i) => {
    let x = row * buckets + i + 1;
    x = Math.imul(x, 2654435761);
    x ^= x >>> 15;
    x = Math.imul(x, 2246822519);
    x ^= x >>> 13;
    return (x >>> 0) % 65534;
  });
  return low.map((one, i) => {
    if (i === 0) return [0, 65533, 32766];
    const high = Math.max(one, low[(i - 7 + buckets) % buckets] as number);
    return [one, high, Math.floor((one + high) / 2)];
  });
}

function stepped(steps: readonly number[], codes: EncodedEnvelope["codes"]): Uint8Array {
  const buckets = steps.length;
  const column = Uint16Array.from(MANY.flatMap(() => codes.map((pair) => pair?.[0] ?? CODE_NONE)));
  const header = {
    ...{ kind: "keyframe", seq: 0, buckets, ids: MANY, stepped: MANY },
    ...{ lo: MANY.map(() => 0), hi: MANY.map(() => 1), series: MANY.map((id) => series(id)) },
    ...{ entities: [], state: {} },
  };
  const stepLast = Float64Array.from(MANY.flatMap(() => steps));
  const columns = { min: column, max: column, mean: column };
  return packedKeyframe(header, [Float64Array.from(edges(buckets)), stepLast], columns);
}

test("odd values stay with their series and leave the curves their room", () => {
  const about = [series(0, "train/loss", "user"), series(1, "train/accuracy", "user")];
  const odd = Array.from({ length: 200 }, (_, at) => {
    return { series: at % 2, time: 1e9 + at + 0.25, step: null, what: "inf" };
  });
  let seed = 1;
  const noise = () => {
    seed = (seed * 48271) % 2147483647;
    return seed % 65534;
  };
  const envelopes = about.map(({ id }) => ({
    ...{ id, lo: 0, hi: 1 },
    codes: Array.from({ length: 1000 }, () => {
      const code = noise();
      return [code, code, code] as const;
    }),
  }));
  const news = { series: about, odd };
  const packet = encodeKeyframe(1, edges(1000), envelopes, news);
  const most = packet.length / 2;
  const small = read(fitKeyframe(packet, most)).odd;

  expect(read(matchingKeyframe(packet, ["*/loss"])).odd).toEqual(odd.filter((_, i) => i % 2 === 0));
  expect(read(stripKeyframe(packet)).odd).toEqual([]);
  expect(small.length).toBeGreaterThan(0);
  expect(small).toEqual(odd.slice(-small.length));
  expect(JSON.stringify(small).length).toBeLessThanOrEqual(most / 16 + 2);
  expect(read(fitKeyframe(packet, packet.length)).odd).toEqual(odd);
});
