/** The types that the columns of a foreign file may have, and their values as ours. */

import type { Rows } from "./parquet/column";
import { DamageError } from "./parquet/damage";
import { bigAt } from "./parquet/fixed";
import { BYTE_ARRAY, FIXED, INT64, INT96, type Leaf } from "./parquet/footer";
import { RecordingError } from "./place";

const REQUIRED = ["host", "entity", "metric", "time"];
const OPTIONAL = ["value", "step", "text"];
const WANTED: Readonly<Record<string, string>> = {
  host: "text",
  entity: "text",
  metric: "text",
  text: "text",
  time: "timestamp, or int64 for microseconds",
  step: "a number",
  value: "a number",
};

const MOST_WHOLE = 2 ** 63;

/**
 * Where the columns of a recording stand.
 *
 * @throws RecordingError when they are not there, or are of other types.
 */
export function wantedColumns(leaves: readonly Leaf[], name: string): Map<string, number> {
  const tops = leaves.map(({ path }) => path[0] as string);
  const absent = REQUIRED.filter((column) => !tops.includes(column));
  if (absent.length > 0) {
    throw notOurs(
      name,
      `a recording has the columns ${REQUIRED.join(", ")} and value; ` +
        `this table has no ${absent.join(", no ")}`,
    );
  }
  const found = new Map<string, number>();
  for (const column of [...REQUIRED, ...OPTIONAL]) {
    const places = tops.flatMap((top, place) => (top === column ? [place] : []));
    if (places.length > 1) throw notOurs(name, `it has several columns ${column}`);
    const [place] = places;
    const leaf = leaves[place ?? -1];
    if (place === undefined || !leaf || leaf.type === "null") continue;
    if (!fits(column, leaf)) {
      throw notOurs(name, `its column ${column} is not ${WANTED[column]}`);
    }
    found.set(column, place);
  }
  const lacking = REQUIRED.filter((column) => !found.has(column));
  if (lacking.length > 0) throw notOurs(name, `its column ${lacking[0]} holds nothing`);
  return found;
}

function notOurs(name: string, why: string): RecordingError {
  return new RecordingError(
    "foreign",
    `${name} cannot be shown as a recording: ${why}`,
    "Another viewer for Parquet files may show it.",
  );
}

function fits(column: string, { path, kind, type, repeated, defined, width }: Leaf): boolean {
  if (path.length > 1 || repeated > 0 || defined > 1) return false;
  if (column === "time") {
    return type === "timestamp" || kind === INT96 || (kind === INT64 && type === "plain");
  }
  if (column === "value" || column === "step") {
    if (kind === BYTE_ARRAY) return type === "decimal";
    if (kind === FIXED) return type === "decimal" || (type === "float16" && width === 2);
    const isNumber = type === "plain" || type === "unsigned" || type === "decimal";
    return isNumber && kind !== INT96 && (kind !== 0 || column === "value");
  }
  return kind === BYTE_ARRAY && (type === "text" || type === "plain");
}

/**
 * The values of a column as ours.
 *
 * @throws DamageError when they cannot be.
 */
export function valuesOf(column: string, rows: Rows, leaf: Leaf): Rows {
  if (REQUIRED.includes(column) && rows.absent) {
    throw new DamageError(`its column ${column} is NULL in some rows`);
  }
  if (column === "time") return { ...rows, numbers: timesOf(rows, leaf) };
  if (column === "value") return { ...rows, numbers: numbersOf(rows, leaf) };
  if (column !== "step") return rows;
  const numbers = numbersOf(rows, leaf);
  // A table with a missing step often has floats, and NaN where there is none.
  const isWhole = numbers.every(
    (one) => Number.isNaN(one) || (Number.isInteger(one) && Math.abs(one) < MOST_WHOLE),
  );
  if (!isWhole) throw new DamageError("its steps are not whole numbers");
  return { ...rows, numbers };
}

function timesOf({ numbers }: Rows, { kind, ticks }: Leaf): Float64Array {
  const times = kind === INT96 || ticks === 1 ? numbers : numbers.map((one) => one * ticks);
  if (!times.every(Number.isSafeInteger)) throw new DamageError("its times are out of range");
  return times;
}

function numbersOf({ numbers, texts, absent }: Rows, { kind, type, scale }: Leaf): Float64Array {
  if (type !== "decimal") return numbers;
  const unit = 10 ** scale;
  if (kind !== BYTE_ARRAY) return numbers.map((one) => one / unit);
  return Float64Array.from(texts, (bytes, row) => {
    if (bytes === null || absent?.[row]) return Number.NaN;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return bigAt(view, 0, bytes.length) / unit;
  });
}
