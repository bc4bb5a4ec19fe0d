import { describe, expect, test } from "vitest";
import { type EncodedEnvelope, encodeKeyframe } from "../testing/packets";
import { lineColor } from "../vocabulary/palette";
import { COLORS, LEFT, RIGHT } from "../vocabulary/shared.gen";
import { CODE_MISSING, decodePacket, type KeyframePacket } from "../wire/packet";
import { stillHtml } from "./html";

const START = Date.UTC(2026, 4, 12, 14, 3) / 1000;
const MISSING = [CODE_MISSING, CODE_MISSING] as const;
const source = {
  name: "nvml",
  state: "failed",
  problem: "it broke",
  remedy: "Mend it.",
  missing: [],
};

function about(id: number, entity: string, metric: string, unit: string) {
  return { id, host: "h0", entity, metric, unit, kind: "gauge", labels: {} };
}

/** Ranges are such that a code c is the value c / 65533 of `hi`. */
function packet(
  series: readonly ReturnType<typeof about>[],
  codes: (id: number) => EncodedEnvelope["codes"],
  state: Record<string, unknown> = {},
  news: Record<string, unknown> = {},
): KeyframePacket {
  const envelopes = series.map(({ id }) => ({ id, lo: 0, hi: 65533, codes: codes(id) }));
  const buckets = envelopes[0]?.codes.length ?? 0;
  const edges = Array.from({ length: buckets + 1 }, (_, i) => START + 10 * i);
  const whole = { phase: "stopped", t0: START, t1: START + 10 * buckets, sources: [], ...state };
  const entities = { "gpu:0": { name: "H200" }, "gpu:1": { name: "H200" } };
  return decodePacket(
    encodeKeyframe(0, edges, envelopes, { series, state: whole, entities, ...news }),
  ) as KeyframePacket;
}

function svgOf(html: string): string {
  const [, data = ""] = /base64,([^"]*)"/.exec(html) ?? [];
  return new TextDecoder().decode(Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)));
}

test("a saved picture has the colours of the dashboard on light ground", () => {
  expect(COLORS).toEqual(COLORS.map((_, place) => lineColor(place, "light")));
});

