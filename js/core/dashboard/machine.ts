/** What is said of the machine and its kernel: as a line under the cards, or as cards. Pure. */

import type { Source } from "../source";
import { formatValue } from "../vocabulary/format";
import type { Owner } from "../vocabulary/owners";
import { ofText } from "./amounts";
import { shareOf } from "./gpu-facts";
import type { Readings } from "./readings";

export interface MachineFacts {
  readonly key: string;
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly labels: readonly string[];
  readonly bars: readonly (number | null | undefined)[];
  /** The same as part of a line: what is set in bold stands between asterisks. */
  readonly line: string;
  /** The least of it, where room is scarcer still. */
  readonly short: string;
}

/**
 * Of one host: its CPU, its memory, and the kernel of this session if it runs there; where it is
 * `expected` also what has not been read yet.
 */
export function machineFacts(host: string, readings: Readings, expected = false): MachineFacts[] {
  const machine = { host, entity: "host" };
  const cpu = cpuFacts(machine, readings, expected);
  const memory = memoryFacts(machine, readings, expected);
  const kernel = kernelFacts(host, readings, expected);
  return [cpu, memory, kernel].filter((facts) => facts !== null);
}

function cpuFacts(machine: Owner, readings: Readings, expected: boolean): MachineFacts | null {
  if (!expected && !readings.has(machine, "cpu.utilization")) return null;
  const busy = readings.of(machine, "cpu.utilization");
  const count = coreCount(machine, readings);
  const wait = readings.has(machine, "cpu.iowait") ? readings.of(machine, "cpu.iowait") : undefined;
  const value = formatValue(busy, "1");
  return {
    key: "cpu",
    name: "CPU",
    value,
    note: count === null ? "" : `${formatValue(count, "count")} cores`,
    labels: ["busy", "disk wait"],
    bars: [busy, wait],
    line: `CPU *${value}*${count === null ? "" : ` of ${formatValue(count, "count")}`}`,
    short: `CPU *${value}*`,
  };
}

function coreCount(machine: Owner, readings: Readings): number | null {
  const told = readings.of(machine, "cpu.count");
  if (told !== null) return told;
  const seen = readings.owners.filter(
    ({ host, entity }) => host === machine.host && entity.startsWith("cpu:"),
  );
  return seen.length || null;
}

function memoryFacts(machine: Owner, readings: Readings, expected: boolean): MachineFacts | null {
  if (!expected && !readings.has(machine, "memory.used")) return null;
  const [used, total] = [readings.of(machine, "memory.used"), readings.of(machine, "memory.total")];
  const swap = [readings.of(machine, "swap.used"), readings.of(machine, "swap.total")] as const;
  const text = ofText(used, total);
  return {
    key: "memory",
    name: "Memory",
    value: formatValue(shareOf(used, total), "1"),
    note: text,
    labels: ["used", "swap"],
    bars: [shareOf(used, total), shareOf(...swap) ?? undefined],
    line: `memory *${text}*`,
    short: `mem *${text}*`,
  };
}

function kernelFacts(host: string, readings: Readings, expected: boolean): MachineFacts | null {
  const kernel = { host, entity: "kernel" };
  const known = ["process.cpu", "process.memory.rss"].some((one) => readings.has(kernel, one));
  if (!known && !expected) return null;
  const [cores, bytes] = [
    readings.of(kernel, "process.cpu"),
    readings.of(kernel, "process.memory.rss"),
  ];
  const machine = { host, entity: "host" };
  const count = coreCount(machine, readings);
  const value = formatValue(cores, "cores");
  const memory = bytes === null ? "" : formatValue(bytes, "B");
  const doing = doingText(readings.source);
  return {
    key: "kernel",
    name: "Kernel",
    value,
    note: [memory, doing].filter(Boolean).join(" \u00b7 "),
    labels: ["cores", "memory"],
    bars: [shareOf(cores, count), shareOf(bytes, readings.of(machine, "memory.total"))],
    line: [`kernel *${value}*`, memory, doing].filter(Boolean).join(", "),
    short: `kernel *${value}*`,
  };
}

function doingText(source: Source): string {
  const { kernel, phase, versions } = source.state();
  // Files that are read while they are written do not say it.
  if (phase !== "running" || versions.package === "") return "";
  if (!kernel.busy) return "idle";
  return kernel.cell === null ? "busy" : `in cell [${kernel.cell}]`;
}
