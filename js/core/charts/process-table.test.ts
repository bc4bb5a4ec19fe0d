// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import type { EntityWire, SeriesWire, Source } from "../source";
import { CATALOG } from "../vocabulary/catalog.gen";
import { chartKindOf } from "./chart-kinds";
import { buildGroups, type Panel } from "./groups";
import type { ChartEvents, Scene } from "./panel-view";

const GIB = 1024 ** 3;

/** `pid entity: [memory, SM]`, as readers bring them. */
function catalogOf(entities: readonly string[], host = "h0", from = 0): SeriesWire[] {
  return entities.flatMap((entity, i) =>
    [
      ["process.gpu.memory", "B"],
      ["process.gpu.sm", "1"],
    ].map(([metric = "", unit = ""], k) => {
      return { id: from + 2 * i + k, host, entity, metric, unit, kind: "gauge", labels: {} };
    }),
  );
}

function kernel(id: number, host = "h0"): SeriesWire {
  const about = { entity: "kernel", metric: "process.cpu", unit: "cores", kind: "gauge" };
  return { id, host, ...about, labels: {} };
}

function named(entity: string, labels: Record<string, string>, host = "h0"): EntityWire {
  return { host, entity, labels };
}

function panelsOf(catalog: SeriesWire[], entities: EntityWire[] = [], globs?: string[]): Panel[] {
  return buildGroups(catalog, entities, globs ?? null).flatMap(({ panels }) => [...panels]);
}

/** The table of processes with the values at a moment, and its cells as texts. */
function tableOf(panel: Panel) {
  const view = chartKindOf(panel).make(panel, {} as ChartEvents, { byStep: false, axis: true });
  const texts = () =>
    [...view.el.querySelectorAll("tbody tr")].map((row) =>
      [...row.children].map((cell) =>
        [...cell.querySelectorAll(":not([hidden])")].some(({ className }) => className)
          ? [...cell.querySelectorAll("span:not([hidden])")].map((e) => e.textContent).join(", ")
          : cell.textContent,
      ),
    );
  return {
    view,
    texts,
    show: (
      values: Readonly<Record<number, number>>,
      x: number | null = null,
      more: Partial<Scene> = {},
      at?: Source["at"],
    ) => {
      const last = (id: number) => (id in values ? { time: 9, value: values[id] as number } : null);
      const source = { last, ...(at ? { at } : {}) } as Source;
      view.point(x, { source, range: [0, 100], still: false, ...more } as Scene);
      return texts();
    },
  };
}

function processes(catalog: SeriesWire[], entities: EntityWire[] = []): Panel {
  return panelsOf(catalog, entities).find(({ title }) => title === "Processes") as Panel;
}

