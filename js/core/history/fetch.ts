/** Where the values of a chart come from: `Source.range`, by time or by step. */

import type { Columns, Source } from "../source";

export type Fetch = (id: number, from: number, to: number, points: number, out: Columns) => void;

/** Values by wall time. */
export function byTime(source: Source): Fetch {
  return (id, from, to, points, out) => source.range(id, from, to, points, out);
}

/** Values by step, of the newest run or of another; only series that carry steps have any. */
export function byStep(source: Source, run?: number): Fetch {
  return (id, from, to, points, out) => {
    out.length = 0;
    source.rangeByStep?.(id, from, to, points, out, run);
  };
}
