/**
 * Parquet files that another program wrote with the columns of a recording: in any order, of any
 * type that holds the values, without any of our keys; as `pulse_widgets/storage/foreign.py` reads
 * them. All rows are read at once, so such a file must not be large.
 */

import type { CachedFile, Range } from "./cache";
import { byKey, decodeCatalog, textOf } from "./catalog";
import { type Columns, inOrder, isRising, type SeriesKey } from "./columns";
import { valuesOf, wantedColumns } from "./foreign-types";
import { objectOf, parseJson, sentencesOf } from "./json";
import { MOST_FOREIGN, MOST_FOREIGN_ROWS, MOST_UNPACKED } from "./limits";
import { HeldRows, type HeldSeries } from "./memory";
import { isKnownCodec } from "./parquet/codecs";
import { type Rows, readRows } from "./parquet/column";
import { crc32 } from "./parquet/crc";
import { DamageError } from "./parquet/damage";
import type { Chunk, Footer } from "./parquet/footer";
import { RecordingError } from "./place";
import { decodeRun } from "./run";
import type { Run, Stored } from "./stored";
import { Turns } from "./turns";

const KEYS = ["host", "entity", "metric"] as const;
const REST = ["value", "step", "text"];
/** Rows that are sorted into their series before the page gets its turn. */
const AT_ONCE = 20_000;

/** The rows of one series as they come. */
interface Growing {
  readonly key: SeriesKey;
  readonly time: number[];
  readonly value: number[];
  readonly missing: number[];
  readonly step: number[];
  readonly texts: string[];
}

/** @throws RecordingError when it is too large, or its columns cannot be those of a recording. */
export async function readForeign(
  file: CachedFile,
  footer: Footer,
  sums: Uint32Array | null,
): Promise<Stored> {
  const { name, size } = file;
  const columns = wantedColumns(footer.leaves, name);
  if (size > MOST_FOREIGN || footer.rows > MOST_FOREIGN_ROWS) {
    throw new RecordingError(
      "too large",
      `${name} was written by another program, and has more than ` +
        `${MOST_FOREIGN >> 20} MB or ${MOST_FOREIGN_ROWS.toLocaleString("en")} rows`,
      "Open it in a notebook: pw.replay(path).",
    );
  }
  const series = new Map<string, Growing>();
  const turns = new Turns();
  let lost = 0;
  for (const [number, group] of footer.groups.entries()) {
    const chunks = new Map(
      [...columns].map(([column, place]) => [column, group.chunks[place] as Chunk]),
    );
    checkChunks([...chunks.values()], name);
    const held = await file.hold([...chunks.values()].map(({ begin, end }): Range => [begin, end]));
    const read = (column: string): Rows | null => {
      const chunk = chunks.get(column);
      if (!chunk || group.rows === 0) return null;
      const bytes = held.bytes(chunk.begin, chunk.end);
      const place = number * footer.leaves.length + (columns.get(column) as number);
      if (sums && crc32(bytes) !== sums[place]) {
        throw new DamageError("a row group does not match its checksums");
      }
      const rows = readRows((begin, end) => held.bytes(begin, end), chunk, null, 0, group.rows);
      if (rows.lost) throw new DamageError(`its column ${column} is damaged`);
      return rows;
    };
    const ours = (column: string, rows: Rows | null) =>
      rows && valuesOf(column, rows, (chunks.get(column) as Chunk).leaf);
    const keys = [...KEYS, "time"].map((column) => ours(column, read(column)));
    await turns.next();
    let rest: (Rows | null)[] | null = null;
    try {
      rest = REST.map(read);
    } catch (problem) {
      if (!(problem instanceof DamageError)) throw problem;
      lost += group.rows;
    }
    // What has no place in a recording is no damage: then the file is none.
    const values = rest?.map((rows, place) => ours(REST[place] as string, rows));
    if (values) await sortIn(series, group.rows, [...keys, ...values], turns);
  }
  return storedOf(file, footer, [...series.values()], lost);
}

