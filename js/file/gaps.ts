/** Where the rows of a series break; as `series/gaps.py`, `series/rates.py` and `library/replay_rows.py` say. */

import { CATALOG } from "../core/vocabulary/catalog.gen";
import { isUsers } from "../core/vocabulary/entities";
import { kindStoredAs } from "../core/vocabulary/kinds";
import { type Columns, lowerBound } from "./columns";

const LEAST_SILENCE_US = 1_000_000;
/** A silence is longer than so many of the usual spacings. */
const MANY = 8;
/** This share of all spacings counts as usual in the whole series. */
const USUAL_PERCENT = 95;
/** So many spacings on each side say what is usual nearby. */
const NEAR = 8;
/** Of fewer spacings nobody can say what is usual. */
const LEAST_SPACINGS = 15;

const TOTAL = ".total";
/** Unit of a counter to that of its rate, where it is not the unit by the second. */
const RATE_UNITS: Readonly<Record<string, string>> = { J: "W", s: "1" };

/** What a recording says of a series. */
export interface SeriesInfo {
  readonly host: string;
  readonly entity: string;
  readonly metric: string;
  readonly unit: string;
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Begin and end of every silence. */
export type Spans = readonly (readonly [begin: number, end: number])[];

/** Name and unit of the rate that a series is shown as; null where it is shown as it is. */
export function rateOf(
  info: SeriesInfo,
): { readonly metric: string; readonly unit: string } | null {
  if (!kindStoredAs(info.kind).cumulative) return null;
  const { metric, unit, labels } = info;
  const name = metric.endsWith(TOTAL) ? metric.slice(0, -TOTAL.length) : metric;
  const rate = name !== metric && Object.hasOwn(CATALOG, name) ? CATALOG[name] : undefined;
  if (rate?.totalUnit !== undefined) return { metric: name, unit: rate.unit };
  if (name === metric || Object.hasOwn(CATALOG, metric)) return null;
  return { metric: name, unit: labels["rate_unit"] || (RATE_UNITS[unit] ?? `${unit}/s`) };
}

/** Whether rows come at a rate, so that a silence means that readings are missing. */
function isSampled({ kind, entity }: SeriesInfo): boolean {
  return kindStoredAs(kind).sampled && !isUsers(entity);
}

/** Begin and end of every silence in all rows of a series. */
export function silentSpans(info: SeriesInfo, { time, missing }: Columns): Spans {
  if (!isSampled(info) || time.length <= LEAST_SPACINGS) return [];
  const rows: number[] = [];
  const spacing = new Float64Array(time.length - 1);
  let longest = 0;
  for (let i = 0; i + 1 < time.length; i++) {
    if (missing?.[i]) continue;
    const one = (time[i + 1] as number) - (time[i] as number);
    spacing[rows.length] = one;
    rows.push(i);
    longest = Math.max(longest, one);
  }
  if (rows.length < LEAST_SPACINGS || longest <= LEAST_SILENCE_US) return [];
  const all = spacing.subarray(0, rows.length);
  const rank = Math.floor((USUAL_PERCENT * (all.length - 1)) / 100);
  // Rows nearly always come at an even pace, and seeing that is faster than sorting.
  let short = 0;
  for (const one of all) short += Number(one * MANY < longest);
  if (short <= rank) return [];
  const usual = all.slice().sort()[rank] as number;
  const found: (readonly [number, number])[] = [];
  for (let i = 0; i < all.length; i++) {
    const one = all[i] as number;
    if (!(one > Math.max(MANY * usual, LEAST_SILENCE_US))) continue;
    const near = Math.max(
      median(all.subarray(Math.max(0, i - NEAR), i)),
      median(all.subarray(i + 1, i + 1 + NEAR)),
    );
    const row = rows[i] as number;
    if (one > MANY * near) found.push([time[row] as number, time[row + 1] as number]);
  }
  return found;
}

/** Of an even number the smaller one in the middle; 0 of none. */
function median(some: Float64Array): number {
  return some.slice().sort()[Math.max(some.length - 1, 0) >> 1] ?? 0;
}

/** What is drawn of each row; NaN where nothing is known. */
export function shown(info: SeriesInfo, columns: Columns, silent: Spans): Float64Array {
  const { time, value } = columns;
  if (!rateOf(info)) return value.map((one) => (Number.isFinite(one) ? one : Number.NaN));
  const rates = new Float64Array(value.length).fill(Number.NaN);
  for (let i = 1; i < value.length; i++) {
    const change = (value[i] as number) - (value[i - 1] as number);
    const elapsed = ((time[i] as number) - (time[i - 1] as number)) / 1e6;
    // After a reset the true increase is unknowable; equal times have no rate at all.
    const rate = change >= 0 && elapsed > 0 ? change / elapsed : Number.NaN;
    if (Number.isFinite(rate)) rates[i] = rate;
  }
  // A rate across a silence is true of neither side of it, so it is left out.
  for (const [, end] of silent) {
    const row = lowerBound(time, end);
    if (row < rates.length) rates[row] = Number.NaN;
  }
  return rates;
}

/** Rows in display form. */
export interface Shown {
  readonly time: Float64Array;
  readonly value: Float64Array;
  readonly step: Float64Array | null;
}

/**
 * The rows with start <= time < end, and a row without a value wherever nothing is known.
 *
 * @param columns These rows and those just before them, if there are any.
 */
export function wholeRows(
  info: SeriesInfo,
  columns: Columns,
  silent: Spans,
  start: number,
  end: number,
): Shown {
  const within = silent.filter(([begin, until]) => begin < end && until > start);
  const value = shown(info, columns, within);
  const { time } = columns;
  const rated = rateOf(info) !== null;
  const [first, stop] = [lowerBound(time, start), lowerBound(time, end)];
  const breaks = new Set(
    within.map(([begin]) => Math.max(begin + 1, start)).filter((place) => place < end),
  );
  if (isUnknown(columns, value, first - 1, rated)) breaks.add(start);
  // The first reading of a counter has no rate, which does not mean that it is missing.
  const least = Number(rated);
  const [from, to] = [Math.max(first, least), Math.max(stop, least)];
  const rows: Shown = {
    time: time.subarray(from, to),
    value: value.subarray(from, to),
    step: columns.step?.subarray(from, to) ?? null,
  };
  return breaks.size > 0
    ? broken(
        rows,
        [...breaks].sort((a, b) => a - b),
      )
    : rows;
}

function isUnknown(columns: Columns, value: Float64Array, row: number, rated: boolean): boolean {
  if (row < 0) return false;
  // The first reading of a counter has no rate: the reading itself says if it is missing.
  const known = rated && row === 0 ? columns.value[row] : value[row];
  return !Number.isFinite(known);
}

/** Rows with one more, without a value, in front of those that are not earlier than each break. */
function broken({ time, value, step }: Shown, breaks: readonly number[]): Shown {
  const length = time.length + breaks.length;
  const made = {
    time: new Float64Array(length),
    value: new Float64Array(length).fill(Number.NaN),
    step: step && new Float64Array(length).fill(Number.NaN),
  };
  let [from, at] = [0, 0];
  for (const place of [...breaks, Infinity]) {
    const to = place === Infinity ? time.length : lowerBound(time, place);
    made.time.set(time.subarray(from, to), at);
    made.value.set(value.subarray(from, to), at);
    if (step) made.step?.set(step.subarray(from, to), at);
    at += to - from;
    from = to;
    if (place !== Infinity) made.time[at++] = place;
  }
  return made;
}
