import { describe, expect, test } from "vitest";
import type { SeriesWire } from "../source";
import { MOST_LINES } from "../vocabulary/shared.gen";
import { buildGroups, type Group, ownTitles, type Panel } from "./groups";

let next = 0;

function series(metric: string, entity: string, more: Partial<SeriesWire> = {}): SeriesWire {
  return { id: next++, host: "h0", entity, metric, unit: "1", kind: "gauge", labels: {}, ...more };
}

function gpus(count: number, metric = "gpu.utilization"): SeriesWire[] {
  return Array.from({ length: count }, (_, i) => series(metric, `gpu:${i}`));
}

function build(catalog: SeriesWire[], globs: string[] | null = null): Group[] {
  return buildGroups(catalog, [], globs);
}

function panels(catalog: SeriesWire[], globs: string[] | null = null): Panel[] {
  return build(catalog, globs).flatMap((group) => group.panels);
}

describe("groups", () => {
  test("show the whole machine before its parts, whatever the order of the catalog", () => {
    const titles = panels([
      series("cpu.utilization", "cpu:0"),
      series("cpu.utilization", "cpu:1"),
      series("cpu.utilization", "host"),
    ]).map((panel) => panel.title);

    expect(titles).toEqual(["CPU utilization", "CPU utilization, by core"]);
  });

  test("come in the order of the dashboard, and only with series", () => {
    const titles = build([
      series("train/loss", "user"),
      series("pulse.cpu", "pulse"),
      series("process.cpu", "kernel"),
      series("cpu.utilization", "host"),
      series("net.sent", "host"),
      series("gpu.power", "gpu:0"),
      series("memory.used", "host"),
      series("gpu.pcie.rx", "gpu:0"),
      series("gpu.utilization", "gpu:0"),
      series("http_requests", '{code="500"}'),
    ]).map((group) => group.title);
    expect(titles).toEqual([
      "Your metrics",
      "GPU",
      "Power and thermal",
      "Interconnect",
      "CPU",
      "Memory",
      "Disk and network",
      "Kernel process",
      "The monitor itself",
      "Other metrics",
    ]);
  });

  test("a user's metric of a reserved name stays with the user's metrics", () => {
    expect(build([series("gpu.utilization", "user")])[0]?.title).toBe("Your metrics");
  });

  test("texts, spans and media have no chart, constants that serve as limits neither", () => {
    const catalog = [
      series("log.stdout", "kernel", { kind: "text" }),
      series("cell", "cell:3", { kind: "span" }),
      series("memory.total", "host"),
    ];
    expect(panels(catalog)).toEqual([]);
  });

  test("a constant that is asked for by name is drawn", () => {
    expect(panels([series("memory.total", "host")], ["memory.total"])).toHaveLength(1);
  });
});

describe("lines", () => {
  test("one a GPU, in the order of their numbers", () => {
    const [panel] = panels([...gpus(3).reverse()]);
    expect(panel?.lines.map((line) => line.label)).toEqual(["GPU 0", "GPU 1", "GPU 2"]);
    expect(panel?.crowded).toBe(false);
  });

  test("are crowded when there are too many to tell apart", () => {
    expect(panels(gpus(MOST_LINES))[0]?.crowded).toBe(false);
    expect(panels(gpus(MOST_LINES + 1))[0]?.crowded).toBe(true);
  });

  test("have one colour for one GPU on every chart, also where others have no series", () => {
    const catalog = [...gpus(4), ...gpus(4, "gpu.power").slice(2)];
    const [load, power] = panels(catalog);
    const colorOf = (panel: Panel | undefined, label: string) =>
      panel?.lines.find((line) => line.label === label)?.color;
    expect(colorOf(load, "GPU 3")).toBe(3);
    expect(colorOf(power, "GPU 3")).toBe(3);
  });

  test("share a key where they stand for one thing, so that hiding hides it everywhere", () => {
    const [load, power] = panels([...gpus(2), ...gpus(2, "gpu.power")]);
    expect(load?.lines[1]?.key).toBe(power?.lines[1]?.key);
  });

  test("of single charts have keys of their own", () => {
    const [used, load] = panels([series("memory.used", "host"), series("cpu.utilization", "host")]);
    expect(used?.lines[0]?.key).not.toBe(load?.lines[0]?.key);
  });

  test("name the host when there are several", () => {
    const [panel] = panels([...gpus(1), series("gpu.utilization", "gpu:0", { host: "h1" })]);
    expect(panel?.lines.map((line) => line.label)).toEqual(["h0 · GPU 0", "h1 · GPU 0"]);
  });
});

