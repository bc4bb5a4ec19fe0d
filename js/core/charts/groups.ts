/** Builds the groups of charts for the series of a source. Pure. */

import type { EntityWire, SeriesWire } from "../source";
import { CATALOG } from "../vocabulary/catalog.gen";
import { classSuffix, entityClass, isKnownClass } from "../vocabulary/entities";
import { globTest } from "../vocabulary/globs";
import { isDrawn } from "../vocabulary/kinds";
import { compareOwners, type Owner, Owners, ownerKey } from "../vocabulary/owners";
import { MOST_LINES } from "../vocabulary/shared.gen";
import {
  COMBINED_CHARTS,
  type CombinedChart,
  groupOf,
  headingsWith,
  helpOf,
  isForeign,
  isMain,
  isSilent,
  isWhole,
  limitOf,
  titleOf,
  USER_GROUP,
} from "./panel-table";

export interface Line {
  /** Names what the line stands for; hiding it hides every line of that key. */
  readonly key: string;
  readonly label: string;
  readonly id: number;
  /** Place in the palette: the same thing has the same colour on every chart. */
  readonly color: number;
  readonly series: SeriesWire;
  /** It is of one of several things of its kind: where it is alone its name has to be said. */
  readonly named: boolean;
}

export interface Panel {
  readonly key: string;
  readonly group: string;
  readonly title: string;
  readonly help: string;
  readonly unit: string;
  readonly kind: string;
  /** What the lines are: "gpu", "cpu", "host", ... */
  readonly entityClass: string;
  /** There are too many lines to tell apart. */
  readonly crowded: boolean;
  readonly whole: boolean;
  readonly main: boolean;
  readonly lines: readonly Line[];
  /** Ids of the series whose last value is the limit of these lines. */
  readonly limits: readonly number[];
}

