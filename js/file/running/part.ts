/** A part: a Parquet file of the same columns as a finished recording, without its run. */
import type { Columns } from "../columns";
import type { SeriesInfo } from "../gaps";
import type { RandomAccess } from "../place";

export interface Part {
  readonly infos: readonly SeriesInfo[];
  readonly rows: readonly (readonly [SeriesInfo, Columns])[];
  readonly problems: readonly string[];
}
export declare function readPart(
  file: RandomAccess,
  called: string,
  wantsText: (info: SeriesInfo) => boolean,
): Promise<Part>;
