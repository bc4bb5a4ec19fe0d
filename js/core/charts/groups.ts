/** From the series a source has to the groups of charts that show them. Pure. */

import type { SeriesWire } from "../source";
import { CATALOG } from "../vocabulary/catalog.gen";
import {
  classSuffix,
  compareEntities,
  entityClass,
  entityLabel,
  isKnownClass,
} from "../vocabulary/entities";
import { globTest } from "../vocabulary/globs";
import { isDrawn } from "../vocabulary/kinds";
import { MOST_LINES } from "../vocabulary/shared.gen";
import {
  groupOf,
  headingsWith,
  helpOf,
  isForeign,
  isMain,
  isSilent,
  isWhole,
  limitOf,
  TOGETHER,
  type Together,
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
  readonly heat: boolean;
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

export type EntityLabels = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Charts of a group that are shown without being asked for. */
const MOST_SHOWN = 24;

/** Parts of a machine: charts of them are shown where they are asked for. */
const PART_CLASSES = /^(cpu|disk|fs|net|pid|link|ci|cell)$/;
const SHOWN_BY_PART = new Set(["cpu.utilization", "process.gpu.memory"]);

/** `silent`: also the constants that serve as limits, which nobody asked for. */
export function buildGroups(
  catalog: readonly SeriesWire[],
  labels: EntityLabels,
  globs: readonly string[] | null,
  silent = false,
): Group[] {
  const wanted = globTest(globs);
  const asked = globs !== null && globs.length > 0;
  const drawn = catalog.filter(
    (s) => isDrawn(s) && wanted(s.metric) && (asked || silent || !isSilent(s.metric)),
  );
  const context: Context = {
    catalog,
    labels,
    asked,
    hosts: new Set(catalog.map((s) => s.host)).size,
    colors: entityColors(catalog),
  };
  const panels = bundles(drawn).flatMap((bundle) => panelsOf(bundle, context));
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
  readonly labels: EntityLabels;
  readonly asked: boolean;
  readonly hosts: number;
  readonly colors: ReadonlyMap<string, number>;
}

/** Series that may share a chart. */
interface Bundle {
  readonly together: Together | undefined;
  readonly entityClass: string;
  readonly series: SeriesWire[];
}

const ORDER = new Map(Object.keys(CATALOG).map((metric, index) => [metric, index]));

function bundles(drawn: readonly SeriesWire[]): Bundle[] {
  const found = new Map<string, Bundle>();
  for (const series of drawn) {
    const together = TOGETHER.find((t) => t.metrics.includes(series.metric));
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
  const owners = new Set(series.map(ownerOf));
  const metrics = [...new Set(series.map((s) => s.metric))];
  if (together && owners.size === 1 && metrics.length > 1) {
    const ordered = [...series].sort(
      (a, b) => together.metrics.indexOf(a.metric) - together.metrics.indexOf(b.metric),
    );
    const title = titled(together.title, bundle, ordered, context);
    return [panelOf(bundle, title, ordered, wordLines(ordered, together), context)];
  }
  return metrics.map((metric) => {
    const own = series
      .filter((s) => s.metric === metric)
      .sort((a, b) => compareEntities(ownerOf(a), ownerOf(b)));
    const title = titled(titleOf(own[0] as SeriesWire), bundle, own, context);
    return panelOf(bundle, title, own, entityLines(own, context), context);
  });
}

/** A title that tells the parts of a machine from the whole: by what they are told apart, or whose. */
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
  if (new Set(series.map(ownerOf)).size > 1) return `${title}, ${suffix || `by ${kind}`}`;
  return `${title}, ${entityLabel(first.entity, { ...context.labels[first.entity], ...first.labels })}`;
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
    heat: lines.length > MOST_LINES,
    whole: isWhole(first.metric, first.unit),
    main: context.asked || (shown && series.some((s) => isMain(s, group))),
    lines,
    limits: limitIds(series, context.catalog),
  };
}

function ownerOf(series: SeriesWire): string {
  return `${series.host}/${series.entity}`;
}

function wordLines(series: readonly SeriesWire[], together: Together): Line[] {
  return series.map((s) => {
    const place = together.metrics.indexOf(s.metric);
    const label = together.words[place] ?? s.metric;
    return { key: `${ownerOf(s)}/${s.metric}`, label, id: s.id, color: place, series: s };
  });
}

function entityLines(series: readonly SeriesWire[], context: Context): Line[] {
  return series.map((s) => {
    const owner = ownerOf(s);
    const name = entityLabel(s.entity, { ...context.labels[s.entity], ...s.labels });
    const label = context.hosts > 1 ? `${hostName(s, context.labels)} · ${name}` : name;
    const alone = series.length === 1;
    return {
      // A lone line is its metric: hiding it must not hide the host's other charts.
      key: alone ? `${owner}/${s.metric}` : owner,
      label: groupOf(s) === USER_GROUP && alone ? s.metric : label,
      id: s.id,
      color: alone ? 0 : (context.colors.get(owner) ?? 0),
      series: s,
    };
  });
}

function hostName(series: SeriesWire, labels: EntityLabels): string {
  return labels[series.host]?.["name"] ?? series.host;
}

/** Entities numbered within their class, so that GPU 2 has one colour everywhere. */
function entityColors(catalog: readonly SeriesWire[]): Map<string, number> {
  const byClass = new Map<string, Set<string>>();
  for (const series of catalog) {
    const kind = entityClass(series.entity);
    const owners = byClass.get(kind) ?? new Set();
    byClass.set(kind, owners.add(ownerOf(series)));
  }
  const colors = new Map<string, number>();
  for (const owners of byClass.values()) {
    for (const [place, owner] of [...owners].sort(compareEntities).entries()) {
      colors.set(owner, place);
    }
  }
  return colors;
}

function limitIds(series: readonly SeriesWire[], catalog: readonly SeriesWire[]): number[] {
  const limit = limitOf((series[0] as SeriesWire).metric);
  if (!limit) return [];
  const owners = new Set(series.map(ownerOf));
  return catalog.filter((s) => s.metric === limit && owners.has(ownerOf(s))).map((s) => s.id);
}
