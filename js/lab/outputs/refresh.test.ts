import type { IOutputAreaModel } from "@jupyterlab/outputarea";
import { expect, test, vi } from "vitest";
import { REPLAY_MIME, readSaved, toBase64 } from "../../core/still/saved";
import { encodeKeyframe } from "../../core/testing/packets";
import { leftOutSource } from "../../core/vocabulary/left-out";
import { STRIP_METRICS } from "../../core/vocabulary/shared.gen";
import * as encode from "../../core/wire/encode";
import { decodePacket, headerOf, type KeyframePacket } from "../../core/wire/packet";
import { refreshOutputs } from "./refresh";

vi.mock("../../core/wire/encode", { spy: true });

/** The part of JupyterLab's model that matters here. */
class Outputs {
  constructor(readonly items: Record<string, unknown>[]) {}

  get length(): number {
    return this.items.length;
  }

  get(i: number): { toJSON: () => unknown } {
    return { toJSON: () => this.items[i] };
  }

  set(i: number, item: Record<string, unknown>): void {
    this.items[i] = item;
  }

  asModel(): IOutputAreaModel {
    return this as unknown as IOutputAreaModel;
  }
}

const shown = (end: number, stopped: boolean) => shownAs(until(end), stopped);
const shownAs = (kept: Uint8Array, stopped: boolean) => {
  return { keyframe: kept, kept, stopped, ended: null };
};
const until = (end: number) => encodeKeyframe(0, [0, end], []);

function output(end: number, feed: string | undefined): Record<string, unknown> {
  const replay = { version: 1, feed, keyframe: toBase64(until(end)) };
  return { output_type: "display_data", data: { [REPLAY_MIME]: replay, "text/plain": "pulse" } };
}

function keyframeOf(item: unknown): Uint8Array {
  return readSaved((item as { data: Record<string, unknown> }).data[REPLAY_MIME]).keyframe;
}

test("a save renews the pictures of running sessions that have become old", () => {
  const stored = [output(100, "a"), output(100, "b"), output(100, undefined), { name: "stdout" }];
  const outputs = new Outputs([...stored]);

  refreshOutputs(outputs.asModel(), (feed) => shown(feed === "a" ? 125 : 115, false));

  expect(keyframeOf(outputs.items[0])).toEqual(until(125));
  expect(outputs.items.slice(1)).toEqual(stored.slice(1));
  expect(outputs.items[0]).toMatchObject({ data: { "text/plain": "pulse" } });
});

const named = (metrics: readonly string[]) =>
  metrics.map((metric, id) => ({
    ...{ id, host: "h0", entity: "user", metric, unit: "" },
    ...{ kind: "gauge", labels: {} },
  }));
/** A picture from the moment 0 to `end`, whose metrics have readings. */
function taken(end: number, metrics: readonly string[], about: object = {}): Uint8Array {
  const series = named(metrics);
  const envelopes = series.map(({ id }) => ({ id, lo: 0, hi: 1, codes: [[0, 65533]] as const }));
  return encodeKeyframe(0, [0, end], envelopes, { series, ...about });
}

test.each([
  ["covers a moment of many seconds", taken(1, ["loss"]), taken(20, ["loss"]), null, true],
  ["covers less than half", taken(20, ["loss"]), taken(50, ["loss"]), null, true],
  ["covers most", taken(20, ["loss"]), taken(35, ["loss"]), null, false],
  ["lacks a series", taken(20, ["loss"]), taken(35, ["loss", "lr"]), null, true],
  ["lacks what it is not of", taken(20, ["loss"]), taken(35, ["loss", "lr"]), ["loss"], false],
  ["lacks what it is of", taken(20, ["loss"]), taken(35, ["loss", "lr"]), ["l*"], true],
  ["is the newest", taken(35, ["loss"]), taken(35, ["loss", "lr"]), null, false],
])("a save within the first minute: a picture that %s", (_, before, kept, metrics, renewed) => {
  const replay = { version: 1, feed: "a", keyframe: toBase64(before), metrics };
  const outputs = new Outputs([{ output_type: "display_data", data: { [REPLAY_MIME]: replay } }]);

  refreshOutputs(outputs.asModel(), () => shownAs(kept, false));

  const end = (decodePacket(keyframeOf(outputs.items[0])) as KeyframePacket).edges[1];
  expect(end).toBe((decodePacket(renewed ? kept : before) as KeyframePacket).edges[1]);
});

