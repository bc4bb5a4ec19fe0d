/**
 * What the footer of a Parquet file says, looked at before anything is believed: it must fit the
 * file and itself. As `pulse_widgets/storage/parquet/footer.py` does.
 */

import { DamageError } from "./damage";
import * as fields from "./fields";
import { decode, type Struct, type Value } from "./thrift";

export const MAGIC = 0x31524150;
/** Bytes behind the footer: its length and the magic number. */
export const TAIL = 8;

export const INT32 = 1;
export const INT64 = 2;
export const INT96 = 3;
export const FLOAT = 4;
export const DOUBLE = 5;
export const BYTE_ARRAY = 6;
export const FIXED = 7;
/** Bytes of a value by its physical type: boolean, int32, int64, int96, float, double. */
const WIDTHS = [1, 4, 8, 12, 4, 8, 0];

const MOST_CODEC = 7;
const LZO = 3;
const REPEATED = 2;
const DEEPEST = 32;
const MOST_WIDTH = 1 << 20;

/** Bounds for what a footer may say. */
export interface FooterLimits {
  readonly groupRows: number;
  readonly groupBytes: number;
}

/** A column as the schema has it. */
export interface Leaf {
  /** Its name, below the names of the groups that it is in. */
  readonly path: readonly string[];
  readonly kind: number;
  /** Bytes of a value; 0 where that varies. */
  readonly width: number;
  /** Greatest definition and repetition level. */
  readonly defined: number;
  readonly repeated: number;
  readonly element: Struct;
}

export interface Chunk {
  readonly leaf: Leaf;
  readonly codec: number;
  readonly encodings: readonly number[];
  /** First byte, and the one behind the last. */
  readonly begin: number;
  readonly end: number;
  /** Where the data pages begin. */
  readonly pages: number;
  readonly unpacked: number;
  readonly rows: number;
  /** How many NULL there are, where that is told. */
  readonly nulls: number | null;
  /** Least and greatest value as the statistics have them. */
  readonly least: Uint8Array | null;
  readonly most: Uint8Array | null;
  /** Where the page index lies: `[begin, end]`. */
  readonly offsets: readonly [number, number] | null;
  readonly bounds: readonly [number, number] | null;
}

export interface Group {
  readonly rows: number;
  readonly chunks: readonly Chunk[];
}

export interface Footer {
  readonly leaves: readonly Leaf[];
  readonly groups: readonly Group[];
  readonly rows: number;
  /** Keys and values, of several of one key the last. */
  readonly marks: ReadonlyMap<string, Uint8Array>;
}

/**
 * Read a footer, given without its length and magic number.
 *
 * @param size Of the file.
 * @throws DamageError when it does not fit the file or itself, or says more than any recording has.
 */
export function readFooter(content: Uint8Array, size: number, limits: FooterLimits): Footer {
  const { struct: tree, length } = decode(content);
  if (length !== content.length) throw new DamageError("its footer is longer than what it says");
  if (fields.ENCRYPTED.some((field) => tree.has(field))) throw new DamageError("it is encrypted");
  const leaves = leavesOf(tree);
  const groups = structs(tree, fields.GROUPS).map((group) => groupOf(group, leaves, limits));
  const rows = number(tree, fields.ROWS);
  if (groups.reduce((sum, group) => sum + group.rows, 0) !== rows) {
    throw new DamageError("its footer counts other rows than its row groups");
  }
  checkExtents(groups, size - TAIL - content.length);
  return { leaves, groups, rows, marks: marksOf(tree) };
}

function marksOf(tree: Struct): Map<string, Uint8Array> {
  const decoder = new TextDecoder();
  return new Map(
    structs(tree, fields.MARKS).map((mark) => [
      decoder.decode(bytes(mark, fields.MARK_KEY)),
      (mark.get(fields.MARK_VALUE) as Uint8Array | undefined) ?? new Uint8Array(0),
    ]),
  );
}

function leavesOf(tree: Struct): Leaf[] {
  const [root, ...elements] = structs(tree, fields.SCHEMA);
  if (!root) throw new DamageError("its footer has no schema");
  const decoder = new TextDecoder();
  const above = [
    { left: number(root, fields.CHILDREN), path: [] as string[], defined: 0, repeated: 0 },
  ];
  const leaves: Leaf[] = [];
  for (const element of elements) {
    while (above.at(-1)?.left === 0) above.pop();
    const parent = above.at(-1);
    if (!parent || above.length > DEEPEST) {
      throw new DamageError("its schema is not a tree, or deeper than any");
    }
    parent.left--;
    const path = [...parent.path, decoder.decode(bytes(element, fields.NAME))];
    const repetition = number(element, fields.REPETITION, REPEATED);
    const defined = parent.defined + Number(repetition > 0);
    const repeated = parent.repeated + Number(repetition === REPEATED);
    const left = element.has(fields.CHILDREN) ? number(element, fields.CHILDREN) : 0;
    if (left > 0) {
      above.push({ left, path, defined, repeated });
      continue;
    }
    const kind = number(element, fields.KIND, FIXED);
    const width =
      kind === FIXED ? number(element, fields.WIDTH, MOST_WIDTH) : (WIDTHS[kind] as number);
    leaves.push({ path, kind, width, defined, repeated, element });
  }
  if (above.some(({ left }) => left > 0)) throw new DamageError("its schema is not complete");
  return leaves;
}

