/** Builds the groups of charts for the series of a source. Pure. */

import type { EntityWire, SeriesWire } from "../source";
import { CATALOG } from "../vocabulary/catalog.gen";
import { entityClass } from "../vocabulary/entities";
import { globTest } from "../vocabulary/globs";
import { isDrawn } from "../vocabulary/kinds";
import { compareOwners, type Owner, Owners, ownerKey } from "../vocabulary/owners";
import {
  type Context,
  entityLines,
  type Line,
  lineKey,
  type Panel,
  panelOf,
  titled,
  withOwnKeys,
} from "./panel";
import {
  COMBINED_CHARTS,
  type CombinedChart,
  groupOf,
  headingsWith,
  isForeign,
  isSilent,
  titleOf,
  USER_GROUP,
} from "./panel-table";
import { hasColumn, isOfProcess, processPanel } from "./processes";
import { userPanels } from "./user-panels";

export type { Line, Panel } from "./panel";

export interface Group {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** Charts of a group that are shown without being asked for. */
const MOST_SHOWN = 24;

/**
 * `still`: also the constants that serve as limits, which nobody asked for, and each metric of a
 * device in a chart of its own.
 */
export function buildGroups(
  series: readonly SeriesWire[],
  entities: readonly EntityWire[],
  globs: readonly string[] | null,
  still = false,
): Group[] {
  const catalog = series.filter(isDrawn);
  const wanted = globTest(globs);
  const asked = globs !== null && globs.length > 0;
  const drawn = catalog.filter((s) => wanted(s.metric) && (asked || still || !isSilent(s.metric)));
  const context: Context = {
    catalog,
    classes: once(() => classesOf(catalog)),
    asked,
    still,
    owners: new Owners(
      entities,
      catalog.map(({ host }) => host),
    ),
    colors: entityColors(catalog),
    crowds: crowdsOf(catalog),
  };
  const headings = new Map(drawn.map((one) => [one, groupOf(one)]));
  const byGroup = new Map<string, Panel[]>();
  for (const panel of withOwnKeys(panelsOf(headings, context))) {
    const own = byGroup.get(panel.group);
    if (own) own.push(panel);
    else byGroup.set(panel.group, [panel]);
  }
  return headingsWith(headings.values()).flatMap((title) => {
    const own = byGroup.get(title) ?? [];
    own.sort((a, b) => rankOf(a) - rankOf(b));
    // Of the user's own metrics the dashboard shows as many as there is room for.
    const all = asked || title === USER_GROUP;
    const shown = all ? own : own.map((panel, i) => (i < MOST_SHOWN ? panel : extra(panel)));
    return own.length > 0 ? [{ title, panels: shown }] : [];
  });
}

const TITLES = new WeakMap<readonly Group[], Map<string, string>>();

/** Titles of the metrics that are not in the catalog; looked for once in the same groups. */
export function ownTitles(groups: readonly Group[]): ReadonlyMap<string, string> {
  const known = TITLES.get(groups) ?? titlesIn(groups);
  TITLES.set(groups, known);
  return known;
}

function titlesIn(groups: readonly Group[]): Map<string, string> {
  const shown = groups.flatMap(({ panels }) => panels.flatMap(({ lines }) => lines.slice(0, 1)));
  const own = shown.filter(({ series }) => isForeign(series));
  return new Map(own.map(({ series }) => [series.metric, titleOf(series)]));
}

/** What is shown at first, the rest, and tables below all charts. */
function rankOf({ main, processes }: Panel): number {
  return processes ? 2 : Number(!main);
}

function extra(panel: Panel): Panel {
  return { ...panel, main: false };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function classesOf(catalog: readonly SeriesWire[]): Map<string, Set<string>> {
  const classes = new Map<string, Set<string>>();
  for (const { metric, entity } of catalog) {
    const own = classes.get(metric) ?? new Set();
    classes.set(metric, own.add(entityClass(entity)));
  }
  return classes;
}

/** `headings`: every series that is drawn, and what it stands under. */
function panelsOf(headings: ReadonlyMap<SeriesWire, string>, context: Context): Panel[] {
  const [user, processes, others]: [SeriesWire[], SeriesWire[], SeriesWire[]] = [[], [], []];
  // Who asks for a metric of processes by its name wants to see it over time.
  const tables = !context.asked && !context.still;
  for (const [one, heading] of headings) {
    const row = tables && isOfProcess(one);
    if (row) processes.push(one);
    if (heading === USER_GROUP && !isForeign(one)) user.push(one);
    else if (!row || !hasColumn(one)) others.push(one);
  }
  return [
    ...bundles(others, context.still).flatMap((bundle) => bundlePanels(bundle, context)),
    ...(processes.length > 0 ? [processPanel(processes, context)] : []),
    ...userPanels(user, context),
  ];
}

/** Series that may share a chart. */
interface Bundle {
  readonly together: CombinedChart | undefined;
  readonly entityClass: string;
  readonly series: SeriesWire[];
}

const ORDER = new Map(Object.keys(CATALOG).map((metric, index) => [metric, index]));

function bundles(drawn: readonly SeriesWire[], still: boolean): Bundle[] {
  const found = new Map<string, Bundle>();
  for (const series of drawn) {
    const together = still
      ? undefined
      : COMBINED_CHARTS.find((t) => t.metrics.includes(series.metric));
    const kind = entityClass(series.entity);
    const key = `${together?.title ?? series.metric}\n${kind}\n${groupOf(series)}`;
    const bundle = found.get(key) ?? { together, entityClass: kind, series: [] };
    bundle.series.push(series);
    found.set(key, bundle);
  }
  const placed = [...found.values()].map((bundle) => ({
    bundle,
    place: Math.min(...bundle.series.map((s) => ORDER.get(s.metric) ?? Number.MAX_SAFE_INTEGER)),
    ofParts: Number(bundle.entityClass !== "host"),
  }));
  // A stable sort: metrics outside the catalog stay in the order in which they appeared. A
  // recording sorts by entity: of one metric the whole machine comes first there, too.
  placed.sort((a, b) => a.place - b.place || a.ofParts - b.ofParts);
  return placed.map(({ bundle }) => bundle);
}

function bundlePanels(bundle: Bundle, context: Context): Panel[] {
  const { together, series } = bundle;
  const owners = new Set(series.map(ownerKey));
  const metrics = [...new Set(series.map((s) => s.metric))];
  if (together && owners.size === 1 && metrics.length > 1) {
    const ordered = [...series].sort(
      (a, b) => together.metrics.indexOf(a.metric) - together.metrics.indexOf(b.metric),
    );
    const title = titled(together.title, ordered, context);
    return [panelOf(title, ordered, wordLines(ordered, together), context)];
  }
  return metrics.map((metric) => {
    const own = series.filter((s) => s.metric === metric).sort(compareOwners);
    const title = titled(titleOf(own[0] as SeriesWire), own, context);
    return panelOf(title, own, entityLines(own, context), context);
  });
}

function wordLines(series: readonly SeriesWire[], together: CombinedChart): Line[] {
  return series.map((s) => {
    const place = together.metrics.indexOf(s.metric);
    const label = together.words[place] ?? s.metric;
    return { key: lineKey(s), label, id: s.id, color: place, series: s, named: false };
  });
}

/** Entities numbered within their class, so that GPU 2 has the same colour everywhere. */
function entityColors(catalog: readonly SeriesWire[]): Map<string, number> {
  const byClass = new Map<string, Map<string, Owner>>();
  for (const series of catalog) {
    const kind = entityClass(series.entity);
    const owners = byClass.get(kind) ?? new Map<string, Owner>();
    byClass.set(kind, owners.set(ownerKey(series), series));
  }
  const colors = new Map<string, number>();
  for (const owners of byClass.values()) {
    for (const [place, owner] of [...owners.values()].sort(compareOwners).entries()) {
      colors.set(ownerKey(owner), place);
    }
  }
  return colors;
}

/** How many there are of each kind of thing. */
function crowdsOf(catalog: readonly SeriesWire[]): Map<string, number> {
  const owners = new Map(catalog.map((series) => [ownerKey(series), series.entity]));
  const crowds = new Map<string, number>();
  for (const entity of owners.values()) {
    const kind = entityClass(entity);
    crowds.set(kind, (crowds.get(kind) ?? 0) + 1);
  }
  return crowds;
}
