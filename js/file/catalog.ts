/** Where in a file each series lies, and what each series is; as `pulse_widgets/storage/index.py`. */

import { CATALOG, KINDS } from "../core/vocabulary/catalog.gen";
import type { SeriesKey } from "./columns";
import type { SeriesInfo } from "./gaps";
import { isObject, type Json, membersOf, objectOf, parseJson, record, wordsOf } from "./json";
import { MOST_ENTRIES, MOST_INDEX } from "./limits";
import { DamageError } from "./parquet/damage";
import type { Group } from "./parquet/footer";
import { integerOf } from "./parquet/pages";
import { readTable } from "./parquet/table";

/** Consecutive rows of one series in one row group. */
export interface Entry {
  readonly key: SeriesKey;
  readonly group: number;
  readonly first: number;
  readonly rows: number;
  readonly start: number;
  readonly end: number;
  /** Whether there is anything in the column of texts. */
  readonly texts: boolean;
}

const KEYS = ["host", "entity", "metric"] as const;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

export function textOf(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new DamageError("a text in it is not UTF-8");
  }
}

/** @throws DamageError when the index is damaged. */
export function decodeIndex(mark: Uint8Array): Entry[] {
  const table = readTable(unbase64(mark, MOST_INDEX), {
    groupRows: MOST_ENTRIES,
    groupBytes: 8 * MOST_INDEX,
  });
  const rows = table.footer.rows;
  const known = new Map<Uint8Array, string>();
  const names = KEYS.map((name) =>
    table.column(name).texts.map((bytes) => {
      // A word of a dictionary stands in many rows, and is decoded once.
      let word = known.get(bytes as Uint8Array);
      if (word === undefined) {
        word = textOf(bytes as Uint8Array);
        known.set(bytes as Uint8Array, word);
      }
      return word;
    }),
  ) as [string[], string[], string[]];
  const [group, first, count, start, end, texts] = [
    "row_group",
    "first_row",
    "rows",
    "start",
    "end",
    "text_bytes",
  ].map((name) => table.column(name).numbers) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const entries: Entry[] = [];
  let key: SeriesKey | null = null;
  for (let i = 0; i < rows; i++) {
    const [host, entity, metric] = names.map((words) => words[i]) as [string, string, string];
    if (!key || key.metric !== metric || key.entity !== entity || key.host !== host) {
      key = { host, entity, metric };
    }
    entries.push({
      key,
      group: group[i] as number,
      first: first[i] as number,
      rows: count[i] as number,
      start: start[i] as number,
      end: end[i] as number,
      texts: (texts[i] as number) > 0,
    });
  }
  return entries;
}

export function unbase64(text: Uint8Array, most: number): Uint8Array {
  if (text.length > (most * 4) / 3) throw new DamageError("a part of the footer is too large");
  let letters = "";
  for (let at = 0; at < text.length; at += 8192) {
    letters += String.fromCharCode(...text.subarray(at, at + 8192));
  }
  try {
    return Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
  } catch {
    throw new DamageError("a part of the footer is not base64");
  }
}

/** Why an index cannot be that of the file; empty when it can. */
export function indexProblem(entries: readonly Entry[], groups: readonly Group[]): string {
  let at = 0;
  for (const [number, group] of groups.entries()) {
    const held: Entry[] = [];
    for (; entries[at]?.group === number; at++) held.push(entries[at] as Entry);
    if (held.length === 0) return "the index does not cover the whole file";
    let filled = 0;
    for (const { first, rows } of held) {
      if (first !== filled || rows < 1) return "the index does not cover the rows in order";
      filled += rows;
    }
    if (filled !== group.rows) return "the index names other rows than there are";
    if (!agrees(held, group)) return "the index names other series or times than the row groups";
  }
  return at === entries.length ? "" : "the index does not cover the whole file";
}

function agrees(held: readonly Entry[], { chunks }: Group): boolean {
  for (const [place, name] of KEYS.entries()) {
    const { least, most } = chunks[place] ?? {};
    if (!least || !most) continue;
    const words = held.map(({ key }) => key[name]).sort(byBytes);
    // Writers may cut long words in statistics, so only their beginnings are compared.
    const begins = (word: string | undefined, bound: Uint8Array) =>
      word?.startsWith(new TextDecoder().decode(bound)) ?? false;
    if (!begins(words[0], least) || !begins(words.at(-1), most)) return false;
  }
  let [first, last] = [Infinity, -Infinity];
  for (const { start, end } of held) {
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start <= end)) return false;
    [first, last] = [Math.min(first, start), Math.max(last, end)];
  }
  const { least, most } = chunks[3] ?? {};
  return !least || !most || (integerOf(least) === first && integerOf(most) === last);
}