describe("charts", () => {
  test("show both directions together for one owner, and apart for several", () => {
    const both = ["net.received", "net.sent"];
    const one = panels(both.map((metric) => series(metric, "host")));
    expect(one.map((p) => [p.title, p.lines.map((line) => line.label)])).toEqual([
      ["Network", ["received", "sent"]],
    ]);
    const two = panels(both.flatMap((m) => [series(m, "net:eth0"), series(m, "net:eth1")]));
    expect(two.map((panel) => panel.title)).toEqual([
      "Network received, by interface",
      "Network sent, by interface",
    ]);
  });

  test("keep the machine and its parts apart", () => {
    const cores = [0, 1].map((i) => series("cpu.utilization", `cpu:${i}`));
    const found = panels([series("cpu.utilization", "host"), ...cores]);
    expect(found.map((panel) => [panel.title, panel.lines.length])).toEqual([
      ["CPU utilization", 1],
      ["CPU utilization, by core", 2],
    ]);
  });

  test("put the common ones first", () => {
    const [group] = build([...gpus(1, "gpu.sm.occupancy"), ...gpus(1)]);
    expect(group?.panels.map((panel) => [panel.title, panel.main])).toEqual([
      ["GPU utilization", true],
      ["SM occupancy", false],
    ]);
  });

  test("know the series that hold their limit", () => {
    const total = series("gpu.memory.total", "gpu:0");
    const other = series("gpu.memory.total", "gpu:9");
    const [panel] = panels([series("gpu.memory.used", "gpu:0"), total, other]);
    expect(panel?.limits).toEqual([total.id]);
  });

  test("of unknown metrics are called what their owner called them", () => {
    const [panel] = panels([series("http_requests", '{code="500"}', { unit: "count/s" })]);
    expect(panel).toMatchObject({ title: "http_requests", unit: "count/s", main: true });
    expect(panel?.lines[0]?.label).toBe("code=500");
  });
});

describe("what a reader of another package measures", () => {
  const npu = { group: "My NPUs", title: "NPU load", help: "Share of time." };
  const npus = (count: number, labels: Record<string, string> = npu) =>
    Array.from({ length: count }, (_, i) => series("npu.load", `npu:${i}`, { labels }));
  const headings = (catalog: SeriesWire[]) => build(catalog).map((group) => group.title);

  test("stands under its own heading, with its title and its help, and is shown", () => {
    expect(build(npus(2))).toMatchObject([
      {
        title: "My NPUs",
        panels: [
          {
            group: "My NPUs",
            title: "NPU load",
            help: "Share of time.",
            main: true,
            crowded: false,
            lines: [{ label: "NPU 0" }, { label: "NPU 1" }],
          },
        ],
      },
    ]);
  });

  test("comes after what we measure and before the others, by the alphabet", () => {
    const catalog = [
      series("pulse.cpu", "pulse"),
      series("x", "host"),
      series("ups.charge", "ups:1", { labels: { group: "UPS" } }),
      ...npus(2),
      series("ups.load", "host", { labels: { group: "UPS" } }),
      series("loss", "user"),
      series("gpu.power", "gpu:0"),
    ];
    expect(headings(catalog)).toEqual([
      "Your metrics",
      "Power and thermal",
      "The monitor itself",
      "My NPUs",
      "UPS",
      "Other metrics",
    ]);
  });

  test.each(["GPU", "Disk and network", "Other metrics"])("joins the heading %s", (group) => {
    const there = [
      series("gpu.utilization", "gpu:0"),
      series("net.sent", "host"),
      series("x", "host"),
    ];
    const found = build([...there, ...npus(2, { ...npu, group })]);
    expect(found.map(({ title }) => title)).toEqual(["GPU", "Disk and network", "Other metrics"]);
    const panels = found.find(({ title }) => title === group)?.panels;
    expect(panels?.map(({ title, main }) => [title, main])).toContainEqual(["NPU load", true]);
  });

  test("is called by its name where no title is said, and its heading has no blanks around", () => {
    const [group] = build(npus(1, { group: " UPS ", title: " " }));
    expect([group?.title, group?.panels[0]?.title]).toEqual(["UPS", "npu.load"]);
  });

  test("is never taken for the user's, and the user's and the catalog's never for it", () => {
    const labels = { ...npu, group: "GPU" };
    const catalog = [
      series("loss", "user", { labels }),
      series("lr", "rank:1", { labels }),
      series("memory.used", "host", { labels }),
      series("x", "host", { labels: { title: "X" } }),
    ];
    expect(build(catalog).map(({ title, panels }) => [title, panels.map((p) => p.title)])).toEqual([
      ["Your metrics", ["loss", "lr, rank 1"]],
      ["Memory", ["Memory used"]],
      ["Other metrics", ["x"]],
    ]);
  });

  test("is shown for parts of the machine, too, and is told from the whole", () => {
    const labels = { group: "SMART", title: "Media errors" };
    const disks = ["disk:sda", "disk:sdb", "host"].map((id) =>
      series("smart.errors", id, { labels }),
    );
    expect(panels(disks).map(({ title, main }) => [title, main])).toEqual([
      ["Media errors", true],
      ["Media errors, by disk", true],
    ]);
    const both = [series("npu.power", "host", { labels: npu }), ...npus(2)];
    const mixed = both.map((one) => ({ ...one, metric: "npu.power" }));
    expect(panels(mixed).map(({ title }) => title)).toEqual(["NPU load", "NPU load, by npu"]);
    expect(panels(mixed.slice(0, 2)).map(({ title }) => title)).toEqual([
      "NPU load",
      "NPU load, NPU 0",
    ]);
  });

  test("is crowded when there are too many lines to tell apart", () => {
    expect(panels(npus(MOST_LINES))[0]?.crowded).toBe(false);
    expect(panels(npus(MOST_LINES + 1))[0]).toMatchObject({ crowded: true, main: true });
  });

  test("has one colour for one thing on every chart", () => {
    const power = npus(4).map((one) => ({ ...one, id: next++, metric: "npu.power" }));
    const [load, other] = panels([...npus(4), ...power.slice(2)]);
    expect(load?.lines.map((line) => line.color)).toEqual([0, 1, 2, 3]);
    expect(other?.lines.map((line) => line.color)).toEqual([2, 3]);
  });

  test("names a thing by its label", () => {
    const npu = { host: "h0", entity: "npu:1", labels: { name: "Model X" } };
    const found = buildGroups(npus(2), [npu], null);
    expect(found[0]?.panels[0]?.lines.map((line) => line.label)).toEqual(["NPU 0", "Model X (1)"]);
  });

  test("tells the titles that the catalog does not know", () => {
    const found = build([...npus(2), series("gpu.power", "gpu:0"), series("loss", "user")]);
    expect([...ownTitles(found)]).toEqual([["npu.load", "NPU load"]]);
  });

  test("a reading of the catalog of a thing nobody knows is shown as one of ours", () => {
    const found = panels([
      series("gpu.power", "gpu:0"),
      series("gpu.power", "npu:0"),
      series("gpu.power", "npu:1"),
    ]);
    expect(found.map(({ title, main }) => [title, main])).toEqual([
      ["Power", true],
      ["Power, by npu", true],
    ]);
  });
});

