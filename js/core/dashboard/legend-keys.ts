/** Which lines belong to a GPU: its own and those of its parts, in every chart. Pure. */

import type { Group } from "../charts/groups";
import { type Owner, ownerKey } from "../vocabulary/owners";
import type { GpuFacts } from "./gpu-facts";
import type { Action } from "./view-state";

/** Key of a GPU to the keys of its lines. A lone line has a key of its own in each chart. */
export function linesOfGpus(
  groups: readonly Group[],
  gpus: readonly Owner[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map(gpus.map((gpu) => [ownerKey(gpu), new Set([ownerKey(gpu)])] as const));
  for (const { panels } of groups) {
    for (const { lines } of panels) {
      for (const { key, series } of lines) {
        const [first = ""] = series.entity.split("/", 1);
        found.get(ownerKey({ host: series.host, entity: first }))?.add(key);
      }
    }
  }
  return new Map([...found].map(([key, keys]) => [key, [...keys]]));
}

/** Whether all lines of a GPU are hidden. */
export function isHidden(
  { key }: Pick<GpuFacts, "key">,
  hidden: ReadonlySet<string>,
  lines: ReadonlyMap<string, readonly string[]>,
): boolean {
  return (lines.get(key) ?? [key]).every((one) => hidden.has(one));
}

/** What a click on a GPU's card does: hide or show its lines, or hide all others. */
export function toggled(
  gpu: string,
  only: boolean,
  hidden: ReadonlySet<string>,
  lines: ReadonlyMap<string, readonly string[]>,
): Action {
  const own = lines.get(gpu) ?? [gpu];
  if (!only) {
    return { type: "hide-all", keys: own, hide: !isHidden({ key: gpu }, hidden, lines) };
  }
  const others = [...lines].filter(([key]) => key !== gpu).flatMap(([, keys]) => keys);
  return { type: "only-these", own, others };
}
