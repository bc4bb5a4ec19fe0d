/** Looks up values by whose they are and what they measure, now or at another moment. */

import { isSilent } from "../charts/panel-table";
import type { Source } from "../source";
import { columns, valueAt } from "../source";
import { isGpu } from "../vocabulary/entities";
import { compareOwners, type Owner, Owners, ownerKey } from "../vocabulary/owners";

export interface Reading {
  readonly time: number;
  /** NaN where the reading is missing. */
  readonly value: number;
}

/** What a source has, by owner and metric. */
class Index {
  readonly ids = new Map<string, Map<string, number>>();
  readonly owners: readonly Owner[];
  readonly hosts: readonly string[];
  readonly names: Owners;
  readonly gpus: readonly Owner[];

  constructor(source: Source) {
    const found = new Map<string, Owner>();
    for (const { host, entity, metric, id } of source.catalog()) {
      const key = ownerKey({ host, entity });
      found.set(key, { host, entity });
      const ids = this.ids.get(key) ?? new Map<string, number>();
      this.ids.set(key, ids.set(metric, id));
    }
    this.owners = [...found.values()].sort(compareOwners);
    this.hosts = [...new Set(this.owners.map(({ host }) => host))];
    this.names = new Owners(source.entities(), this.hosts);
    this.gpus = this.owners.filter(({ entity }) => isGpu(entity));
  }
}

const scratch = columns(128);

export class Readings {
  readonly source: Source;
  /** Of which moment the values are; null is now. */
  readonly moment: number | null;
  readonly #index: Index;
  /** Cards and folded lines ask for the same ones. */
  #means = new Map<string, number | null>();
  #meansAt = Number.NaN;

  constructor(source: Source, moment: number | null = null, index = new Index(source)) {
    this.source = source;
    this.moment = moment;
    this.#index = index;
  }

  /** The same at another moment. */
  at(moment: number | null): Readings {
    return moment === this.moment ? this : new Readings(this.source, moment, this.#index);
  }

  /** All there are, host by host. */
  get owners(): readonly Owner[] {
    return this.#index.owners;
  }

  get hosts(): readonly string[] {
    return this.#index.hosts;
  }

  /** Whole GPUs. */
  get gpus(): readonly Owner[] {
    return this.#index.gpus;
  }

  /** What each is called. */
  get names(): Owners {
    return this.#index.names;
  }

  /** Unix seconds of what is shown. */
  get time(): number {
    return this.moment ?? this.source.extent()[1];
  }

  /** The value, or null where it is missing or there is no such series. */
  of(owner: Owner, metric: string): number | null {
    const value = this.reading(owner, metric)?.value ?? null;
    return value === null || Number.isNaN(value) ? null : value;
  }

  /** Whether the reading says that there is none, as against not having come yet. */
  missing(owner: Owner, metric: string): boolean {
    return Number.isNaN(this.reading(owner, metric)?.value ?? 0);
  }

  has(owner: Owner, metric: string): boolean {
    return this.id(owner, metric) !== null;
  }

  id(owner: Owner, metric: string): number | null {
    return this.#index.ids.get(ownerKey(owner))?.get(metric) ?? null;
  }

  reading(owner: Owner, metric: string): Reading | null {
    const id = this.id(owner, metric);
    return id === null ? null : this.ofId(id, isSilent(metric));
  }

  /** A constant is what it is, also before it was first read. */
  ofId(id: number, constant = false): Reading | null {
    const { source, moment } = this;
    if (moment === null || constant || !source.at) return source.last(id);
    return source.at(id, moment);
  }

  /** The mean of the last `seconds`; null without any reading in them. */
  mean(owner: Owner, metric: string, seconds: number): number | null {
    const id = this.id(owner, metric);
    return id === null ? null : this.#meanOf(id, seconds);
  }

  #meanOf(id: number, seconds: number): number | null {
    const end = this.time;
    if (end !== this.#meansAt) [this.#means, this.#meansAt] = [new Map(), end];
    const key = `${id} ${seconds}`;
    const known = this.#means.get(key);
    if (known !== undefined) return known;
    const found = this.#look(id, end, seconds);
    this.#means.set(key, found);
    return found;
  }

  #look(id: number, end: number, seconds: number): number | null {
    this.source.range(id, end - seconds, end, seconds, scratch);
    let [sum, count] = [0, 0];
    for (let i = 0; i < scratch.length; i++) {
      const time = scratch.time[i] as number;
      if (time < end - seconds || time > end) continue;
      const value = valueAt(scratch, i);
      if (!Number.isFinite(value)) continue;
      sum += value;
      count++;
    }
    return count > 0 ? sum / count : null;
  }
}