test("shows of very many metrics the first, and all that were asked for", () => {
  const many = Array.from({ length: 200 }, (_, i) => series(`x${i}`, "host"));
  const shown = (found: Group[]) => found[0]?.panels.filter((panel) => panel.main) ?? [];

  const group = build(many);
  expect(group[0]?.panels).toHaveLength(200);
  expect(shown(group).map(({ title }) => title)).toEqual(
    Array.from({ length: 24 }, (_, i) => `x${i}`),
  );
  expect(shown(build(many, ["x1*"]))).toHaveLength(111);
  expect(shown(build(many.slice(0, 24)))).toHaveLength(24);
});

describe("a lone line", () => {
  const lineOf = (catalog: SeriesWire[], metric: string) =>
    panels(catalog).find((panel) => panel.lines[0]?.series.metric === metric)?.lines[0];

  test("of one of several GPUs keeps its colour, its name and the key of its GPU", () => {
    const catalog = [...gpus(4), series("gpu.temperature", "gpu:3", { unit: "degC" })];
    const among = panels(catalog).find(({ lines }) => lines.length === 4)?.lines[3];
    const alone = lineOf(catalog, "gpu.temperature");
    expect(alone).toMatchObject({ color: among?.color, label: "GPU 3", key: among?.key });
    expect(alone?.color).toBe(3);
    expect(alone?.named).toBe(true);
  });

  test.each(["gpu:0", "host", "kernel", "user"])(
    "of %j where there is one is not named",
    (entity) => {
      const line = lineOf([series("made/up", entity), series("another", entity)], "made/up");
      expect(line).toMatchObject({ named: false, color: 0 });
    },
  );

  test("of the whole machine can be hidden without the others of that machine", () => {
    const catalog = [series("cpu.utilization", "host"), series("memory.used", "host")];
    const keys = panels(catalog).map(({ lines }) => lines[0]?.key);
    expect(new Set(keys).size).toBe(2);
  });
});
