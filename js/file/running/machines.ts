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
