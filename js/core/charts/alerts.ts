/** The stretches in which alerts fired, as the moments of a session tell. */

import type { Mark } from "./marks";

export interface Firing {
  readonly host: string;
  /** Of what it was true; empty where it is of nothing. */
  readonly entity: string;
  readonly metric: string;
  /** The condition, as the user wrote it. */
  readonly text: string;
  readonly start: number;
  /** Null: it fires still. */
  readonly end: number | null;
}

const known = new WeakMap<readonly Mark[], readonly Firing[]>();
const NONE: readonly Firing[] = [];

/** In order of their start. `marks` must never change. */
export function firingsOf(marks: readonly Mark[]): readonly Firing[] {
  const found = known.get(marks) ?? firingsIn(marks);
  known.set(marks, found);
  return found;
}

type Told = Pick<Mark, "host" | "entity" | "metric" | "start" | "facts">;

/** As `firingsOf`, without keeping it. */
export function firingsIn(told: readonly Told[]): readonly Firing[] {
  const all: Firing[] = [];
  const open = new Map<string, number>();
  for (const { host, entity, metric, start, facts = {} } of told) {
    if (metric !== "alert") continue;
    const word = (name: string) => String(facts[name] ?? "");
    const about = { host, entity: word("entity"), metric: word("metric"), text: word("text") };
    const key = JSON.stringify([about, entity]);
    const place = open.get(key);
    if (word("phase") === "firing") {
      if (place !== undefined) continue;
      open.set(key, all.length);
      all.push({ ...about, start, end: null });
    } else if (place !== undefined) {
      all[place] = { ...(all[place] as Firing), end: start };
      open.delete(key);
    }
  }
  return all.length > 0 ? all : NONE;
}

interface Charted {
  readonly series: { readonly host: string; readonly entity: string; readonly metric: string };
}

/** Those about one of the lines of a chart. */
export function firingsAbout(firings: readonly Firing[], lines: readonly Charted[]): Firing[] {
  if (firings.length === 0) return [];
  return firings.filter(({ host, entity, metric }) =>
    lines.some(
      ({ series }) =>
        series.metric === metric &&
        series.host === host &&
        (entity === "" || series.entity === entity),
    ),
  );
}

const others = new WeakMap<readonly Mark[], Map<string, readonly Mark[]>>();

/** The marks of a chart: alerts stand on the charts of what they are about alone. */
export function marksOfChart(marks: readonly Mark[], lines: readonly Charted[]): readonly Mark[] {
  if (firingsOf(marks).length === 0 && !marks.some(isAlert)) return marks;
  const metrics = new Set(lines.map(({ series }) => series.metric));
  const key = [...metrics].join(" ");
  const kept = others.get(marks) ?? new Map<string, readonly Mark[]>();
  others.set(marks, kept);
  const found = kept.get(key);
  if (found) return found;
  const own = marks.filter((one) => !isAlert(one) || metrics.has(String(one.facts?.["metric"])));
  kept.set(key, own);
  return own;
}

function isAlert({ metric }: Mark): boolean {
  return metric === "alert";
}
