/** One id for every machine: each writer calls its own machine h0. */

import { type Json, objectOf } from "../json";

export const OWN_HOST = "h0";
const MOST_HOSTS = 10_000;

export interface Told {
  /** Host id to what the writer knows of the machine. */
  readonly hosts: unknown;
  /**
   * The hosts in its series and entities. A reader may tell of machines that the writer does not
   * list; they keep their ids.
   */
  readonly used: Iterable<string>;
}

/**
 * For each writer the ids to be called otherwise, and what is known of every machine. A writer
 * that cannot say which machine it is on has one to itself: rows of two machines never mix.
 */
export function nameMachines(writers: readonly Told[]): {
  readonly renames: readonly ReadonlyMap<string, string>[];
  readonly machines: ReadonlyMap<string, Json>;
} {
  const named = new Map<string, string>();
  const machines = new Map<string, Json>();
  const listed = writers.map(({ hosts }) => Object.entries(objectOf(hosts)));
  const taken = new Set(
    writers.flatMap(({ used }, k) => {
      const own = new Set([OWN_HOST, ...(listed[k] ?? []).map(([host]) => host)]);
      return [...used].filter((host) => !own.has(host));
    }),
  );
  let free = 0;
  const fresh = () => {
    while (taken.has(`h${free}`)) free++;
    return `h${free}`;
  };
  const renames = listed.map((hosts) => {
    const rename = new Map<string, string>();
    for (const [host, about] of hosts.slice(0, MOST_HOSTS)) {
      const facts = objectOf(about);
      const machine = JSON.stringify([String(facts["name"]), String(facts["boot_id"])]);
      let chosen = named.get(machine);
      if (chosen === undefined) {
        chosen = taken.has(host) ? fresh() : host;
        named.set(machine, chosen);
        taken.add(chosen);
      }
      if (!machines.has(chosen)) machines.set(chosen, facts);
      if (chosen !== host) rename.set(host, chosen);
    }
    return rename;
  });
  for (const [k, rename] of renames.entries()) {
    if (listed[k]?.some(([host]) => host === OWN_HOST)) continue;
    if (taken.has(OWN_HOST)) rename.set(OWN_HOST, fresh());
    taken.add(rename.get(OWN_HOST) ?? OWN_HOST);
  }
  return { renames, machines };
}

/** Host to entity to its labels. */
type Labels = ReadonlyMap<string, Json>;

/** What is called otherwise of what one writer wrote: hosts, and GPUs by `gpuKey`. */
export interface Renames {
  readonly hosts: ReadonlyMap<string, string>;
  readonly gpus: ReadonlyMap<string, string>;
}

const WHOLE_GPU = /^gpu:[^/]+$/;
/** An id of something at a GPU: itself, a part of it, a process on it. */
const AT_GPU = /^((?:(?:pid|rank):[^/]+\/)*)(gpu:[^/]+)(?=\/|$)/;

function gpuKey(host: string, entity: string): string {
  return JSON.stringify([host, entity]);
}

/**
 * For each writer the GPUs to be called otherwise. A process that sees but some GPUs of its machine
 * counts them from 0 again, so they are told apart by their UUIDs. The first writer's names stay.
 */
export function nameGpus(
  told: readonly Labels[],
  hosts: readonly ReadonlyMap<string, string>[],
): readonly ReadonlyMap<string, string>[] {
  const named = told.map((labels, k) =>
    [...labels].flatMap(([host, entities]) => {
      const machine = hosts[k]?.get(host) ?? host;
      const all = objectOf(entities);
      const own = Object.keys(all).filter((entity) => WHOLE_GPU.test(entity));
      own.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
      return own.map((entity) => {
        const { uuid } = objectOf(all[entity]) as { uuid?: Json };
        return { machine, host, entity, uuid: typeof uuid === "string" ? uuid : "" };
      });
    }),
  );
  const taken = new Set(named.flat().map(({ machine, entity }) => gpuKey(machine, entity)));
  const called = new Map<string, string>();
  const holders = new Map<string, string>();
  const numbers = new Map<string, number>();
  const nameOf = (machine: string, entity: string, uuid: string): string => {
    const known = called.get(gpuKey(machine, uuid));
    if (known !== undefined) return known;
    let name = entity;
    let free = numbers.get(machine) ?? 0;
    const isHeld = () => (holders.get(gpuKey(machine, name)) ?? uuid) !== uuid;
    while (isHeld() || (name !== entity && taken.has(gpuKey(machine, name))))
      name = `gpu:${free++}`;
    numbers.set(machine, free);
    called.set(gpuKey(machine, uuid), name);
    holders.set(gpuKey(machine, name), uuid);
    return name;
  };
  return named.map((each) => {
    const rename = new Map<string, string>();
    for (const { machine, host, entity, uuid } of each) {
      const name = uuid === "" ? entity : nameOf(machine, entity, uuid);
      if (name !== entity) rename.set(gpuKey(host, entity), name);
    }
    return rename;
  });
}

export function entityCalled(entity: string, host: string, { gpus }: Renames): string {
  if (gpus.size === 0) return entity;
  return entity.replace(AT_GPU, (all, before: string, gpu: string) => {
    const name = gpus.get(gpuKey(host, gpu));
    return name === undefined ? all : before + name;
  });
}