export interface Group {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** Charts of a group that are shown without being asked for. */
const MOST_SHOWN = 24;

/** Parts of a machine: charts of them are shown where they are asked for. */
const PART_CLASSES = /^(cpu|disk|fs|net|pid|link|ci|cell)$/;
const SHOWN_BY_PART = new Set(["cpu.utilization", "process.gpu.memory"]);

/**
 * `still`: also the constants that serve as limits, which nobody asked for, and each metric in a
 * chart of its own.
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
    asked,
    still,
    owners: new Owners(
      entities,
      catalog.map(({ host }) => host),
    ),
    colors: entityColors(catalog),
    crowds: crowdsOf(catalog),
  };
  const panels = bundles(drawn, still).flatMap((bundle) => panelsOf(bundle, context));
  return headingsWith(drawn.map(groupOf)).flatMap((title) => {
    const own = panels.filter((panel) => panel.group === title);
    own.sort((a, b) => Number(b.main) - Number(a.main));
    const shown = asked ? own : own.map((panel, i) => (i < MOST_SHOWN ? panel : extra(panel)));
    return own.length > 0 ? [{ title, panels: shown }] : [];
  });
}

/** Titles of the metrics that are not in the catalog. */
export function ownTitles(groups: readonly Group[]): Map<string, string> {
  const shown = groups.flatMap(({ panels }) => panels.flatMap(({ lines }) => lines.slice(0, 1)));
  const own = shown.filter(({ series }) => isForeign(series));
  return new Map(own.map(({ series }) => [series.metric, titleOf(series)]));
}

function extra(panel: Panel): Panel {
  return { ...panel, main: false };
}

interface Context {
  readonly catalog: readonly SeriesWire[];
  readonly asked: boolean;
  readonly still: boolean;
  readonly owners: Owners;
  readonly colors: ReadonlyMap<string, number>;
  /** How many there are of each kind of thing. */
  readonly crowds: ReadonlyMap<string, number>;
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
  const place = (bundle: Bundle) =>
    Math.min(...bundle.series.map((s) => ORDER.get(s.metric) ?? Number.MAX_SAFE_INTEGER));
  const ofParts = (bundle: Bundle) => Number(bundle.entityClass !== "host");
  // A stable sort: metrics outside the catalog stay in the order in which they appeared. A
  // recording sorts by entity: of one metric the whole machine comes first there, too.
  return [...found.values()].sort((a, b) => place(a) - place(b) || ofParts(a) - ofParts(b));
}

function panelsOf(bundle: Bundle, context: Context): Panel[] {
  const { together, series } = bundle;
  const owners = new Set(series.map(ownerKey));
  const metrics = [...new Set(series.map((s) => s.metric))];
  if (together && owners.size === 1 && metrics.length > 1) {
    const ordered = [...series].sort(
      (a, b) => together.metrics.indexOf(a.metric) - together.metrics.indexOf(b.metric),
    );
    const title = titled(together.title, bundle, ordered, context);
    return [panelOf(bundle, title, ordered, wordLines(ordered, together), context)];
  }
  return metrics.map((metric) => {
    const own = series.filter((s) => s.metric === metric).sort(compareOwners);
    const title = titled(titleOf(own[0] as SeriesWire), bundle, own, context);
    return panelOf(bundle, title, own, entityLines(own, context), context);
  });
}

/** A title that says whether a chart is of the whole machine or of its parts, and of which. */
function titled(
  title: string,
  { entityClass: kind }: Bundle,
  series: readonly SeriesWire[],
  context: Context,
): string {
  const [first] = series;
  const suffix = classSuffix(kind);
  if (!first || !(suffix || (!isKnownClass(kind) && hasOthers(first.metric, kind, context)))) {
    return title;
  }
  if (new Set(series.map(ownerKey)).size > 1) return `${title}, ${suffix || `by ${kind}`}`;
  return `${title}, ${context.owners.label(first)}`;
}

/** Whether things of another class have the metric, too. */
function hasOthers(metric: string, kind: string, { catalog }: Context): boolean {
  return catalog.some((one) => one.metric === metric && entityClass(one.entity) !== kind);
}

function panelOf(
  bundle: Bundle,
  title: string,
  series: readonly SeriesWire[],
  lines: Line[],
  context: Context,
): Panel {
  const first = series[0] as SeriesWire;
  const group = groupOf(first);
  const shown =
    !PART_CLASSES.test(bundle.entityClass) || SHOWN_BY_PART.has(first.metric) || isForeign(first);
  return {
    key: `${group}/${title}/${bundle.entityClass}`,
    group,
    title,
    help: helpOf(first),
    unit: first.unit,
    kind: first.kind,
    entityClass: bundle.entityClass,
    crowded: lines.length > MOST_LINES,
    whole: isWhole(first.metric, first.unit),
    main: context.asked || (shown && series.some((s) => isMain(s, group))),
    lines,
    limits: limitIds(series, context.catalog),
  };
}

/** Names one metric of one owner. */
function lineKey({ host, entity, metric }: SeriesWire): string {
  return JSON.stringify([host, entity, metric]);
}

function wordLines(series: readonly SeriesWire[], together: CombinedChart): Line[] {
  return series.map((s) => {
    const place = together.metrics.indexOf(s.metric);
    const label = together.words[place] ?? s.metric;
    return { key: lineKey(s), label, id: s.id, color: place, series: s, named: false };
  });
}

function entityLines(series: readonly SeriesWire[], context: Context): Line[] {
  return series.map((s) => {
    const alone = series.length === 1;
    const named = (context.crowds.get(entityClass(s.entity)) ?? 0) > 1;
    return {
      // A lone line is its metric: hiding it must not hide the host's other charts.
      key: alone && !named ? lineKey(s) : ownerKey(s),
      label: groupOf(s) === USER_GROUP && alone ? s.metric : context.owners.label(s),
      id: s.id,
      color: context.colors.get(ownerKey(s)) ?? 0,
      series: s,
      named: named && groupOf(s) !== USER_GROUP,
    };
  });
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

function limitIds(series: readonly SeriesWire[], catalog: readonly SeriesWire[]): number[] {
  const limit = limitOf((series[0] as SeriesWire).metric);
  if (!limit) return [];
  const owners = new Set(series.map(ownerKey));
  return catalog.filter((s) => s.metric === limit && owners.has(ownerKey(s))).map((s) => s.id);
}