describe("stillHtml", () => {
  test("says when, of what and how it ended, and what could not be read", () => {
    const power = [about(0, "gpu:0", "gpu.power", "W"), about(1, "gpu:1", "gpu.power", "W")];
    const one = packet(power, () => [[100, 300]], { title: "run <1>", sources: [source] });

    const html = stillHtml(one);

    expect(html).toContain("Finished: 12 May 2026, 14:03:00 to 14:03:10 (10 s) UTC.");
    expect(html).toContain("2 × H200");
    expect(html).toContain("run &lt;1&gt;: charts of Power");
    expect(html).toContain("<p>nvml: it broke Mend it.</p>");
    expect(html).toContain(
      "<td>Power</td><td>GPU 0</td><td>100 W</td><td>–</td><td>300 W</td><td>100 W to 300 W</td>",
    );
    expect(html).not.toMatch(/<script|<style|<svg/);
    expect(svgOf(html)).toContain("run &lt;1&gt;");
  });

  test.each([
    ["dashboard", null, [true, true]],
    ["strip", null, [false, false]],
    ["charts", ["train/*", "gpu.power"], [false, false]],
    ["charts", ["gpu.fan*"], [true, false]],
    ["strip", ["gpu.nvlink.errors"], [false, true]],
    ["charts", ["*"], [true, true]],
  ] as const)(
    "says what is not available where it is asked for, and folded: %s %j",
    (layout, metrics, folded) => {
      const missing = [
        { what: "gpu:0 to gpu:7 fan.speed", why: "the GPU has no fan of its own" },
        { what: "gpu.nvlink.errors", why: "not supported by this GPU" },
      ];
      const sources = [{ ...source, name: "nvml", state: "ok", problem: "", missing }, source];
      const one = packet([about(0, "gpu:0", "gpu.power", "W")], () => [[1, 2]], { sources });

      const html = stillHtml(one, null, { layout, metrics });

      const [caption = "", rest = ""] = html.split("</figcaption>");
      expect(caption).toContain("it broke Mend it.");
      for (const { why } of missing) expect(caption).not.toContain(why);
      expect(missing.map(({ why }) => rest.includes(why))).toEqual(folded);
    },
  );

  test("says which GPUs are lost, nearly full or hot, in the heading and the legend", () => {
    const metrics = ["utilization", "memory.used", "memory.total", "temperature"];
    const units = ["1", "B", "B", "degC"];
    const values = [1, 61, 80, 61];
    const series = [0, 1, 2, 3].flatMap((gpu) =>
      metrics.map((metric, i) =>
        about(gpu * 4 + i, `gpu:${gpu}`, `gpu.${metric}`, units[i] as string),
      ),
    );
    const one = packet(series, (id) => {
      const [gpu, metric] = [id >> 2, id % 4];
      const changed = (gpu === 1 && metric === 1) || (gpu === 2 && metric === 3);
      const value = changed ? (metric === 1 ? 79 : 88) : (values[metric] as number);
      const last = gpu === 3 && metric !== 2 ? MISSING : ([value, value] as const);
      return [[value, value], last];
    });

    const html = stillHtml(one);

    const svg = svgOf(html);
    const words = ["GPU 3 lost", "GPU 1 memory 98 % full", "GPU 2 88 \u00b0C hot"];
    expect(svg).toContain(`>${words.join(" \u00b7 ")}</text>`);
    expect(html).toContain(`; ${words.join("; ")}"`);
    const [warned, plain] = [
      /fill="#a8480a">([^<]*)<\/tspan>/g,
      /font-size="10">([^<]*)<\/tspan>/g,
    ];
    const texts = (of: RegExp) => [...svg.matchAll(of)].map(([, found]) => found);
    expect(texts(warned)).toEqual([
      "100 % \u00b7 79 B \u25b2 \u00b7 61 \u00b0C",
      "100 % \u00b7 61 B \u00b7 88 \u00b0C \u25b2",
      "lost",
    ]);
    expect(texts(plain)).toEqual(["100 % \u00b7 61 B \u00b7 61 \u00b0C"]);
  });

  test("says of a session that was cut off why nothing more is known", () => {
    const one = packet([about(0, "user", "loss", "")], () => [[1, 2]], { phase: "running" });

    expect(stillHtml(one)).toContain("<p>Live when this was saved: 12 May 2026");
    expect(stillHtml(one, "died")).toContain(
      "<p>The kernel died. The last heard before: 12 May 2026",
    );
  });

  test("draws a spike as high as it was and nothing where readings were missing", () => {
    const codes = Array.from({ length: 300 }, (_, i) => {
      if (i >= 100 && i < 150) return MISSING;
      return i === 50 ? ([1, 65533] as const) : ([1, 1] as const);
    });

    const svg = svgOf(stillHtml(packet([about(0, "user", "spike", "")], () => codes)));
    const lines = [...svg.matchAll(/stroke-width="2.6" d="([^"]*)"/g)].map(([, d]) => d);
    const bands = [...svg.matchAll(/fill-opacity[^>]* d="([^"]*)"/g)].map(([, d]) => d);

    // A band around the spike, whose mean is not known, between two lines; a gap; another line.
    expect(bands).toHaveLength(1);
    expect(bands[0]).toMatch(/^M\d+ 240l\d+-\d\d\d .*z$/);
    expect(lines[0]?.match(/M/g)).toHaveLength(3);
  });

  test("shows the machine's main charts and the user's own, and at most 60 kB of it all", () => {
    const metrics = ["gpu.utilization", "gpu.memory.used", "gpu.power", "gpu.temperature"];
    const series = [
      ...metrics.flatMap((metric, k) =>
        Array.from({ length: 8 }, (_, i) => about(8 * k + i, `gpu:${i}`, metric, "W")),
      ),
      ...Array.from({ length: 400 }, (_, i) => about(100 + i, `cpu:${i}`, "cpu.utilization", "1")),
      about(500, "user", "loss", ""),
    ];
    const noise = (id: number, i: number) => ((id * 7919 + i * 104_729) % 60_000) + 1;
    const one = packet(series, (id) =>
      Array.from({ length: 300 }, (_, i) => [noise(id, i), noise(id, i) + 5000] as const),
    );

    const html = stillHtml(one);

    expect(new TextEncoder().encode(html).length).toBeLessThanOrEqual(60_000);
    expect(html).toContain("loss, GPU utilization, GPU memory used, Power, Temperature");
    expect(html).toContain("<td>loss</td>");
    expect(html).toContain("<td>400 cores</td>");
  });

  test("tells the exact last value where the keyframe does, in the table and over its chart", () => {
    const own = [about(0, "user", "loss", ""), about(1, "user", "gone", "")];
    const one = packet(own, () => [[1, 3]], {}, { last: [2.5, null] });

    const html = stillHtml(one);

    expect(html).toContain("<td>loss</td><td>user</td><td>1</td><td>–</td><td>3</td><td>2.5</td>");
    expect(html).toContain(
      "<td>gone</td><td>user</td><td>1</td><td>–</td><td>3</td><td>– (1 to 3 before)</td>",
    );
    expect(svgOf(html)).toMatch(/text-anchor="end"[^>]*>2\.5</);
  });

  test("tells of what only its reader knows under its heading, after what the user logged", () => {
    const labels = { group: "My NPUs", title: "NPU load" };
    const npus = Array.from({ length: 9 }, (_, i) => ({
      ...about(i, `npu:${i}`, "npu.load", "1"),
      labels,
    }));
    const ups = { ...about(10, "ups:1", "ups.load", "W"), labels: { group: "U".repeat(500) } };
    const others = [about(11, "host", "x", ""), about(12, "user", "loss", ""), ups];

    const html = stillHtml(packet([...npus, ...others], () => [[1, 2]]));

    expect(html).toContain(": charts of loss, NPU load, ups.load, x;");
    expect(html).toContain("<td>NPU load</td><td>9 series</td>");
    expect(html).toContain("<td>ups.load</td><td>ups 1</td>");
    const headings = [...html.matchAll(/<tr><th>([^<]*)<\/th><td/g)].map(([, heading]) => heading);
    expect(headings).toEqual(["Your metrics", "My NPUs", `${"U".repeat(59)}…`, "Other metrics"]);
  });

  test("keeps within the plot what lies in the first and in the last bucket of a session", () => {
    const codes = Array.from({ length: 6 }, (_, i) => [i + 1, i + 1] as const);
    // The middles of the outer buckets lie outside of what the session lived through.
    const lived = { t0: START + 8, t1: START + 52 };

    const svg = svgOf(stillHtml(packet([about(0, "user", "loss", "")], () => codes, lived)));

    const [, d = ""] = /stroke-width="2.6" d="([^"]*)"/.exec(svg) ?? [];
    const [start = Number.NaN] = (/^M(-?\d+)/.exec(d) ?? []).slice(1).map(Number);
    const moves = [...(d.split("l")[1] ?? "").matchAll(/-?\d+/g)].map(Number);
    const end = moves.filter((_, i) => i % 2 === 0).reduce((sum, by) => sum + by, start);
    expect(start).toBe(0);
    expect(end).toBe(2 * (944 - LEFT - RIGHT));
  });

  test("tells of several series the range of their last bucket", () => {
    const cores = Array.from({ length: 40 }, (_, i) =>
      about(i, `cpu:${i}`, "cpu.utilization", "W"),
    );
    const one = packet(cores, () => [[1, 50]], {}, { last: cores.map(({ id }) => id + 2) });

    expect(stillHtml(one)).toContain("<td>1 W to 50 W</td></tr>");
  });

  test("has a sentence and no picture where there is no reading", () => {
    const html = stillHtml(packet([about(0, "host", "cpu.utilization", "1")], () => [null]));

    expect(html).toContain("Finished. There was no reading to show yet.");
    expect(html).not.toContain("<img");
    expect(html).toContain("1 series without a reading so far");
  });
});
