/** A part: a Parquet file of the same columns as a finished recording, without its run. */

import { memoryFile } from "../access";
import { CachedFile } from "../cache";
import type { Columns } from "../columns";
import type { SeriesInfo } from "../gaps";
import { TAIL_BYTES } from "../limits";
import { finishedIn } from "../open";
import type { RandomAccess } from "../place";

export interface Part {
  /** In the order in which they appeared. */
  readonly infos: readonly SeriesInfo[];
  readonly rows: readonly (readonly [SeriesInfo, Columns])[];
  readonly problems: readonly string[];
}

/** More than whatever is read of a directory. */
const MOST_PART = 2 ** 28;
const NO_RUN = { id: "", start: 0, about: {} };

/**
 * All rows of a part.
 *
 * @throws Error when it cannot be read as one.
 */
export async function readPart(
  file: RandomAccess,
  called: string,
  wantsText: (info: SeriesInfo) => boolean,
): Promise<Part> {
  // All of it is wanted, so it comes in one request.
  const whole = memoryFile(called, await file.tail(MOST_PART));
  const cached = await CachedFile.open(whole, TAIL_BYTES);
  const stored = await finishedIn(cached, NO_RUN);
  const { infos, appeared } = stored.catalog;
  const place = ({ metric }: SeriesInfo) => appeared.get(metric) ?? appeared.size;
  const isWordy = infos.map(wantsText);
  const rows: (readonly [SeriesInfo, Columns])[] = [];
  const add = (number: number, columns: Columns) => {
    rows.push([infos[number] as SeriesInfo, columns]);
  };
  const numbers = infos.map((_, number) => number);
  await stored.read(
    numbers.filter((number) => !isWordy[number]),
    {},
    add,
  );
  await stored.read(
    numbers.filter((number) => isWordy[number]),
    { texts: true },
    add,
  );
  return {
    infos: [...infos].sort((a, b) => place(a) - place(b)),
    rows,
    problems: stored.problems,
  };
}
