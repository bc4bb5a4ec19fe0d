/** A small Parquet file of which all bytes are at hand. */

import { type Rows, readRows } from "./column";
import { DamageError } from "./damage";
import { type Footer, type FooterLimits, MAGIC, readFooter, TAIL } from "./footer";

/** The length of a footer, from the end of a file of `size` bytes. */
export function footerLength(end: Uint8Array, size: number, most: number): number {
  const view = new DataView(end.buffer, end.byteOffset, end.byteLength);
  if (end.length < TAIL || view.getUint32(end.length - 4, true) !== MAGIC) {
    throw new DamageError("it is not a Parquet file, or was cut off");
  }
  const length = view.getUint32(end.length - TAIL, true);
  if (length > Math.min(most, size - TAIL - 4)) {
    throw new DamageError("its footer is larger than any footer");
  }
  return length;
}

export interface Table {
  readonly footer: Footer;
  /** A column by its name, all rows of it. */
  column(name: string): Rows;
}

/** @throws DamageError when it is damaged, or larger than it may be. */
export function readTable(content: Uint8Array, limits: FooterLimits): Table {
  const length = footerLength(content, content.length, content.length);
  const end = content.length - TAIL;
  const footer = readFooter(content.subarray(end - length, end), content.length, limits);
  if (footer.groups.length > 1) throw new DamageError("a table in it has several row groups");
  return { footer, column: (name) => whole(content, footer, name) };
}

function whole(content: Uint8Array, footer: Footer, name: string): Rows {
  const place = footer.leaves.findIndex(({ path }) => path.length === 1 && path[0] === name);
  if (place < 0) throw new DamageError(`a table in it has no column ${name}`);
  const [group] = footer.groups;
  const nothing = { numbers: new Float64Array(0), texts: [], absent: null, lost: null };
  const chunk = group?.chunks[place];
  if (!group || !chunk || group.rows === 0) return nothing;
  const rows = readRows((begin, end) => content.subarray(begin, end), chunk, null, 0, group.rows);
  if (rows.lost || rows.absent) throw new DamageError("a table in it is damaged");
  return rows;
}
