/** One line about the devices of a group, for its heading. Pure. */

import { CPU_GROUP, GPU_GROUP } from "../charts/panel-table";
import type { Source } from "../source";
import { formatValue } from "../vocabulary/format";

/** Group title to its note: "8 × NVIDIA H100, 80 GiB". */
export function groupNotes(source: Source): ReadonlyMap<string, string> {
  const labels = source.entities();
  const notes = new Map<string, string>();
  const gpus = Object.entries(labels).filter(([entity]) => /^gpu:\d+$/.test(entity));
  const names = new Map<string, number>();
  for (const [, label] of gpus) {
    const name = gpuName(label);
    if (name) names.set(name, (names.get(name) ?? 0) + 1);
  }
  if (names.size > 0) {
    const parts = [...names].map(([name, n]) => (n > 1 ? `${n} \u00d7 ${name}` : name));
    notes.set(GPU_GROUP, parts.join(", "));
  }
  const host = labels["host"] ?? {};
  const cpu = host["cpu model"] ?? host["cpu_model"] ?? host["cpu"];
  if (cpu) notes.set(CPU_GROUP, cpu);
  return notes;
}

function gpuName(label: Readonly<Record<string, string>>): string {
  const bytes = Number(label["memory"]);
  const memory = Number.isFinite(bytes) && bytes > 0 ? `, ${formatValue(bytes, "B")}` : "";
  return label["name"] ? `${label["name"]}${memory}` : "";
}