function groupOf(group: Struct, leaves: readonly Leaf[], limits: FooterLimits): Group {
  const rows = number(group, fields.GROUP_ROWS);
  if (rows > limits.groupRows) throw larger();
  number(group, fields.GROUP_BYTES);
  const columns = structs(group, fields.COLUMNS);
  if (columns.length !== leaves.length) {
    throw new DamageError("a row group has other columns than the schema");
  }
  const chunks = columns.map((column, place) => chunkOf(column, leaves[place] as Leaf, rows));
  if (chunks.reduce((sum, { unpacked }) => sum + unpacked, 0) > limits.groupBytes) throw larger();
  return { rows, chunks };
}

function larger(): DamageError {
  return new DamageError("it has a row group larger than any row group");
}

function chunkOf(column: Struct, leaf: Leaf, rows: number): Chunk {
  const about = column.get(fields.CHUNK) as Struct | undefined;
  if (!about || fields.ELSEWHERE.some((field) => column.has(field))) {
    throw new DamageError("a column lies in another file, or is encrypted");
  }
  const path = ((about.get(fields.PATH) ?? []) as Value[]).map((part) =>
    new TextDecoder().decode(part as Uint8Array),
  );
  if (number(about, fields.CHUNK_KIND) !== leaf.kind || path.join("\0") !== leaf.path.join("\0")) {
    throw new DamageError("a column chunk is of another column than the schema says");
  }
  const codec = number(about, fields.CODEC);
  if (codec > MOST_CODEC || codec === LZO) {
    throw new DamageError("a column is packed in a way that is not known");
  }
  const values = number(about, fields.VALUES);
  if (leaf.repeated === 0 && values !== rows) {
    throw new DamageError("a column has other rows than its row group");
  }
  const pages = number(about, fields.PAGES);
  const words = about.has(fields.WORDS) ? number(about, fields.WORDS) : 0;
  const begin = words > 0 && words < pages ? words : pages;
  const { least, most, nulls } = statistics(about, leaf);
  return {
    leaf,
    codec,
    encodings: ((about.get(fields.ENCODINGS) ?? []) as Value[]).map(Number),
    begin,
    end: begin + number(about, fields.PACKED),
    pages,
    unpacked: number(about, fields.UNPACKED),
    rows,
    nulls,
    least,
    most,
    offsets: stretch(column, fields.OFFSETS_PLACE, fields.OFFSETS_LENGTH),
    bounds: stretch(column, fields.BOUNDS_PLACE, fields.BOUNDS_LENGTH),
  };
}

function stretch(column: Struct, place: number, length: number): [number, number] | null {
  if (!column.has(place) || !column.has(length)) return null;
  const begin = number(column, place);
  return [begin, begin + number(column, length)];
}

function statistics(about: Struct, leaf: Leaf): Pick<Chunk, "least" | "most" | "nulls"> {
  const held = about.get(fields.STATISTICS) as Struct | undefined;
  const bound = (...names: number[]) => {
    const found = names.map((name) => held?.get(name)).find((each) => each !== undefined);
    const value = found as Uint8Array | undefined;
    if (value && leaf.width > 0 && value.length !== leaf.width) {
      throw new DamageError("a statistic of a column is no value of it");
    }
    return value ?? null;
  };
  return {
    least: bound(fields.LEAST, fields.OLD_LEAST),
    most: bound(fields.MOST, fields.OLD_MOST),
    nulls: (held?.get(fields.NULLS) as number | undefined) ?? null,
  };
}

/** Column chunks share no byte, so that no file unpacks to more than its length allows. */
function checkExtents(groups: readonly Group[], end: number): void {
  const extents = groups
    .flatMap(({ rows, chunks }) => (rows > 0 ? chunks : []))
    .filter((chunk) => chunk.begin < chunk.end)
    .sort((a, b) => a.begin - b.begin);
  let last = 4;
  for (const chunk of extents) {
    if (chunk.begin < last) throw new DamageError("two columns lie at one place");
    last = chunk.end;
  }
  if (last > end) throw new DamageError("a column lies outside the file, or in its footer");
}

function number(of: Struct, field: number, most = Number.MAX_SAFE_INTEGER): number {
  const found = of.get(field);
  if (typeof found !== "number" || !(found >= 0 && found <= most)) {
    throw new DamageError("its footer lacks a number, or has one that cannot be");
  }
  return found;
}

function bytes(of: Struct, field: number): Uint8Array {
  const found = of.get(field);
  if (!(found instanceof Uint8Array)) throw new DamageError("its footer lacks a text");
  return found;
}

function structs(of: Struct, field: number): Struct[] {
  const found = (of.get(field) ?? []) as Value[];
  if (!found.every((each) => each instanceof Map)) {
    throw new DamageError("its footer has a list that cannot be");
  }
  return found as Struct[];
}
