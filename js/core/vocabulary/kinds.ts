/** What the rows of a series are; the records themselves stand in `catalog.gen.ts`. */

import type { SeriesWire } from "../source";
import { CATALOG, KINDS, type Kind, UNKNOWN } from "./catalog.gen";

/** Where several kinds are stored under one name, the first of them counts. */
const STORED = new Map(
  Object.values(KINDS)
    .reverse()
    .map((kind) => [kind.stored, kind]),
);

/** The kind of what the wire calls `stored`; that of a newer version is kept and not drawn. */
export function kindStoredAs(stored: string): Kind {
  return STORED.get(stored) ?? UNKNOWN;
}

/** The kind of a series: the metric decides between kinds stored under the same name. */
export function kindOf({ metric, kind }: Pick<SeriesWire, "metric" | "kind">): Kind {
  const known = kindOfMetric(metric);
  return known?.stored === kind ? known : kindStoredAs(kind);
}

/** The kind of a moment or span of which only the metric is known: outside the catalog, a moment. */
export function kindOfEvent(metric: string): Kind {
  return kindOfMetric(metric) ?? KINDS.moment;
}

function kindOfMetric(metric: string): Kind | undefined {
  return Object.hasOwn(CATALOG, metric) ? KINDS[CATALOG[metric]?.kind ?? "gauge"] : undefined;
}

/** Whether a series has numbers to draw. */
export function isDrawn({ kind }: Pick<SeriesWire, "kind">): boolean {
  const { drawnAs } = kindStoredAs(kind);
  return drawnAs === "line" || drawnAs === "step";
}