test("a picture that has no room for more is not renewed for what it had to leave out", () => {
  const state = { phase: "running", sources: [leftOutSource(1, false)] };
  const before = taken(20, ["loss"], { state });
  const replay = { version: 1, feed: "a", keyframe: toBase64(before) };
  const stored = { output_type: "display_data", data: { [REPLAY_MIME]: replay } };
  const outputs = new Outputs([stored]);

  refreshOutputs(outputs.asModel(), () => shownAs(taken(35, ["loss", "lr"]), false));

  expect(outputs.items[0]).toBe(stored);
});

/** A screen of hundreds of series, of mere noise. */
function hundreds(): Uint8Array {
  const buckets = 60;
  const noise = (i: number) => {
    const x = Math.imul(i + 1, 2654435761);
    return (Math.imul(x ^ (x >>> 15), 2246822519) >>> 8) % 65000;
  };
  const codesOf = (id: number) =>
    Array.from({ length: buckets }, (_, i) => {
      const least = noise(id * buckets + i);
      const more = noise(least) % (65534 - least);
      return [least, least + more, least + (noise(more) % (more + 1))] as const;
    });
  const about = Array.from({ length: 1600 }, (_, id) => ({
    ...{ id, host: "host-0", entity: `gpu:${id % 8}`, metric: `gpu.metric.${id >> 3}` },
    ...{ unit: "W", kind: "gauge", labels: {} },
  }));
  return encodeKeyframe(
    9,
    Array.from({ length: buckets + 1 }, (_, i) => 1000 + 5 * i),
    about.map(({ id }) => ({ id, lo: 0, hi: 700, codes: codesOf(id) })),
    { series: about, state: { phase: "stopped", title: "the end", t0: 1000, t1: 1300 } },
  );
}

test("a picture of hundreds of series is renewed as one that fits into a notebook", () => {
  const newest = hundreds();
  const stale = output(100, "a");
  (stale["data"] as Record<string, unknown>)["text/html"] = "<figure>the beginning</figure>";
  const outputs = new Outputs([stale]);

  refreshOutputs(outputs.asModel(), () => shownAs(newest, true));

  const { data } = outputs.items[0] as { data: Record<string, string> };
  expect(newest.length * (4 / 3)).toBeGreaterThan(200_000);
  expect(JSON.stringify(data).length).toBeLessThanOrEqual(200_000);
  const kept = decodePacket(keyframeOf(outputs.items[0])) as KeyframePacket;
  expect(kept.edges.at(-1)).toBe(1300);
  expect(kept.buckets).toBeGreaterThanOrEqual(30);
  expect(kept.ids.length).toBeGreaterThan(200);
  const left = 1600 - kept.ids.length;
  expect(left).toBeGreaterThan(0);
  const said = `${left} series are left out of this saved view.</p>`;
  expect(data["text/html"]).toContain(said);
  // Nobody who sees the picture alone takes the beginning for the end.
  expect(data["text/html"]).toContain("Finished: 1 Jan 1970, 00:16:40 to 00:21:40");
}, 30_000);

test("several outputs of one session that hold too much are made small once", () => {
  const newest = hundreds();
  const old = output(100, "a");
  const packed = vi.mocked(encode.packedKeyframe).mockClear();
  const renewed = (count: number) => {
    const outputs = new Outputs(Array.from({ length: count }, () => old));
    refreshOutputs(outputs.asModel(), () => shownAs(newest, true));
    return outputs.items.map(keyframeOf);
  };

  const [first] = renewed(1);
  const packings = packed.mock.calls.length;
  const others = renewed(3);

  expect(packings).toBeGreaterThan(0);
  expect(packings).toBeLessThanOrEqual(20);
  expect(packed).toHaveBeenCalledTimes(packings);
  expect(others).toEqual([first, first, first]);
}, 30_000);

