/**
 * A keyframe made coarser until it is small enough to be saved. The twin of `fit` in
 * `pulse_widgets/exchange/fitting.py`, for the pictures that the browser saves.
 */

import type { SeriesWire } from "../source";
import { globTest } from "../vocabulary/globs";
import { isDrawn } from "../vocabulary/kinds";
import { leftOutEvents, leftOutSource } from "../vocabulary/left-out";
import { type Owner, ownerKey } from "../vocabulary/owners";
import {
  ALL_WITH,
  CORE,
  CORE_COUNT,
  DETAILS,
  LEAST_BUCKETS,
  STRIP_METRICS,
} from "../vocabulary/shared.gen";
import { type Json, list, record } from "../wire/header";
import { CODE_NONE, decodePacket, headerOf, type KeyframePacket } from "../wire/packet";
import { coarsened, type Detail, Detailed } from "./detail";
import { inOrder } from "./priorities";
import { whatFits } from "./search";
import { sizeOf } from "./text";

/** What a header holds of its series, without any. */
const NO_SERIES = { series: [], entities: [], ids: [], lo: [], hi: [], last: [], stepped: [] };

/**
 * A keyframe of at most `most` bytes.
 *
 * The series that are seen first keep at least 200 buckets as long as they find room, see `inOrder`;
 * of the others there are fewer, and of all the values are told more coarsely. Then the others are
 * left out, last of all the first: of a metric all that one class of entities has, or none, so that
 * counts and means stay true; of what does not fit alone, none. The state says how many. Of the
 * events the oldest go. What fits is found by trying, since it depends on the values.
 */
export function fitKeyframe(bytes: Uint8Array, most: number): Uint8Array {
  if (bytes.length <= most) return bytes;
  const packet = decodePacket(bytes);
  if (packet.kind !== "keyframe") return bytes;
  const header = shortened(headerOf(bytes).header, most);
  const { groups, first } = inOrder(packet.series);
  const ids = groups.map((group) => group.map(({ id }) => id));
  const seen = new Set(ids.slice(0, first).flat());
  const drawn = new Set(rowsOf(packet).map((row) => packet.ids[row] as number));
  const shown = details.map((detail) => new Detailed(packet, seen, detail));
  const tried = (some: readonly number[], detail: number): Uint8Array => {
    const kept = new Set(some);
    const rows = rowsIn(packet, (id) => kept.has(id) && drawn.has(id));
    return (shown[detail] as Detailed).packet(withSeries(header, packet, kept, rows), rows);
  };
  // The packet that is returned is one of those that were tried.
  const fitting = new Map<string, Uint8Array>();
  const size = (some: readonly number[], detail: number): number => {
    const made = tried(some, detail);
    if (made.length <= most) fitting.set(`${detail} ${some}`, made);
    return made.length;
  };
  const limits = { first, withAll: ALL_WITH, details: details.length };
  const fit = whatFits(ids, most, limits, size);
  return fitting.get(`${fit.detail} ${fit.ids}`) ?? tried(fit.ids, fit.detail);
}

const details = Array.from(
  { length: DETAILS.length / 4 },
  (_, i) => DETAILS.slice(4 * i, 4 * i + 4) as unknown as Detail,
);

function rowsIn({ ids }: KeyframePacket, wanted: (id: number) => boolean): number[] {
  return [...ids.keys()].filter((row) => wanted(ids[row] as number));
}

/** The part of a keyframe that is of some metrics, by patterns of their names; null is all. */
export function matchingKeyframe(bytes: Uint8Array, metrics: readonly string[] | null): Uint8Array {
  const packet = decodePacket(bytes);
  if (packet.kind !== "keyframe" || !metrics?.length) return bytes;
  const { header } = headerOf(bytes);
  const wanted = globTest(metrics);
  const shown = packet.series.filter((one) => !isDrawn(one) || wanted(one.metric));
  const kept = new Set(shown.map((one) => one.id));
  const rows = rowsIn(packet, (id) => kept.has(id));
  // Series that were not selected do not count as left out.
  const selected = { ...withSeries(header, packet, kept, rows), state: header["state"] ?? null };
  return coarsened(packet, selected, rows, packet.buckets);
}

/** The series that figures are made of. Single cores are counted, where nothing says how many. */
export function stripSeries(series: readonly SeriesWire[]): SeriesWire[] {
  const counted = series.filter(({ metric }) => metric === CORE_COUNT).map(({ host }) => host);
  const core = ({ host, entity }: SeriesWire) => entity.startsWith(CORE) && counted.includes(host);
  return series.filter((one) => STRIP_METRICS.includes(one.metric) && !core(one));
}

