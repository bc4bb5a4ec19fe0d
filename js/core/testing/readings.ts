/** Readings of GPUs for tests. */

import { Readings } from "../dashboard/readings";
import { Store } from "../history/store";
import { frameOf } from "./packets";

/** GPUs with these readings, each once, at second 100. */
export function readingsOf(...gpus: Readonly<Record<string, number>>[]): Readings {
  const all = gpus.flatMap((gpu, i) => Object.entries(gpu).map(([m, v]) => [i, m, v] as const));
  const series = all.map(([i, metric], id) => {
    const entity = `gpu:${i}`;
    return { id, host: "h0", entity, metric, unit: "", kind: "gauge", labels: {} };
  });
  const store = new Store();
  const rows = all.map(([, , value], id) => [id, 100, value] as const);
  store.take(frameOf(1, rows, { series, state: { phase: "running", t0: 0 } }));
  return new Readings(store);
}
