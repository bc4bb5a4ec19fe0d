/**
 * What the user says about a run: its configuration, and what its metrics are. Both are labels of
 * the user's entity, each the JSON object of its names. The twin of `pulse_widgets/series/said.py`.
 */

import type { EntityWire, SeriesWire } from "../source";
import { globTest } from "./globs";

/** What is said of a metric. */
export type Defined = Partial<Record<"unit" | "x" | "better" | "title", string>>;

const USER = /^(user|rank:\d{1,9})$/;

/** The user of a process, who may say something. */
export function isUser(entity: string): boolean {
  return USER.test(entity);
}

/** What the users of all hosts and ranks say under a label. */
export function saidBy(
  entities: Iterable<EntityWire>,
  label: "config" | "defined",
): Record<string, unknown> {
  const said: [string, unknown][] = [];
  for (const { entity, labels } of entities) {
    if (isUser(entity)) said.push(...Object.entries(parsed(labels[label])));
  }
  return Object.fromEntries(said);
}

/** The JSON object that a label is; anybody may have written it. */
export function parsed(label: string | undefined): object {
  try {
    const value: unknown = JSON.parse(label ?? "{}");
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

/** What is said of a metric: a name counts more than a pattern, the last word more than others. */
export function definitions(said: Record<string, unknown>): (metric: string) => Defined {
  const all = Object.entries(said).map(([pattern, one]) => {
    const glob = /[*?]/.test(pattern);
    const test = glob ? globTest([pattern]) : (metric: string) => metric === pattern;
    const told = typeof one === "object" && one !== null ? Object.entries(one) : [];
    return { glob, test, told: told.filter(([, value]) => typeof value === "string" && value) };
  });
  const ordered = [...all.filter(({ glob }) => glob), ...all.filter(({ glob }) => !glob)];
  return (metric) => {
    return Object.fromEntries(ordered.flatMap((one) => (one.test(metric) ? one.told : [])));
  };
}

/** The series with what their user says of them: the unit, and the rest as labels `defined.x`. */
export function asDefined(
  series: readonly SeriesWire[],
  entities: Iterable<EntityWire>,
): readonly SeriesWire[] {
  const said = saidBy(entities, "defined");
  if (Object.keys(said).length === 0) return series;
  const of = definitions(said);
  return series.map((one) => {
    if (!isUser(one.entity)) return one;
    const { unit = "", ...more } = of(one.metric);
    // A reader may have labels of these names.
    const labels = Object.entries(more).map(([key, said]) => [`defined.${key}`, said]);
    return {
      ...one,
      unit: one.unit || unit,
      labels: { ...one.labels, ...Object.fromEntries(labels) },
    };
  });
}