const SURROGATE = /[\ud800-\udfff]/;

/** Texts in the order of their UTF-8 bytes, which is that of their letters and not of UTF-16. */
function byBytes(one: string, other: string): number {
  if (one === other) return 0;
  if (!SURROGATE.test(one) && !SURROGATE.test(other)) return one < other ? -1 : 1;
  const [a, b] = [[...one], [...other]];
  const place = a.findIndex((letter, i) => letter !== b[i]);
  if (place < 0) return -1;
  return ((a[place] as string).codePointAt(0) ?? 0) - (b[place]?.codePointAt(0) ?? -1);
}

/** Keys in the order of the file. */
export function byKey(a: SeriesKey, b: SeriesKey): number {
  return byBytes(a.host, b.host) || byBytes(a.entity, b.entity) || byBytes(a.metric, b.metric);
}

/** What the series, entities and hosts of a recording are. */
export interface Catalog {
  /** One a series, in the order of the file. */
  readonly infos: readonly SeriesInfo[];
  /** Metrics in the order in which they first appeared, as far as it is known. */
  readonly appeared: ReadonlyMap<string, number>;
  /** Host to entity to labels. */
  readonly entities: Readonly<
    Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>
  >;
  readonly hosts: Readonly<Record<string, Json>>;
  /** What was too much to be written. */
  readonly leftOut: string;
}

/**
 * @param byNumber Whether what it says by the number of a series is believed.
 * @throws DamageError when the text is not JSON of an object.
 */
export function decodeCatalog(
  mark: Uint8Array,
  keys: readonly SeriesKey[],
  byNumber = true,
): Catalog {
  const content = parseJson(mark);
  if (!isObject(content)) throw new DamageError("the catalog is not an object");
  const [metrics, series] = [
    objectOf(content["metrics"]),
    byNumber ? objectOf(content["series"]) : {},
  ];
  const own = (of: Json, name: string) => (Object.hasOwn(of, name) ? of[name] : undefined);
  const entities = Object.entries(objectOf(content["entities"])).map(
    ([host, named]) =>
      [
        host,
        record(Object.entries(objectOf(named)).map(([name, labels]) => [name, wordsOf(labels)])),
      ] as const,
  );
  const hosts = Object.entries(objectOf(content["hosts"]));
  return {
    infos: keys.map((key, number) =>
      described(key, own(series, String(number)) ?? own(metrics, key.metric)),
    ),
    appeared: new Map(inOrder(metrics, mark).map((metric, place) => [metric, place])),
    entities: record(entities),
    hosts: record(hosts.map(([host, about]) => [host, objectOf(about)])),
    leftOut: String(content["left_out"] ?? ""),
  };
}

/**
 * The keys of the object of metrics as they stand in the text. JavaScript puts keys that are whole
 * numbers, which a user may well log, before all others.
 */
function inOrder(metrics: Json, mark: Uint8Array): string[] {
  const names = Object.keys(metrics);
  if (!names.some((name) => /^\d+$/.test(name))) return names;
  const told = membersOf(new TextDecoder().decode(mark)).get("metrics") ?? "{}";
  return [...membersOf(told).keys()].filter((name) => Object.hasOwn(metrics, name));
}

function described(key: SeriesKey, entry: unknown): SeriesInfo {
  if (!Array.isArray(entry) || entry.length < 2) return guess(key);
  return { ...key, unit: String(entry[0]), kind: String(entry[1]), labels: wordsOf(entry[2]) };
}

const TOTAL = ".total";

/** What the table of metrics says of a series whose own description is lost. */
export function guess(key: SeriesKey): SeriesInfo {
  const made = (unit: string, kind: string) => ({ ...key, unit, kind, labels: {} });
  const of = (name: string) => (Object.hasOwn(CATALOG, name) ? CATALOG[name] : undefined);
  const known = of(key.metric);
  if (known) return made(known.unit, KINDS[known.kind].stored);
  const rate = key.metric.endsWith(TOTAL) ? of(key.metric.slice(0, -TOTAL.length)) : undefined;
  if (rate?.totalUnit !== undefined) return made(rate.totalUnit, KINDS.counter.stored);
  return made("", KINDS.gauge.stored);
}
