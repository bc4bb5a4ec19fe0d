/** Builds grids of samples, for tests. */

import { type Fetch, Grid } from "../history/grid";
import type { Columns } from "../source";

export type Sample = readonly [time: number, value: number];

export type Item = readonly [time: number, min: number, mean: number, max: number, same?: number];

export function put(out: Columns, items: readonly Item[]): void {
  out.length = items.length;
  out.time = Float64Array.from(items, ([time]) => time);
  out.min = Float64Array.from(items, ([, min]) => min);
  out.mean = Float64Array.from(items, ([, , mean]) => mean);
  out.max = Float64Array.from(items, ([, , , max]) => max);
  out.same = Uint8Array.from(items, ([, , , , same = 0]) => same);
}

/** A grid of one line of items, as a source may hand them over. */
export function gridOf(
  items: readonly Item[],
  range: readonly [number, number],
  stepped = false,
): Grid {
  const grid = new Grid();
  grid.fill((_id, _from, _to, _points, out) => put(out, items), [0], range, 50, stepped);
  return grid;
}

/** Every sample as a place of its own; the grid has to put them into buckets. */
export function fetchOf(lines: readonly (readonly Sample[])[]): Fetch {
  return (id, from, to, _points, out) => {
    const line = lines[id] ?? [];
    const before = line.filter(([time]) => time < from).slice(-1);
    const inside = line.filter(([time]) => time >= from && time <= to);
    const after = line.filter(([time]) => time > to).slice(0, 1);
    put(
      out,
      [...before, ...inside, ...after].map(([time, value]) => [time, value, value, value] as const),
    );
  };
}

export function filled(
  lines: readonly (readonly Sample[])[],
  range: readonly [number, number] = [0, 100],
  points = 50,
  stepped = false,
): Grid {
  const grid = new Grid();
  const ids = lines.map((_, id) => id);
  grid.fill(fetchOf(lines), ids, range, points, stepped);
  return grid;
}

export function numbers(ys: Float64Array | undefined): number[] {
  return [...(ys ?? [])].filter((y) => Number.isFinite(y));
}
