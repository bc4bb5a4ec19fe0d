/** The one line of a section that is not open: its main metric as a curve, and a value in words. */

import type { Group } from "../charts/groups";
import { limitOf } from "../charts/panel-table";
import { entityClass, isGpu } from "../vocabulary/entities";
import { formatValue } from "../vocabulary/format";
import { leftOutSentence } from "../vocabulary/left-out";
import { type Owner, ownerKey } from "../vocabulary/owners";
import { degreesText, mean, ofText, sum } from "./amounts";
import type { Fold } from "./curve";
import { heldBackText } from "./gpu-facts";
import type { Readings } from "./readings";

export interface Summary {
  /** Series of the curve. */
  readonly ids: readonly number[];
  readonly fold: Fold;
  /** Top of its scale; null for the largest value in view. */
  readonly top: number | null;
  readonly text: string;
  /** "of 3 of 8 GPUs"; empty where it is of all. */
  readonly part: string;
}

/** How a metric stands for its section. */
interface Main {
  readonly metric: string;
  readonly fold: Fold;
  /** Whole GPUs, or the machine, or the kernel. */
  readonly of: (owner: Owner) => boolean;
  readonly text: (value: number, readings: Readings, owners: readonly Owner[]) => string;
}

const host = ({ entity }: Owner) => entity === "host";
const kernel = ({ entity }: Owner) => entity === "kernel";
const gpu = ({ entity }: Owner) => isGpu(entity);
const any = () => true;
const per =
  (word: string, unit = "B/s") =>
  (value: number) =>
    `${formatValue(value, unit)} ${word}`;
const share = (value: number) => formatValue(value, "1");

/** Of each section the first metric that there is. */
const MAINS: Readonly<Record<string, readonly Main[]>> = {
  GPU: [{ metric: "gpu.utilization", fold: "mean", of: gpu, text: per("busy", "1") }],
  "GPU memory": [
    {
      metric: "gpu.memory.used",
      fold: "sum",
      of: gpu,
      text: (value, readings, owners) =>
        processText(readings) || ofText(value, total("gpu.memory.total", owners, readings)),
    },
  ],
  "Power and thermal": [
    { metric: "gpu.temperature", fold: "max", of: gpu, text: thermalText },
    { metric: "gpu.power", fold: "sum", of: gpu, text: (value) => formatValue(value, "W") },
  ],
  Interconnect: [
    { metric: "gpu.nvlink.rx", fold: "sum", of: gpu, text: per("in") },
    { metric: "gpu.pcie.rx", fold: "sum", of: gpu, text: per("in") },
  ],
  CPU: [{ metric: "cpu.utilization", fold: "mean", of: host, text: share }],
  Memory: [
    {
      metric: "memory.used",
      fold: "sum",
      of: host,
      text: (value, readings, owners) => ofText(value, total("memory.total", owners, readings)),
    },
  ],
  "Disk and network": [
    { metric: "disk.read", fold: "sum", of: host, text: per("read") },
    { metric: "net.received", fold: "sum", of: host, text: per("in") },
  ],
  "Kernel process": [
    { metric: "process.cpu", fold: "sum", of: kernel, text: (v) => formatValue(v, "cores") },
    { metric: "process.memory.rss", fold: "sum", of: kernel, text: (v) => formatValue(v, "B") },
  ],
  "The monitor itself": [{ metric: "pulse.cpu", fold: "sum", of: any, text: ownCostText }],
};

/** What a group's line says. Pure. */
export function summaryOf(group: Group, readings: Readings): Summary {
  const mains = MAINS[group.title] ?? [];
  for (const { metric, fold, of, text } of mains) {
    const owners = readings.owners.filter((one) => of(one) && readings.has(one, metric));
    if (owners.length === 0) continue;
    const ids = owners.map((one) => readings.id(one, metric)).filter((id) => id !== null);
    const known = owners.map((one) => readings.of(one, metric)).filter((value) => value !== null);
    const value = folded(known, fold);
    return {
      ids,
      fold,
      top: topOf(metric, owners, readings),
      text: value === null ? formatValue(null, "") : text(value, readings, owners),
      part: of === gpu ? partText(owners, readings) : "",
    };
  }
  return firstOf(group, readings);
}

/** Of a group that nobody described its first chart. */
function firstOf({ panels }: Group, readings: Readings): Summary {
  const panel = panels.find(({ main }) => main) ?? panels[0];
  const line = panel?.lines[0];
  if (!panel || !line) return { ids: [], fold: "max", top: null, text: "", part: "" };
  const value = readings.ofId(line.id)?.value ?? null;
  return {
    ids: [line.id],
    fold: "max",
    top: panel.unit === "1" ? 1 : null,
    text: formatValue(value, panel.unit),
    part: "",
  };
}

function folded(values: readonly number[], fold: Fold): number | null {
  if (fold === "mean") return mean(values);
  if (fold === "sum") return sum(values);
  return values.length > 0 ? Math.max(...values) : null;
}

function topOf(metric: string, owners: readonly Owner[], readings: Readings): number | null {
  if (metric.endsWith("utilization")) return 1;
  const limit = limitOf(metric);
  if (!limit) return null;
  const limits = owners.map((one) => readings.of(one, limit)).filter((value) => value !== null);
  return limits.length === owners.length ? sum(limits) : null;
}

/**
 * "of 3 of 8 GPUs" where a saved view had no room for the series of the others: what is put
 * together of some must not pass for the whole.
 */
function partText(owners: readonly Owner[], readings: Readings): string {
  const { source } = readings;
  if (leftOutSentence(source.state()) === "") return "";
  const gpus = [...readings.gpus, ...source.entities().filter(gpu)];
  const count = new Set(gpus.map(ownerKey)).size;
  return owners.length < count ? `of ${owners.length} of ${count} GPUs` : "";
}

/** The same number as in the footer; of another moment what was measured then. */
function ownCostText(value: number, { source, moment }: Readings): string {
  const { cost, phase } = source.state();
  if (moment !== null) return `${share(value)} core`;
  return `${share((phase === "running" ? cost.cores : null) ?? value)} core`;
}

function total(metric: string, owners: readonly Owner[], readings: Readings): number | null {
  return sum(owners.map((one) => readings.of(one, metric)).filter((value) => value !== null));
}

/** What holds a GPU back, in the words of its card, else how hot the hottest is. */
function thermalText(hottest: number, readings: Readings): string {
  return heldBackText(readings.gpus, readings) || degreesText(hottest);
}

/** "3 processes on 8 GPUs", of one GPU "3 processes"; empty where none is known. */
function processText(readings: Readings): string {
  const found = readings.owners.filter((one) => readings.has(one, "process.gpu.memory"));
  const now = found.filter((one) => readings.of(one, "process.gpu.memory") !== null);
  const split = now.map(
    ({ host: where, entity }) => [`${where} ${entity.split("/")[0]}`, entity] as const,
  );
  const processes = new Set(split.map(([process]) => process)).size;
  const devices = new Set(
    split.map(([, entity]) => entity.split("/").find((part) => entityClass(part) === "gpu") ?? ""),
  ).size;
  if (processes === 0) return "";
  const plural = (count: number, word: string, words: string) =>
    `${count} ${count === 1 ? word : words}`;
  const counted = plural(processes, "process", "processes");
  return devices === 1 ? counted : `${counted} on ${plural(devices, "GPU", "GPUs")}`;
}
