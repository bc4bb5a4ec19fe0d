/**
 * Which series a saved picture shows first. The dashboard has room for everything; a picture has
 * room for a dozen charts. The twin of `pulse_widgets/exchange/picture/wishes.py`, which
 * has the lists.
 */

import { groupOf, type Named, USER_GROUP } from "../charts/panel-table";
import { CATALOG } from "../vocabulary/catalog.gen";
import { entityClass } from "../vocabulary/entities";
import {
  CORE,
  FIGURES,
  LIMIT_OF,
  MOST_LINES,
  OWN_FIRST,
  PREFERRED_CHARTS,
  RANK_OWN,
  RANK_REST,
  SINGLE,
  WHOLES,
} from "../vocabulary/shared.gen";

const PREFERRED = new Map(
  PREFERRED_CHARTS.flatMap(({ metrics }, place) => metrics.map((m) => [m, place])),
);
for (const [metric, place] of [...PREFERRED]) {
  const limit = LIMIT_OF[metric];
  if (limit) PREFERRED.set(limit, place);
}
const SHOWN_FIRST: ReadonlySet<string> = new Set(
  PREFERRED_CHARTS.flatMap(({ metrics, first }) => (first ? metrics : [])),
);
/** Metric to its place in the catalog. */
export const PLACES: ReadonlyMap<string, number> = new Map(
  Object.keys(CATALOG).map((metric, place) => [metric, place]),
);

/** A number of the user's, whatever its key is called. */
export function isOwn(one: Named): boolean {
  return isLogged(one) || !(one.metric in CATALOG);
}

/**
 * All series in groups, the most important for a saved output first.
 *
 * A group has one metric of one class of entities, and is kept or left out as a whole: a mean over
 * some of the GPUs is no mean of the GPUs. First the machine and the kernel, which take few series, and the user's
 * own numbers, which are nowhere else; then how the GPUs did; then the rest, the smallest groups
 * first.
 */
function ranked<T extends Named>(series: readonly T[]): { group: T[]; rank: number }[] {
  const groups = new Map<string, T[]>();
  for (const one of series) {
    const key = JSON.stringify([one.metric, entityClass(one.entity), isLogged(one)]);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  const all = [...groups.values()].map((group) => ({ group, rank: rankOf(group) }));
  all.sort((a, b) => compare(a.rank, b.rank));
  return all.map(({ group, rank: [rank = RANK_REST] }) => ({ group, rank }));
}

/**
 * All series in groups, and how many groups are seen first.
 *
 * First come what figures are made of, metrics of the user, and what else a picture shows first;
 * then the other metrics of the user, and the rest, of which there are few before many. The twin of `_in_order` in
 * `pulse_widgets/exchange/fitting.py`.
 */
export function inOrder<T extends Named>(series: readonly T[]): { groups: T[][]; first: number } {
  let own = 0;
  const placeOf = ({ 0: one, length }: T[], rank: number): number => {
    if (rank === RANK_OWN) return ++own <= OWN_FIRST ? 1 : 3;
    if (one && FIGURES.includes(one.metric) && !one.entity.startsWith(CORE)) return 0;
    if (rank < RANK_REST && one && SHOWN_FIRST.has(one.metric)) return 2;
    // What takes little room does not wait for what takes much.
    return length <= MOST_LINES ? 4 : 5;
  };
  const placed = ranked(series).map(({ group, rank }) => ({ group, place: placeOf(group, rank) }));
  placed.sort((a, b) => a.place - b.place);
  const first = placed.filter(({ place }) => place <= 2).length;
  return { groups: placed.map(({ group }) => group), first };
}

/** A number that the user logged; nothing else has it. */
export function isLogged(one: Named): boolean {
  return groupOf(one) === USER_GROUP;
}

function rankOf(group: readonly Named[]): readonly number[] {
  const one = group[0] as Named;
  if (isLogged(one)) return [RANK_OWN];
  const kind = entityClass(one.entity);
  const whole = WHOLES.includes(kind);
  const wished = PREFERRED.get(one.metric);
  if (whole && wished !== undefined) return [SINGLE.includes(kind) ? 0 : 2, wished];
  return [RANK_REST, group.length, whole ? 0 : 1, PLACES.get(one.metric) ?? -1];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const place = a.findIndex((part, i) => part !== b[i]);
  return place < 0 ? 0 : (a[place] as number) - (b[place] as number);
}
