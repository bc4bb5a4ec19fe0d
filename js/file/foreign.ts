/**
 * Parquet files that another program wrote with the columns of a recording: in any order, of any
 * type that holds the values, without any of our keys; as `pulse_widgets/storage/foreign.py` reads
 * them. All rows are read at once, so such a file must not be large.
 */

import type { CachedFile, Range } from "./cache";
import { decodeCatalog } from "./catalog";
import { checkTexts, counted, ForeignRows, type Read, tooLarge } from "./foreign-rows";
import { valuesOf, wantedColumns } from "./foreign-types";
import { sentencesOf } from "./json";
import { FOREIGN, type ForeignLimits, MOST_UNPACKED } from "./limits";
import { HeldRows, type HeldSeries } from "./memory";
import { isKnownCodec } from "./parquet/codecs";
import { type Rows, readAllRows } from "./parquet/column";
import { crc32 } from "./parquet/crc";
import { DamageError } from "./parquet/damage";
import type { Chunk, Footer } from "./parquet/footer";
import { keepOnce } from "./parquet/texts";
import { RecordingError } from "./place";
import { decodeRun } from "./run";
import type { Run, Stored } from "./stored";
import { Turns } from "./turns";

const KEYS = ["host", "entity", "metric", "time"] as const;
const REST = ["value", "step", "text"] as const;
const NOTHING_TOLD = new TextEncoder().encode("{}");
type Column = (typeof KEYS)[number] | (typeof REST)[number];

/** @throws RecordingError when it is too large, or its columns cannot be those of a recording. */
export async function readForeign(
  file: CachedFile,
  footer: Footer,
  sums: Uint32Array | null,
  limits: ForeignLimits = FOREIGN,
): Promise<Stored> {
  const { name, size } = file;
  const columns = wantedColumns(footer.leaves, name);
  if (size > limits.bytes) throw tooLarge(name, `${limits.bytes >> 20} MB`);
  if (footer.rows > limits.rows) throw tooLarge(name, counted(limits.rows, "rows"));
  const turns = new Turns();
  const all = new ForeignRows(name, limits, turns);
  let lost = 0;
  for (const [number, group] of footer.groups.entries()) {
    const chunks = new Map(
      [...columns].map(([column, place]) => [column, group.chunks[place] as Chunk]),
    );
    checkChunks([...chunks.values()], name);
    const held = await file.hold([...chunks.values()].map(({ begin, end }): Range => [begin, end]));
    const bytesOf = (begin: number, end: number) => held.bytes(begin, end);
    const read = async (column: Column): Promise<Rows | null> => {
      const chunk = chunks.get(column);
      if (!chunk || group.rows === 0) return null;
      const place = number * footer.leaves.length + (columns.get(column) as number);
      if (sums && crc32(bytesOf(chunk.begin, chunk.end)) !== sums[place]) {
        throw new DamageError("a row group does not match its checksums");
      }
      let [texts, textBytes] = [0, 0];
      const keep = keepOnce((bytes) => {
        texts++;
        textBytes += bytes;
        checkTexts(name, texts, textBytes, limits);
      });
      const rows = await readAllRows(bytesOf, chunk, keep, () => turns.next());
      if (rows.lost) throw new DamageError(`its column ${column} is damaged`);
      return rows;
    };
    const made: Record<Column, Rows | null> = {
      host: null,
      entity: null,
      metric: null,
      time: null,
      value: null,
      step: null,
      text: null,
    };
    // What has no place in a recording is no damage: then the file is none.
    const ours = async (column: Column) => {
      const rows = made[column];
      made[column] = rows && valuesOf(column, rows, (chunks.get(column) as Chunk).leaf);
      await turns.next();
    };
    for (const column of KEYS) {
      made[column] = await read(column);
      await ours(column);
    }
    try {
      for (const column of REST) made[column] = await read(column);
    } catch (problem) {
      if (!(problem instanceof DamageError)) throw problem;
      lost += group.rows;
      continue;
    }
    for (const column of REST) await ours(column);
    await all.add(group.rows, made satisfies Read);
  }
  return storedOf(file, footer, { held: await all.finished(), metrics: all.metrics() }, lost);
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

function storedOf(
  file: CachedFile,
  { marks, leaves }: Footer,
  { held, metrics }: { readonly held: HeldSeries[]; readonly metrics: string[] },
  lost: number,
): Stored {
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
  // What it says by the numbers of series may be wrong in a catalog that was copied.
  const told = decodeCatalog(marks.get("pulse.catalog") ?? NOTHING_TOLD, keys, false);
  const order = [...new Set([...told.appeared.keys(), ...metrics])];
  const catalog = { ...told, appeared: new Map(order.map((metric, place) => [metric, place])) };
  const about = { name: file.name, bytes: file.size, run, catalog, problems, running: false };
  return new HeldRows(about, held);
}