test("a save makes the output of an ended session a picture alone", () => {
  const live = output(100, "a");
  const widget = { "application/vnd.jupyter.widget-view+json": { model_id: "m" } };
  const outputs = new Outputs([{ ...live, data: { ...(live["data"] as object), ...widget } }]);

  const last = encodeKeyframe(0, [0, 101], [], { state: { phase: "stopped" } });
  refreshOutputs(outputs.asModel(), () => shownAs(last, true));

  const data = (outputs.items[0] as { data: Record<string, unknown> }).data;
  expect(Object.keys(data).sort()).toEqual([REPLAY_MIME, "text/html", "text/plain"]);
  expect(readSaved(data[REPLAY_MIME]).feed).toBeNull();
  const kept = decodePacket(keyframeOf(outputs.items[0])) as KeyframePacket;
  expect(kept.edges.at(-1)).toBe(101);
});

test("an output stays live until the last picture of its session has come", () => {
  const stored = [output(100, "a"), output(10, "a")];
  const outputs = new Outputs([...stored]);
  const last = encodeKeyframe(0, [0, 101], [], { state: { phase: "stopped" } });

  const before = { ...shownAs(last, true), kept: until(101) };
  refreshOutputs(outputs.asModel(), () => before);

  expect(outputs.items[0]).toEqual(stored[0]);
  const data = (outputs.items[1] as { data: Record<string, unknown> }).data;
  expect(readSaved(data[REPLAY_MIME]).feed).toBe("a");
});

test("the output of a session whose kernel died says so in both pictures", () => {
  const series = [{ id: 0, host: "h0", entity: "user", metric: "loss", unit: "", kind: "gauge" }];
  const envelopes = [{ id: 0, lo: 0, hi: 1, codes: [[0, 0]] as const }];
  const newest = encodeKeyframe(0, [0, 101], envelopes, { series, state: { phase: "running" } });
  const outputs = new Outputs([output(100, "a")]);

  const gone = { ...shownAs(newest, true), ended: "died" } as const;
  refreshOutputs(outputs.asModel(), () => gone);

  const data = (outputs.items[0] as { data: Record<string, unknown> }).data;
  expect(readSaved(data[REPLAY_MIME])).toMatchObject({ feed: null, ended: "died" });
  expect(data["text/html"]).toContain("The kernel died. The last heard before: 1 Jan 1970");
});

test("a view of some metrics, and a strip, are renewed as what they show", () => {
  const named = ["gpu.power", "cpu.utilization"].map((metric, id) => ({
    ...{ id, host: "h0", entity: id ? "host" : "gpu:0", metric, unit: id ? "1" : "W" },
    ...{ kind: "gauge", labels: {} },
  }));
  const lines = named.map(({ id }) => ({ id, lo: 0, hi: 1, codes: [[0, 65533] as const] }));
  const newest = shownAs(encodeKeyframe(1, [0, 500], lines, { series: named }), false);
  const view = (about: Record<string, unknown>) => ({
    output_type: "display_data",
    data: { [REPLAY_MIME]: { version: 1, feed: "a", keyframe: toBase64(until(1)), ...about } },
  });
  const outputs = new Outputs([
    view({ layout: "dashboard" }),
    view({ layout: "charts", metrics: ["gpu.*"] }),
    view({ layout: "strip" }),
    view({ layout: "strip", metrics: ["gpu.*"] }),
  ]);

  refreshOutputs(outputs.asModel(), () => newest);

  const htmls = outputs.items.map(
    (item) => (item as { data: Record<string, string> }).data["text/html"],
  );
  const said = htmls.map((html) => html?.includes("CPU utilization"));
  expect(said).toEqual([true, false, true, false]);
  expect(htmls.map((html) => html?.includes("<img"))).toEqual([true, true, true, true]);
  // A strip has its figures, and no table.
  expect(htmls.map((html) => html?.includes("<table"))).toEqual([true, true, false, false]);
  expect(htmls[3]).toContain(`alt="Pulse: GPU 0 0 W to 1 W"`);
  const ids = outputs.items.map((item) => (decodePacket(keyframeOf(item)) as KeyframePacket).ids);
  expect(ids.map((one) => [...one])).toEqual([[0, 1], [0], [0, 1], [0]]);
});

