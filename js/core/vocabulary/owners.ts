/**
 * Names of entities where there may be several machines, and their order. The twin of
 * `pulse_widgets/exchange/picture/owners.py`.
 */

import type { EntityWire } from "../source";
import { compareEntities, compareNames, entityLabel } from "./entities";

/** Host and entity identify a thing; an entity alone may be on any machine. */
export interface Owner {
  readonly host: string;
  readonly entity: string;
}

/** What the user logs is of this entity, and beside the name of a machine is called so. */
const USER = "user";
const OWN_METRICS = "your metrics";

type Labels = Readonly<Record<string, string>>;

/** A key that differs for any two owners. */
export function ownerKey({ host, entity }: Owner): string {
  return JSON.stringify([host, entity]);
}

/** Host by host, and of each host as `compareEntities` has it. */
export function compareOwners(a: Owner, b: Owner): number {
  return compareNames(a.host, b.host) || compareEntities(a.entity, b.entity);
}

/** The names of the things of `hosts`: all hosts of what is shown together. */
export class Owners {
  readonly #labels: ReadonlyMap<string, Labels>;
  readonly #hosts: ReadonlyMap<string, string>;

  constructor(entities: readonly EntityWire[], hosts: Iterable<string>) {
    this.#labels = new Map(entities.map((one) => [ownerKey(one), one.labels]));
    const names = [...new Set(hosts)].map((host) => {
      return [host, this.labels({ host, entity: "host" })["name"]?.trim() || host] as const;
    });
    const often = (name: string) => names.filter(([, other]) => other === name).length;
    // Two machines with the same name stay two.
    this.#hosts = new Map(
      names.map(([host, name]) => [host, often(name) === 1 ? name : `${name} (${host})`]),
    );
  }

  /** Whether there is more than one machine. */
  get several(): boolean {
    return this.#hosts.size > 1;
  }

  labels(owner: Owner): Labels {
    return this.#labels.get(ownerKey(owner)) ?? {};
  }

  host(host: string): string {
    return this.#hosts.get(host) ?? host;
  }

  /** With one host "GPU 0", with several "node17 · GPU 0". */
  label(owner: Owner & { readonly labels?: Labels }): string {
    const { host, entity, labels } = owner;
    const name = entityLabel(entity, { ...this.labels(owner), ...labels });
    if (!this.several) return name;
    if (entity === "host") return this.host(host);
    return `${this.host(host)} \u00b7 ${entity === USER ? OWN_METRICS : name}`;
  }
}
