/** What a chart of the dashboard shows, and how it is made of series. Pure. */

import type { SeriesWire } from "../source";
import { classSuffix, entityClass, isKnownClass } from "../vocabulary/entities";
import { type Owners, ownerKey } from "../vocabulary/owners";
import { MOST_LINES } from "../vocabulary/shared.gen";
import { groupOf, helpOf, isForeign, isMain, isWhole, limitOf, USER_GROUP } from "./panel-table";

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
  /** Of the user's own metrics: the heading they share with others, "train" of `train/lr`. */
  readonly prefix?: string;
  /** The lines are processes, and their newest values rows of a table. */
  readonly processes?: readonly Process[];
}

/** What is known of a process on one GPU. */
export interface Process {
  readonly name: string;
  /** Its number; empty for several together. */
  readonly pid: string;
  /** The GPU it uses, with its host where there are several; empty for none. */
  readonly gpu: string;
  /** The process of this notebook's kernel. */
  readonly kernel: boolean;
  /** Ids of the series of its values. */
  readonly memory: number | null;
  readonly sm: number | null;
  readonly cpu: number | null;
  /** Of what the table does not show; that there is a value says that the process lives. */
  readonly others: readonly number[];
}

/** What is known of all series together. */
export interface Context {
  readonly catalog: readonly SeriesWire[];
  /** The classes of things that have a metric. */
  readonly classes: () => ReadonlyMap<string, ReadonlySet<string>>;
  readonly asked: boolean;
  readonly still: boolean;
  readonly owners: Owners;
  readonly colors: ReadonlyMap<string, number>;
  /** How many there are of each kind of thing. */
  readonly crowds: ReadonlyMap<string, number>;
}

/** Parts of a machine: charts of them are shown where they are asked for. */
const PART_CLASSES = /^(cpu|disk|fs|net|pid|link|ci|cell)$/;
const SHOWN_BY_PART = new Set(["cpu.utilization", "process.gpu.memory"]);

export function panelOf(
  title: string,
  series: readonly SeriesWire[],
  lines: Line[],
  context: Context,
  prefix = "",
): Panel {
  const first = series[0] as SeriesWire;
  const group = groupOf(first);
  const kind = entityClass(first.entity);
  const shown = !PART_CLASSES.test(kind) || SHOWN_BY_PART.has(first.metric) || isForeign(first);
  return {
    key: `${group}/${title}/${kind}`,
    group,
    title,
    help: helpOf(first),
    unit: first.unit,
    kind: first.kind,
    entityClass: kind,
    crowded: lines.length > MOST_LINES,
    whole: isWhole(first.metric, first.unit),
    main: context.asked || (shown && series.some((s) => isMain(s, group))),
    lines,
    limits: limitIds(series, context.catalog),
    prefix,
  };
}

/** A title that says whether a chart is of the whole machine or of its parts, and of which. */
export function titled(title: string, series: readonly SeriesWire[], context: Context): string {
  const [first] = series;
  if (!first) return title;
  const kind = entityClass(first.entity);
  const suffix = classSuffix(kind);
  if (!suffix && isKnownClass(kind)) return title;
  const others = suffix !== "" || (context.classes().get(first.metric)?.size ?? 0) > 1;
  if (!others) return title;
  if (new Set(series.map(ownerKey)).size > 1) return `${title}, ${suffix || `by ${kind}`}`;
  return `${title}, ${context.owners.label(first)}`;
}

/** Names one metric of one owner. */
export function lineKey({ host, entity, metric }: SeriesWire): string {
  return JSON.stringify([host, entity, metric]);
}

export function entityLines(series: readonly SeriesWire[], context: Context): Line[] {
  return series.map((s) => {
    const alone = series.length === 1;
    const named = (context.crowds.get(entityClass(s.entity)) ?? 0) > 1;
    return {
      // A lone line is its metric: hiding it must not hide the host's other charts.
      key: alone && !named ? lineKey(s) : ownerKey(s),
      label: groupOf(s) === USER_GROUP && alone ? s.metric : context.owners.label(s),
      id: s.id,
      // GPU 3 has its colour also where it is the only line.
      color: context.colors.get(ownerKey(s)) ?? 0,
      series: s,
      named: named && groupOf(s) !== USER_GROUP,
    };
  });
}

function limitIds(series: readonly SeriesWire[], catalog: readonly SeriesWire[]): number[] {
  const limit = limitOf((series[0] as SeriesWire).metric);
  if (!limit) return [];
  const owners = new Set(series.map(ownerKey));
  return catalog.filter((s) => s.metric === limit && owners.has(ownerKey(s))).map((s) => s.id);
}

/** The same panels, each with a key of its own: two may have the same title. */
export function withOwnKeys(panels: readonly Panel[]): Panel[] {
  const taken = new Set<string>();
  return panels.map((panel) => {
    let key = panel.key;
    for (let i = 2; taken.has(key); i++) key = `${panel.key}#${i}`;
    taken.add(key);
    return key === panel.key ? panel : { ...panel, key };
  });
}
