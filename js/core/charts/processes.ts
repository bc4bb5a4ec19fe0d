/** The panel of the processes that use GPUs. Pure. */

import type { SeriesWire } from "../source";
import { entityClass } from "../vocabulary/entities";
import { compareOwners, ownerKey } from "../vocabulary/owners";
import { type Context, type Panel, type Process, panelOf } from "./panel";

const TITLE = "Processes";
const HELP = "What each process holds and uses of a GPU.";
const MEMORY = "process.gpu.memory";
const SM = "process.gpu.sm";
const CPU = "process.cpu";
const COLUMNS: readonly string[] = [MEMORY, SM, CPU];
/** How the reader names all processes together that the kernel did not start. */
const OTHERS = "others";

/** Whether a series is a value of a single process: it makes a row of the table. */
export function isOfProcess({ metric, entity }: SeriesWire): boolean {
  const known = metric.startsWith("process.gpu.") || metric === CPU;
  return known && entityClass(entity) === "pid";
}

/** Whether the table shows it: it needs no chart then. */
export function hasColumn({ metric }: SeriesWire): boolean {
  return COLUMNS.includes(metric);
}

export function processPanel(series: readonly SeriesWire[], context: Context): Panel {
  const kernels = context.catalog.filter((s) => s.metric === CPU && s.entity === "kernel");
  const sorted = [...series].sort(compareOwners);
  const lines = sorted.map((s) => {
    const mine = isKernel(s, context) ? ", this kernel" : "";
    const label = `${context.owners.label(s)}${mine}`;
    return { key: ownerKey(s), label, id: s.id, color: 0, series: s, named: false };
  });
  const panel = panelOf(TITLE, sorted, lines, context);
  return {
    ...panel,
    help: HELP,
    main: true,
    crowded: false,
    limits: [],
    processes: processesOf([...sorted, ...kernels], context),
  };
}

/** `pid:4711/gpu:0` as 4711 and `gpu:0`. */
function split(entity: string): [pid: string, gpu: string] {
  const slash = entity.indexOf("/");
  const [first, gpu] = slash < 0 ? [entity, ""] : [entity.slice(0, slash), entity.slice(slash + 1)];
  return [first.slice(first.indexOf(":") + 1), gpu];
}

function isKernel({ host, entity }: SeriesWire, { owners }: Context): boolean {
  const pid = owners.labels({ host, entity: "kernel" })["pid"];
  return pid !== undefined && pid === split(entity)[0];
}

/** One for each process on each GPU; of a process without a GPU, one. */
function processesOf(series: readonly SeriesWire[], context: Context): Process[] {
  const ids = new Map(series.map((s) => [idKey(s, s.entity, s.metric), s.id]));
  const owners = new Map(series.map((s) => [ownerKey(s), s]));
  owners.forEach(({ entity }, key) => {
    if (entity === "kernel") owners.delete(key);
  });
  const onGpu = new Set<string>();
  for (const { host, entity } of owners.values()) {
    const [pid, gpu] = split(entity);
    if (gpu) onGpu.add(ownerKey({ host, entity: `pid:${pid}` }));
  }
  const alone = [...owners].filter(([key]) => !onGpu.has(key));
  const others = new Map<string, number[]>();
  for (const one of series.filter((s) => !hasColumn(s))) {
    others.set(ownerKey(one), [...(others.get(ownerKey(one)) ?? []), one.id]);
  }
  return alone.map(([, one]) => processOf(one, ids, others, context));
}

function processOf(
  one: SeriesWire,
  ids: ReadonlyMap<string, number>,
  others: ReadonlyMap<string, readonly number[]>,
  context: Context,
): Process {
  const { host, entity } = one;
  const [pid, gpu] = split(entity);
  const own = `pid:${pid}`;
  const kernel = isKernel(one, context);
  const { owners } = context;
  const said = one.labels["name"] || owners.labels(one)["name"];
  const name = said || owners.labels({ host, entity: own })["name"] || "";
  const id = (of: string, metric: string) => ids.get(idKey(one, of, metric)) ?? null;
  return {
    name: pid === OTHERS ? "other processes" : name,
    pid: pid === OTHERS ? "" : pid,
    gpu: gpu ? owners.label({ host, entity: gpu }) : owners.several ? owners.host(host) : "",
    kernel,
    memory: id(entity, MEMORY),
    sm: id(entity, SM),
    others: others.get(ownerKey(one)) ?? [],
    // The kernel's own is measured whether it uses a GPU or not.
    cpu: id(own, CPU) ?? (kernel ? id("kernel", CPU) : null),
  };
}

function idKey({ host }: SeriesWire, entity: string, metric: string): string {
  return JSON.stringify([host, entity, metric]);
}
