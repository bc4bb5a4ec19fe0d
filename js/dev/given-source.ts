/** A Source of samples that a test hands over: all of them, in plain arrays. */

import type { Change, Columns, EntityWire, SeriesWire, Source, SpanWire } from "../core/source";
import type { State } from "../core/state.gen";
import { CATALOG, KINDS } from "../core/vocabulary/catalog.gen";
import { fillColumns } from "./columns-of";

/** Samples of one series; null is a missing reading. */
export interface Given {
  readonly metric: string;
  readonly entity: string;
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
  readonly labels?: Readonly<Record<string, string>>;
}

export class GivenSource implements Source {
  readonly #catalog: readonly SeriesWire[];
  readonly #samples: readonly { readonly times: readonly number[]; readonly values: number[] }[];
  readonly #state: State;

  constructor(given: readonly Given[], state: State) {
    this.#catalog = given.map(({ metric, entity, labels = {} }, id) => {
      const { unit = "", kind = "gauge" } = CATALOG[metric] ?? {};
      return { id, host: "h0", entity, metric, unit, kind: KINDS[kind].stored, labels };
    });
    this.#samples = given.map(({ times, values }) => ({
      times,
      values: values.map((value) => value ?? Number.NaN),
    }));
    const [t0, t1] = this.extent();
    this.#state = { ...state, phase: "replay", t0, t1 };
  }

  catalog(): readonly SeriesWire[] {
    return this.#catalog;
  }

  entities(): readonly EntityWire[] {
    return [];
  }

  state(): State {
    return this.#state;
  }

  moments(): readonly [] {
    return [];
  }

  spans(): readonly SpanWire[] {
    return [];
  }

  range(id: number, t0: number, t1: number, points: number, out: Columns): void {
    out.length = 0;
    const samples = this.#samples[id];
    if (samples) fillColumns(samples.times, samples.values, t0, t1, points, out);
  }

  extent(): [number, number] {
    const all = this.#samples;
    const first = all.map(({ times }) => times[0] ?? Number.NaN);
    const last = all.map(({ times }) => times[times.length - 1] ?? Number.NaN);
    return [Math.min(...first), Math.max(...last)];
  }

  at(id: number, time: number): { time: number; value: number } | null {
    const { times = [], values = [] } = this.#samples[id] ?? {};
    const at = times.findLastIndex((one) => one <= time);
    return at < 0 ? null : { time: times[at] as number, value: values[at] as number };
  }

  last(id: number): { time: number; value: number } | null {
    return this.at(id, Number.POSITIVE_INFINITY);
  }

  lost(): number {
    return 0;
  }

  subscribe(_listener: (change: Change) => void): () => void {
    return () => undefined;
  }
}
