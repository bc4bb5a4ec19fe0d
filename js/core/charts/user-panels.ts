/**
 * Charts of the user's own metrics. Pure.
 *
 * What is measured of several parts of the data or of a model is one chart: `train/loss` and
 * `val/loss` are the lines "train" and "val" of "loss". The names tell which: there is no other
 * word of the user's about it. The twin of `pulse_widgets/exchange/picture/pairs.py`.
 */

import type { SeriesWire } from "../source";
import { entityClass } from "../vocabulary/entities";
import { compareOwners, ownerKey } from "../vocabulary/owners";
import { MANNERS, MOST_LINES, OTHER_COLORS, PARTS } from "../vocabulary/shared.gen";
import {
  type Context,
  entityLines,
  type Line,
  lineKey,
  type Panel,
  panelOf,
  titled,
} from "./panel";
import { titleOf } from "./panel-table";

const PART_COLORS: ReadonlyMap<string, number> = new Map(Object.entries(PARTS));
const MANNER_WORDS = new Set(MANNERS.split(" "));

/** How a name says what is measured, and of which part. */
export interface Named {
  readonly prefix: string;
  readonly leaf: string;
  /** Where the prefix stands; only names of one style belong together. */
  readonly style: string;
}

/** The parts of a name; null where it has but one, or its leaf says too little. */
export function partsOf(metric: string): Named | null {
  const steps = metric.split("/");
  const at = steps.findIndex((step) => PART_COLORS.has(step.toLowerCase()));
  if (steps.length > 1 && at >= 0) {
    const rest = steps.filter((_, i) => i !== at);
    const last = at === steps.length - 1;
    return { prefix: steps[at] as string, leaf: rest.join("/"), style: last ? "a/*" : `*${at}/a` };
  }
  const leaf = steps.at(-1) as string;
  if (steps.length > 1) {
    if (MANNER_WORDS.has(leaf.toLowerCase()) || !/\p{L}/u.test(leaf)) return null;
    return { prefix: steps.slice(0, -1).join("/"), leaf, style: "*0/a" };
  }
  return wordsOf(metric);
}

/** `train_loss`, `loss.val`: other marks than `/` part a name only beside a part of the data. */
function wordsOf(metric: string): Named | null {
  const [, first = "", mark = "", rest = ""] = /^([^._-]+)([._-])(.+)$/.exec(metric) ?? [];
  if (PART_COLORS.has(first.toLowerCase()))
    return { prefix: first, leaf: rest, style: `*${mark}a` };
  const [, start = "", sign = "", last = ""] = /^(.+)([._-])([^._-]+)$/.exec(metric) ?? [];
  if (PART_COLORS.has(last.toLowerCase())) return { prefix: last, leaf: start, style: `a${sign}*` };
  return null;
}

/** What a name begins with, as its heading; empty without a `/`. */
function headOf(metric: string): string {
  const slash = metric.indexOf("/");
  return slash > 0 ? metric.slice(0, slash) : "";
}

/** Everything of one metric. */
interface Measured {
  readonly metric: string;
  readonly series: SeriesWire[];
  /** Whose it is; null for several. */
  readonly owner: string | null;
  /** The parts of its name, if it may be one of a pair. */
  readonly parts: Named | null;
}

/** A chart to be: one metric of all its owners, or several metrics of one. */
interface Chart {
  readonly metrics: readonly Measured[];
  /** Of several metrics what they share. */
  readonly leaf: string;
}

/** One panel a quantity, in the order in which they were logged first. */
export function userPanels(series: readonly SeriesWire[], context: Context): Panel[] {
  const measured = measuredOf(series);
  const charts = paired(measured);
  const colors = prefixColors(charts);
  const alone = new Set(measured.map(({ metric }) => metric));
  return charts.map((chart) => {
    const [first] = chart.metrics as [Measured];
    if (chart.metrics.length > 1) return pairPanel(chart, colors, alone, context);
    const own = [...first.series].sort(compareOwners);
    const title = titled(definedTitle(own) ?? titleOf(own[0] as SeriesWire), own, context);
    const lines = entityLines(own, context);
    return panelOf(title, own, lines, context, headOf(first.metric));
  });
}

/** What the user wants a chart to be called: what all its metrics are, or the only one. */
function definedTitle(series: readonly SeriesWire[]): string | undefined {
  const titles = new Set(series.map(({ labels }) => labels["defined.title"]));
  return titles.size === 1 ? [...titles][0] : undefined;
}

