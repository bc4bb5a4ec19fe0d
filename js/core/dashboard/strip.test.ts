// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";
import { buildGroups } from "../charts/groups";
import { Store } from "../history/store";
import { frameOf } from "../testing/packets";
import { Readings } from "./readings";
import { Strip } from "./strip";

describe("a strip of chosen metrics", () => {
  const ground = "light";
  const one = (id: number, entity: string, metric: string) => {
    return { id, host: "h0", entity, metric, unit: "1", kind: "gauge", labels: {} };
  };
  const catalog = [
    one(0, "host", "cpu.utilization"),
    ...[1, 2, 3].map((id) => one(id, `cpu:${id}`, "cpu.utilization")),
    one(4, "gpu:0", "gpu.utilization"),
    one(5, "gpu:1", "gpu.utilization"),
    one(6, "cpu:1", "cpu.frequency"),
  ];

  function said(...metrics: string[]): string[] {
    const store = new Store();
    const rows = catalog.map(({ id }) => [id, 1, id / 10] as const);
    store.take(frameOf(1, rows, { series: catalog, state: { phase: "running", t0: 0 } }));
    const groups = buildGroups(store.catalog(), [], metrics);
    const strip = new Strip();
    strip.updateChosen({ groups, metrics }, new Readings(store), [0, 1], ground);
    return [...strip.el.children].map((el) => el.textContent ?? "");
  }

  test.each([
    ["that nothing matches says so", ["nope"], ["no metric matches nope so far"]],
    ["of several too", ["nope", "no.*"], ["no metric matches nope, no.* so far"]],
    ["of the machine leaves its cores out", ["cpu.utilization"], ["CPU utilization0 %"]],
    ["that only cores have shows them", ["cpu.frequency"], [/60 %$/]],
    ["of GPUs has all of them", ["gpu.utilization"], [/40 % to 50 %$/]],
  ])("%s", (_, metrics, expected) => {
    const all = said(...metrics);
    expect(all).toHaveLength(expected.length);
    for (const [i, text] of expected.entries()) {
      if (typeof text === "string") expect(all[i]).toBe(text);
      else expect(all[i]).toMatch(text);
    }
  });

  test("no longer says that nothing matches once something does", () => {
    const strip = new Strip();
    const metrics = ["cpu.*"];
    const store = new Store();
    const update = () => {
      const groups = buildGroups(store.catalog(), [], metrics);
      strip.updateChosen({ groups, metrics }, new Readings(store), [0, 1], ground);
    };
    update();
    expect(strip.el.textContent).toBe("no metric matches cpu.* so far");
    store.take(frameOf(1, [[0, 1, 0.5]], { series: catalog.slice(0, 1), state: { t0: 0 } }));
    update();
    expect(strip.el.textContent).toBe("CPU utilization50 %");
  });
});