function checkChunks(chunks: readonly Chunk[], name: string): void {
  if (chunks.reduce((sum, { unpacked }) => sum + unpacked, 0) > MOST_UNPACKED) {
    throw new RecordingError(
      "too large",
      `${name} has a row group that unpacks to more than ${MOST_UNPACKED >> 20} MB`,
      "Open it in a notebook: pw.replay(path).",
    );
  }
  if (chunks.some(({ codec }) => !isKnownCodec(codec))) {
    throw new RecordingError(
      "foreign",
      `${name} is packed with Brotli, which is not read here`,
      "Open it in a notebook: pw.replay(path). Or write it with ZSTD.",
    );
  }
}

/** Put the rows of a row group into their series. */
async function sortIn(
  series: Map<string, Growing>,
  rows: number,
  [host, entity, metric, time, value, step, text]: readonly (Rows | null)[],
  turns: Turns,
): Promise<void> {
  const words = new Map<Uint8Array | null, string>([[null, ""]]);
  const word = (column: Rows | null | undefined, row: number): string => {
    const bytes = column?.texts[row] ?? null;
    let known = words.get(bytes);
    if (known === undefined) {
      known = textOf(bytes as Uint8Array);
      words.set(bytes, known);
    }
    return known;
  };
  for (let row = 0; row < rows; row++) {
    const key = {
      host: word(host, row),
      entity: word(entity, row),
      metric: word(metric, row),
    };
    const name = `${key.host}\0${key.entity}\0${key.metric}`;
    let one = series.get(name);
    if (!one) {
      one = { key, time: [], value: [], missing: [], step: [], texts: [] };
      series.set(name, one);
    }
    one.time.push(time?.numbers[row] as number);
    one.value.push(value?.numbers[row] ?? Number.NaN);
    one.missing.push(value ? (value.absent?.[row] ?? 0) : 1);
    one.step.push(step?.absent?.[row] ? Number.NaN : (step?.numbers[row] ?? Number.NaN));
    one.texts.push(word(text, row));
    if (row % AT_ONCE === 0) await turns.next();
  }
}

function storedOf(
  file: CachedFile,
  { marks, leaves }: Footer,
  series: readonly Growing[],
  lost: number,
): Stored {
  const held = [...series].sort((a, b) => byKey(a.key, b.key)).map(finished);
  const start = held.reduce(
    (least, { columns }) => Math.min(least, columns.time[0] as number),
    Infinity,
  );
  const mark = marks.get("pulse.run");
  const run: Run = mark
    ? decodeRun(mark, file.name)
    : { id: file.name, start: Number.isFinite(start) ? start : 0, about: {} };
  const zoned = leaves.find(({ path: [name] }) => name === "time")?.zoned ?? true;
  const what = lost === 1 ? "row is" : "rows are";
  const problems = [
    ...sentencesOf(run.about["problems"]),
    ...(lost > 0 ? [`${lost} ${what} damaged in ${file.name} and left out`] : []),
    ...(zoned ? [] : [`The times in ${file.name} have no zone: taken as UTC`]),
  ];
  const keys = held.map(({ key }) => key);
  const catalog = decodeCatalog(withoutNumbers(marks.get("pulse.catalog")), keys);
  const about = { name: file.name, bytes: file.size, run, catalog, problems, running: false };
  return new HeldRows(about, held);
}

function finished({ key, time, value, missing, step, texts }: Growing): HeldSeries {
  const columns: Columns = {
    time: Float64Array.from(time),
    value: Float64Array.from(value),
    missing: missing.includes(1) ? Uint8Array.from(missing) : null,
    step: step.some((one) => !Number.isNaN(one)) ? Float64Array.from(step) : null,
    texts,
  };
  return { key, columns: isRising(columns.time) ? columns : inOrder(columns) };
}

/** A catalog without facts by series number: in a copied catalog they may be wrong. */
function withoutNumbers(mark: Uint8Array | undefined): Uint8Array {
  const { series: _, ...rest } = mark ? objectOf(parseJson(mark)) : {};
  return new TextEncoder().encode(JSON.stringify(rest));
}