describe("processes", () => {
  const pids = ["pid:7/gpu:0", "pid:8/gpu:0", "pid:others/gpu:0"];
  const labels = [
    named("kernel", { pid: "8" }),
    named("pid:7/gpu:0", { name: "worker" }),
    named("pid:8/gpu:0", { name: "python" }),
  ];

  test("are one table below all charts, and no charts", () => {
    const found = panelsOf([...catalogOf(pids), kernel(99), { ...kernel(98), entity: "gpu:0" }]);
    expect(found.map(({ title }) => title)).toContain("Processes");
    expect(found.filter(({ lines }) => lines.some(({ id }) => id < 6))).toHaveLength(1);
    expect(found.find(({ title }) => title !== "Processes")?.processes).toBeUndefined();
  });

  test.each(Object.keys(CATALOG).filter((metric) => metric.startsWith("process.gpu.")))(
    "%s of a process stands in the table or in a chart that is asked for",
    (metric) => {
      const one = (id: number, measured: string) => {
        const about = { entity: "pid:7/gpu:0", metric: measured, unit: "1", kind: "gauge" };
        return { id, host: "h0", ...about, labels: {} };
      };
      const found = panelsOf([one(0, "process.gpu.memory"), one(1, metric)]);
      const charts = found.filter(({ processes: rows }) => !rows);
      const drawn = charts.filter(({ lines }) => lines.some(({ id }) => id === 1));
      const [row] = found.flatMap(({ processes: rows }) => rows ?? []);
      const inTable = [row?.memory, row?.sm, row?.cpu].includes(1);
      expect([inTable, drawn.map(({ main }) => main)]).toEqual(
        /memory$|sm$/.test(metric) ? [true, []] : [false, [false]],
      );
      // Known by this one alone, it is listed all the same, while it lives.
      const table = tableOf(processes([one(1, metric)]));
      expect(table.show({ 1: 0.3 })).toHaveLength(1);
      expect(table.show({ 1: Number.NaN })).toHaveLength(0);
    },
  );

  test("that are asked for by name are drawn over time", () => {
    const found = panelsOf(catalogOf(pids), [], ["process.gpu.memory"]);
    expect(found.map(({ title, processes: rows }) => [title, rows])).toEqual([
      ["GPU memory of the process, by process", undefined],
    ]);
  });

  test("of the kernel itself stay charts", () => {
    expect(panelsOf([kernel(0)]).map(({ title, processes: rows }) => [title, rows])).toEqual([
      ["CPU of the kernel process", undefined].map((one, i) =>
        i === 0 ? expect.any(String) : one,
      ),
    ]);
  });

  test("stand by the memory they hold, several together last; the kernel is told", () => {
    const table = tableOf(processes([...catalogOf(pids), kernel(99)], labels));
    const values = { 0: 3 * GIB, 1: 0.4, 2: 5 * GIB, 3: 0.5, 4: 9 * GIB, 99: 1.5 };
    expect(table.show(values)).toEqual([
      ["python, this kernel", "8", "GPU 0", "5 GiB", "50 %", "1.5 cores"],
      ["worker", "7", "GPU 0", "3 GiB", "40 %", "–"],
      ["other processes", "–", "GPU 0", "9 GiB", "–", "–"],
    ]);
    expect(table.show({ ...values, 0: 6 * GIB }).map(([name]) => name)).toEqual([
      "worker",
      "python, this kernel",
      "other processes",
    ]);
  });

  test("that have ended are gone, and come back with a value", () => {
    const table = tableOf(processes(catalogOf(pids), labels));
    const all = { 0: GIB, 2: GIB, 4: GIB };
    expect(table.show(all)).toHaveLength(3);
    expect(table.show({ ...all, 2: Number.NaN }).map(([name]) => name)).toEqual([
      "worker",
      "other processes",
    ]);
    expect(table.show({})).toEqual([]);
    expect(table.view.el.textContent).toContain("No process uses a GPU.");
    expect(table.view.el.querySelector("table")?.hidden).toBe(true);
    expect(table.show(all)).toHaveLength(3);
  });

  test("are those of the moment under the cursor, where that is known", () => {
    const table = tableOf(processes(catalogOf(pids), labels));
    const at = (id: number, time: number) =>
      id === 0 ? { time, value: time < 50 ? GIB : Number.NaN } : null;
    expect(table.show({ 2: GIB }, 10, {}, at).map(([name]) => name)).toEqual(["worker"]);
    expect(table.show({ 2: GIB }, 60, {}, at)).toEqual([]);
    expect(table.show({ 2: GIB }, null, {}, at).map(([name]) => name)).toHaveLength(1);
    const paused = table.show({ 2: GIB }, null, { still: true, range: [0, 40] }, at);
    expect(paused.map(([name]) => name)).toEqual(["worker"]);
  });

  test("beyond a dozen are asked for", () => {
    const many = Array.from({ length: 15 }, (_, i) => `pid:${i}/gpu:0`);
    const values = Object.fromEntries(many.map((_, i) => [2 * i, (i + 1) * GIB]));
    const table = tableOf(processes(catalogOf(many)));
    expect(table.show(values)).toHaveLength(12);
    const more = table.view.el.querySelector("button") as HTMLButtonElement;
    expect([more.textContent, more.getAttribute("aria-expanded")]).toEqual(["and 3 more", "false"]);
    more.click();
    expect(table.texts()).toHaveLength(15);
    expect([more.textContent, more.getAttribute("aria-expanded")]).toEqual(["Show fewer", "true"]);
    expect(table.show({ 0: GIB })).toHaveLength(1);
    expect(more.hidden).toBe(true);
  });

  test("that come later join the table, which stays as open as it was", () => {
    const many = Array.from({ length: 14 }, (_, i) => `pid:${i}/gpu:0`);
    const values = Object.fromEntries(many.map((_, i) => [2 * i, (i + 1) * GIB]));
    const table = tableOf(processes(catalogOf(many.slice(0, 13))));
    table.show(values);
    table.view.el.querySelector("button")?.click();
    expect(table.texts()).toHaveLength(13);
    table.view.take?.(processes(catalogOf(many)));
    expect(table.show(values)).toHaveLength(14);
  });

  test("of two machines, or two GPUs, are never one row", () => {
    const both = [
      ...catalogOf(["pid:7/gpu:0", "pid:7/gpu:1"]),
      ...catalogOf(["pid:7/gpu:0"], "h1", 10),
    ];
    const hosts = [named("host", { name: "north" }), named("host", { name: "south" }, "h1")];
    const kernels = [named("kernel", { pid: "7" }, "h1")];
    const table = tableOf(processes(both, [...hosts, ...kernels]));
    const found = table.show({ 0: 3 * GIB, 2: 2 * GIB, 10: GIB });
    expect(found.map(([name, , gpu]) => [name, gpu])).toEqual([
      ["–", "north · GPU 0"],
      ["–", "north · GPU 1"],
      ["–, this kernel", "south · GPU 0"],
    ]);
  });

  test("have a table with headers, whose rows are named by their commands", () => {
    const table = tableOf(processes(catalogOf(pids), labels));
    table.show({ 0: GIB });
    const headers = [...table.view.el.querySelectorAll("thead th")];
    expect(headers.map((th) => [th.textContent, th.getAttribute("scope")])).toEqual(
      ["Command", "PID", "GPU", "GPU memory", "SM", "CPU"].map((title) => [title, "col"]),
    );
    expect(table.view.el.querySelector("tbody th")?.getAttribute("scope")).toBe("row");
    expect(table.view.el.querySelector("caption")?.textContent).toMatch(/most memory first/);
  });

  test("a name is text, whatever it says", () => {
    const bad = [named("pid:7/gpu:0", { name: "<img src=x onerror=alert(1)>" })];
    const table = tableOf(processes(catalogOf(["pid:7/gpu:0"]), bad));
    table.show({ 0: GIB });
    expect(table.view.el.querySelector("img")).toBeNull();
    expect(table.texts()[0]?.[0]).toContain("<img");
  });
});
