/** One line that names the devices of a group, for its heading. Pure. */

import { CPU_GROUP, GPU_GROUP } from "../charts/panel-table";
import type { Source } from "../source";
import { isGpu } from "../vocabulary/entities";
import { formatValue } from "../vocabulary/format";

/** Group title to its note: "8 × NVIDIA H100, 80 GiB". */
export function deviceSummaries(source: Source): ReadonlyMap<string, string> {
  const known = source.entities();
  const gpus = known.filter(({ entity }) => isGpu(entity));
  const hosts = known.filter(({ entity }) => entity === "host");
  const gpu = counted(gpus.map(({ labels }) => gpuName(labels)));
  const cpu = counted(hosts.map(({ labels }) => cpuName(labels)));
  const notes = [[GPU_GROUP, gpu] as const, [CPU_GROUP, cpu] as const];
  return new Map(notes.filter(([, note]) => note !== ""));
}

/** Each name once, with how often it is there. */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, n]) => (n > 1 ? `${n} \u00d7 ${name}` : name)).join(", ");
}

function cpuName(label: Readonly<Record<string, string>>): string {
  return label["cpu model"] ?? label["cpu_model"] ?? label["cpu"] ?? "";
}

function gpuName(label: Readonly<Record<string, string>>): string {
  const bytes = Number(label["memory"]);
  const memory = Number.isFinite(bytes) && bytes > 0 ? `, ${formatValue(bytes, "B")}` : "";
  return label["name"] ? `${label["name"]}${memory}` : "";
}