/** The part of a keyframe that a strip shows: figures, and hardly any past. */
export function stripKeyframe(bytes: Uint8Array): Uint8Array {
  const packet = decodePacket(bytes);
  if (packet.kind !== "keyframe") return bytes;
  const { header } = headerOf(bytes);
  const kept = new Set(stripSeries(packet.series).map(({ id }) => id));
  const rows = rowsIn(packet, (id) => kept.has(id));
  const { state = null } = header;
  const lean = {
    ...withSeries(header, packet, kept, rows),
    state,
    moments: [],
    spans: [],
    odd: [],
  };
  return coarsened(packet, lean, rows, Math.min(packet.buckets, LEAST_BUCKETS));
}

/** The rows of series that have a value, or a reading that is missing. */
function rowsOf({ ids, min, buckets }: KeyframePacket): number[] {
  const hasValue = (row: number) =>
    min.subarray(row * buckets, (row + 1) * buckets).some((code) => code !== CODE_NONE);
  return ids.map((_, row) => row).filter(hasValue);
}

/** The header without its oldest events, and without texts that leave no room for the curves. */
function shortened(header: Json, room: number): Json {
  let left = room / 8;
  const newest = (key: string, time: string) => {
    const all = list(header[key] ?? [], key).map((one) => record(one, key));
    return all.map((event) => ({ key, time: event[time] as number, event }));
  };
  const events = [...newest("moments", "time"), ...newest("spans", "start")];
  const kept = events
    .sort((a, b) => b.time - a.time)
    .filter(({ event }) => {
      left -= sizeOf(event) + 1;
      return left >= 0;
    })
    .reverse();
  const of = (sort: string) => kept.filter(({ key }) => key === sort).map(({ event }) => event);
  const state = kept.length < events.length ? withEventsLeftOut(header) : header["state"];
  const short: Json = {
    ...{ ...header, moments: of("moments"), spans: of("spans"), state: state ?? null },
    ...(header["odd"] ? { odd: newestOdd(objectsOf(header, "odd"), room / 16) } : {}),
  };
  if (sizeOf({ ...short, ...NO_SERIES }) < room / 2) return short;
  return { ...short, state: withoutReasons(record(state ?? {}, "state")) };
}

/** The newest odd values, as many as there is room for. */
function newestOdd(odd: readonly Json[], room: number): Json[] {
  let left = Math.floor(room);
  const first = odd.findLastIndex((one) => {
    left -= sizeOf(one) + 1;
    return left < 0;
  });
  return odd.slice(first + 1);
}

/** The state without what could not be read, which may be a lot. */
function withoutReasons(state: Json): Json {
  const sources = list(state["sources"] ?? [], "sources");
  const bare = sources.map((source) => ({ ...record(source, "source"), missing: [] }));
  return { ...state, sources: bare };
}

function objectsOf(header: Json, key: string): Json[] {
  return list(header[key] ?? [], key).map((one) => record(one, key));
}

function keyOf(one: Json | Owner): string {
  return ownerKey(one as Owner);
}

/** The machines of some series, which are called by their labels. */
function machinesOf(series: readonly (Json | Owner)[]): Set<string> {
  return new Set(series.map((one) => ownerKey({ host: (one as Owner).host, entity: "host" })));
}

/** The header of some of its series; where others were left out the state says so. */
function withSeries(
  header: Json,
  packet: KeyframePacket,
  kept: ReadonlySet<number>,
  rows: readonly number[],
): Json {
  const all = objectsOf(header, "series");
  const series = all.filter((one) => kept.has(one["id"] as number));
  const there = new Set([...machinesOf(series), ...series.map(keyOf)]);
  const reduced = {
    ...header,
    series,
    ...(header["odd"]
      ? { odd: objectsOf(header, "odd").filter((one) => kept.has(one["series"] as number)) }
      : {}),
    entities: objectsOf(header, "entities").filter((one) => there.has(keyOf(one))),
    ids: rows.map((row) => packet.ids[row]),
    lo: rows.map((row) => packet.lo[row]),
    hi: rows.map((row) => packet.hi[row]),
    ...(packet.last ? { last: rows.map((row) => packet.last?.[row]) } : {}),
    stepped: packet.stepped.filter((id) => kept.has(id)),
    ...(packet.grains ? { grains: rows.map((row) => packet.grains?.[row]) } : {}),
  };
  const left = all.length - series.length;
  return left === 0 ? reduced : { ...reduced, state: withLeftOut(reduced, left) };
}

/** The state that says, once, that the oldest events were left out. */
function withEventsLeftOut(header: Json): Json {
  const state = record(header["state"] ?? {}, "state");
  const sources = list(state["sources"] ?? [], "sources").map((one) => record(one, "source"));
  const notice = leftOutEvents(isRecorded(state));
  if (sources.some(({ problem }) => problem === notice.problem)) return state;
  return { ...state, sources: [...sources, notice] };
}

function isRecorded(state: Json): boolean {
  return Boolean(record(state["recording"] ?? {}, "recording")["path"]);
}

function withLeftOut(header: Json, left: number): Json {
  const state = record(header["state"] ?? {}, "state");
  const notice = leftOutSource(left, isRecorded(state));
  return { ...state, sources: [...list(state["sources"] ?? [], "sources"), notice] };
}