function measuredOf(series: readonly SeriesWire[]): Measured[] {
  const found = new Map<string, SeriesWire[]>();
  for (const one of series) {
    const key = `${entityClass(one.entity)}\n${one.metric}`;
    const own = found.get(key);
    if (own) own.push(one);
    else found.set(key, [one]);
  }
  return [...found.values()].map((own) => {
    const [first] = own as [SeriesWire];
    const { metric } = first;
    // Ranks and hosts are lines already: with pairs of them nobody could tell which is whose.
    if (own.length > 1) return { metric, series: own, owner: null, parts: null };
    return { metric, series: own, owner: ownerKey(first), parts: partsOf(metric) };
  });
}

/** Metrics of one owner that are one quantity stand together, in the place of their first. */
function paired(measured: readonly Measured[]): Chart[] {
  const keys = new Map(measured.map((one) => [one, keyOf(one)]));
  joinBare(measured, keys);
  const found = new Map<string, Measured[]>();
  for (const [one, key] of keys) {
    const own = found.get(key);
    if (own) own.push(one);
    else found.set(key, [one]);
  }
  return [...found.values()].flatMap((metrics) => {
    // Too many to be told apart have a chart each.
    if (metrics.length > MOST_LINES) return metrics.map((one) => ({ metrics: [one], leaf: "" }));
    return [{ metrics, leaf: metrics.length > 1 ? leafOf(metrics) : "" }];
  });
}

/** What metrics of one chart share; a key of its own for what stands alone. */
function keyOf(one: Measured): string {
  const { parts } = one;
  return parts ? shared(one, parts.leaf, parts.style) : shared(one, one.metric, "");
}

function shared({ owner, series: [first] }: Measured, leaf: string, style: string): string {
  const { entity = "", unit, kind } = first ?? {};
  return [owner ?? `of ${entityClass(entity)}`, unit, kind, style, leaf].join("\n");
}

/** `loss` beside `val_loss` is that of the training, which Keras and others write without a word. */
function joinBare(measured: readonly Measured[], keys: Map<Measured, string>): void {
  const beside = new Map<string, { key: string; trained: boolean }>();
  for (const [one, key] of keys) {
    const { parts } = one;
    const color = parts ? PART_COLORS.get(parts.prefix.toLowerCase()) : undefined;
    if (!parts || color === undefined) continue;
    const bare = shared(one, parts.leaf, "");
    const before = beside.get(bare);
    beside.set(bare, { key, trained: color === 0 || (before?.trained ?? false) });
  }
  for (const one of measured) {
    const pair = beside.get(keys.get(one) as string);
    // A metric that is called as a part is called would be taken for that part.
    if (pair && !pair.trained && !PART_COLORS.has(one.metric.toLowerCase()))
      keys.set(one, pair.key);
  }
}

function leafOf(metrics: readonly Measured[]): string {
  return metrics.find(({ parts }) => parts !== null)?.parts?.leaf ?? "";
}

/** Prefixes that are no part of the data, numbered in the order in which they came. */
function prefixColors(charts: readonly Chart[]): Map<string, number> {
  const colors = new Map<string, number>();
  for (const { metrics } of charts) {
    if (metrics.length < 2) continue;
    for (const { parts } of metrics) {
      const prefix = parts?.prefix ?? "";
      const part = PART_COLORS.get(prefix.toLowerCase());
      if (part === undefined && prefix && !colors.has(prefix)) {
        colors.set(prefix, OTHER_COLORS + colors.size);
      }
    }
  }
  return colors;
}

function pairPanel(
  { metrics, leaf }: Chart,
  colors: ReadonlyMap<string, number>,
  alone: ReadonlySet<string>,
  context: Context,
): Panel {
  const series = metrics.map((one) => one.series[0] as SeriesWire);
  const taken = new Set<number>();
  const lines = metrics.map(({ metric, parts }, i): Line => {
    const prefix = parts?.prefix ?? "";
    // Without a word for its part it is that of the training, and is called as it was logged.
    let color = PART_COLORS.get(prefix.toLowerCase()) ?? colors.get(prefix) ?? 0;
    while (taken.has(color)) color++;
    taken.add(color);
    const own = series[i] as SeriesWire;
    return {
      key: lineKey(own),
      label: prefix || metric,
      id: own.id,
      color,
      series: own,
      named: false,
    };
  });
  lines.sort((a, b) => a.color - b.color);
  const words = lines.map(({ label }) => label);
  const bare = alone.has(leaf) && !metrics.some(({ metric }) => metric === leaf);
  const said = definedTitle(series);
  const title = titled(said ?? (bare ? `${leaf} (${words.join(", ")})` : leaf), series, context);
  const prefix =
    headOf(leaf) || (words.length > 3 ? `${words[0]}, …, ${words.at(-1)}` : words.join(", "));
  return panelOf(title, series, lines, context, prefix);
}