/** What a kernel tells of a machine whose name the page is not told, in full or redacted. */
function saying(label: string, end: number, phase: string): Uint8Array {
  const owner = { host: "h0", entity: "kernel" };
  return encodeKeyframe(1, [0, end], [], {
    series: [{ id: 0, ...owner, metric: "pulse.cpu", unit: "1", kind: "gauge", labels: { label } }],
    entities: [{ ...owner, labels: { label } }],
    state: { phase, sources: [{ name: "system", state: "failed", problem: label, remedy: label }] },
    moments: [{ ...owner, time: 1, metric: "mark", facts: { label } }],
    spans: [{ ...owner, id: label, start: 1, end: null, metric: "task", facts: { label } }],
  });
}

test.each([
  ["while it runs", "running"],
  ["when it is over", "stopped"],
])("a save tells no more of a session than the kernel's own redacted keyframe, %s", (_, phase) => {
  const outputs = new Outputs([output(100, "a")]);
  const [full, kept] = [
    saying("begun on gpubox7", 300, phase),
    saying("begun on <name>", 290, phase),
  ];

  const stopped = phase === "stopped";
  refreshOutputs(outputs.asModel(), () => ({ keyframe: full, kept, stopped, ended: null }));

  const told =
    JSON.stringify(outputs.items) + JSON.stringify(headerOf(keyframeOf(outputs.items[0])).header);
  expect(told).not.toContain("gpubox7");
  expect(told).toContain("begun on <name>");
  expect((decodePacket(keyframeOf(outputs.items[0])) as KeyframePacket).edges.at(-1)).toBe(290);
});

test.each([null, until(50)])(
  "without a newer one that was redacted the picture stays, %#",
  (kept) => {
    const stored = [output(100, "a")];
    for (const stopped of [false, true]) {
      const outputs = new Outputs([...stored]);
      const full = saying("begun on gpubox7", 300, stopped ? "stopped" : "running");
      refreshOutputs(outputs.asModel(), () => ({ keyframe: full, kept, stopped, ended: null }));
      expect(keyframeOf(outputs.items[0])).toEqual(until(100));
    }
  },
);

test("a strip is renewed with what its figures are made of, and hardly any past", () => {
  const edges = Array.from({ length: 61 }, (_, i) => 1000 + 5 * i);
  const codes = edges.slice(1).map((_, i) => [i, i + 7] as const);
  const owners = [...Array.from({ length: 200 }, (_, i) => `cpu:${i}`), "host", "gpu:0", "user"];
  const about = owners.flatMap((entity, owner) =>
    [...STRIP_METRICS, "train/loss"].map((metric, i) => ({
      ...{ id: owner * 100 + i, host: "h0", entity, metric },
      ...{ unit: "W", kind: "gauge", labels: {} },
    })),
  );
  const newest = encodeKeyframe(
    9,
    edges,
    about.map(({ id }) => ({ id, lo: 0, hi: 700, codes })),
    { series: about, spans: [{ id: "1", start: 1000, end: 1001, facts: {} }] },
  );
  const stale = output(100, "a");
  const data = stale["data"] as Record<string, object>;
  data[REPLAY_MIME] = { ...data[REPLAY_MIME], layout: "strip" };
  const outputs = new Outputs([stale]);

  const shown = { keyframe: newest, kept: newest, stopped: false, ended: null };
  refreshOutputs(outputs.asModel(), () => shown);

  const kept = decodePacket(keyframeOf(outputs.items[0])) as KeyframePacket;
  const owned = new Set(kept.series.map(({ entity }) => entity));
  expect([...owned]).toEqual(["host", "gpu:0", "user"]);
  expect(kept.series.map(({ metric }) => metric)).not.toContain("train/loss");
  expect(kept.ids).toEqual(kept.series.map(({ id }) => id));
  expect([kept.buckets, kept.edges.at(-1), kept.spans]).toEqual([30, 1300, []]);
  expect(keyframeOf(outputs.items[0]).length).toBeLessThan(20_000);
});
