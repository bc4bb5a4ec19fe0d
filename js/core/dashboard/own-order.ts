/** Which of the user's own charts are shown, in which order and under which headings. Pure. */

import type { Panel } from "../charts/groups";
import { globTest } from "../vocabulary/globs";

/** So many charts are shown at a time. */
export const PAGE = 24;

/** Headings that are not the beginning of a name. */
const PINNED = "Pinned";
const REST = "Others";

export interface Placed {
  readonly panel: Panel;
  /** What it stands under; null where no heading is needed. */
  readonly heading: string | null;
}

/** The panels that are searched for: by a part of a name, or by a pattern of the whole of it. */
export function matching(panels: readonly Panel[], text: string): readonly Panel[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return panels;
  const test = /[*?]/.test(wanted) ? globTest([wanted]) : (name: string) => name.includes(wanted);
  return panels.filter(({ title, lines }) => {
    return test(title.toLowerCase()) || lines.some((one) => test(one.series.metric.toLowerCase()));
  });
}

/**
 * Pinned ones first, in the order in which they were pinned; then what begins alike together, all
 * in the order in which they came. A beginning that only one chart has is no heading.
 */
export function ordered(panels: readonly Panel[], pinned: readonly string[]): Placed[] {
  const rank = new Map(pinned.map((metric, i) => [metric, i]));
  const place = ({ lines }: Panel) =>
    Math.min(...lines.map(({ series }) => rank.get(series.metric) ?? Number.POSITIVE_INFINITY));
  const first: [Panel, number][] = [];
  const others: Panel[] = [];
  for (const panel of panels) {
    const at = rank.size > 0 ? place(panel) : Number.POSITIVE_INFINITY;
    if (Number.isFinite(at)) first.push([panel, at]);
    else others.push(panel);
  }
  first.sort(([, a], [, b]) => a - b);
  const blocks = blocksOf(others, panels);
  const headed = blocks.size + Number(first.length > 0) > 1;
  return [
    ...first.map(([panel]) => ({ panel, heading: headed ? PINNED : null })),
    ...[...blocks].flatMap(([prefix, own], i) => {
      const title = prefix || (i === 0 && first.length === 0 ? null : REST);
      return own.map((panel) => ({ panel, heading: headed ? title : null }));
    }),
  ];
}

/** By what the names begin with; under an empty name those that begin like no other of `all`. */
function blocksOf(panels: readonly Panel[], all: readonly Panel[]): Map<string, Panel[]> {
  const counts = new Map<string, number>();
  for (const { prefix = "" } of all) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  const blocks = new Map<string, Panel[]>();
  for (const panel of panels) {
    const { prefix = "" } = panel;
    const key = (counts.get(prefix) ?? 0) > 1 ? prefix : "";
    const own = blocks.get(key);
    if (own) own.push(panel);
    else blocks.set(key, [panel]);
  }
  return blocks;
}

/** How many stand under each heading in turn. */
export function runsOf(placed: readonly Placed[]): number[] {
  const runs: number[] = [];
  for (const [i, { heading }] of placed.entries()) {
    if (i > 0 && heading === placed[i - 1]?.heading) runs.push((runs.pop() ?? 0) + 1);
    else runs.push(1);
  }
  return runs;
}

export function isPinned({ lines }: Panel, pinned: readonly string[]): boolean {
  return lines.some(({ series }) => pinned.includes(series.metric));
}

/** The names to keep in front after a press of a panel's pin. */
export function toggledPin(panel: Panel, pinned: readonly string[]): string[] {
  const own = new Set(panel.lines.map(({ series }) => series.metric));
  const left = pinned.filter((metric) => !own.has(metric));
  const [first] = own;
  return left.length < pinned.length || first === undefined ? left : [...left, first];
}
