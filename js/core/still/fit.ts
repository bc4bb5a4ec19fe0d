/**
 * A keyframe made coarser until it is small enough to be saved. The twin of `fit` in
 * `pulse_widgets/exchange/fitting.py`, for the pictures that the browser saves.
 */

import type { SeriesWire } from "../source";
import { globTest } from "../vocabulary/globs";
import { isDrawn } from "../vocabulary/kinds";
import { leftOutSource } from "../vocabulary/left-out";
import { type Owner, ownerKey } from "../vocabulary/owners";
import {
  CORE,
  CORE_COUNT,
  HEADER_BYTES,
  LEAST_BUCKETS,
  SERIES_FACTS,
  STRIP_METRICS,
} from "../vocabulary/shared.gen";
import { encodePacket } from "../wire/encode";
import { type Json, list, record } from "../wire/header";
import {
  CODE_MISSING,
  CODE_NONE,
  CODE_TOP,
  decodePacket,
  headerOf,
  type KeyframePacket,
} from "../wire/packet";
import { meanCode } from "../wire/parts";
import { grouped } from "./priorities";

/** The fixed part of a packet, and what pads its header. */
const FRAME_BYTES = 16 + 8;
/** What a header holds of its series, without any; that there are codes counts as overhead. */
const NO_SERIES = {
  ...{ series: [], entities: [], ids: [], lo: [], hi: [], last: [], stepped: [] },
  codes: undefined,
};

/**
 * A keyframe of at most `most` bytes.
 *
 * Buckets are put together first: the smallest and the largest value of both stay, and a gap as
 * long as a bucket stays a gap. Below 30 buckets series are left out instead: of a metric all that
 * one class of entities has, or none, so that counts and means stay true. Those that are missed
 * least go first, and the state says how many. Of the events the oldest go.
 */
export function fitKeyframe(bytes: Uint8Array, most: number): Uint8Array {
  if (bytes.length <= most) return bytes;
  const packet = decodePacket(bytes);
  if (packet.kind !== "keyframe") return bytes;
  const room = most - FRAME_BYTES;
  const header = shortened(headerOf(bytes).header, room);
  const all = affordable(packet, header, room);
  const whole = all.size === packet.series.length;
  const kept = whole ? all : affordable(packet, header, room - HEADER_BYTES);
  const rows = rowsOf(packet).filter((row) => kept.has(packet.ids[row] as number));
  const smaller = withSeries(header, packet, kept, rows);
  const stepped = packet.stepped.filter((id) => kept.has(id));
  const column = 8 + 6 * rows.length + 8 * stepped.length;
  const buckets = Math.floor((room - size(smaller) - 8) / column);
  return coarsened(packet, smaller, rows, Math.max(1, Math.min(packet.buckets, buckets)));
}

/** The part of a keyframe that is of some metrics, by patterns of their names; null is all. */
export function matchingKeyframe(bytes: Uint8Array, metrics: readonly string[] | null): Uint8Array {
  const packet = decodePacket(bytes);
  if (packet.kind !== "keyframe" || !metrics?.length) return bytes;
  const { header } = headerOf(bytes);
  const wanted = globTest(metrics);
  const shown = packet.series.filter((one) => !isDrawn(one) || wanted(one.metric));
  const kept = new Set(shown.map((one) => one.id));
  const rows = [...packet.ids.keys()].filter((row) => kept.has(packet.ids[row] as number));
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
  const rows = [...packet.ids.keys()].filter((row) => kept.has(packet.ids[row] as number));
  const { state = null } = header;
  const lean = { ...withSeries(header, packet, kept, rows), state, moments: [], spans: [] };
  return coarsened(packet, lean, rows, Math.min(packet.buckets, LEAST_BUCKETS));
}

function size(part: unknown): number {
  return new TextEncoder().encode(JSON.stringify(part)).length;
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
      left -= size(event) + 1;
      return left >= 0;
    })
    .reverse();
  const of = (sort: string) => kept.filter(({ key }) => key === sort).map(({ event }) => event);
  const short = { ...header, moments: of("moments"), spans: of("spans") };
  if (size({ ...short, ...NO_SERIES }) < room / 2) return short;
  const state = record(header["state"] ?? {}, "state");
  const sources = list(state["sources"] ?? [], "sources");
  const bare = sources.map((source) => ({ ...record(source, "source"), missing: [] }));
  return { ...short, state: { ...state, sources: bare } };
}

/**
 * The ids of the series there is room for at the least number of buckets. What finds no room is
 * passed over, and what is smaller may still find some.
 */
function affordable(packet: KeyframePacket, header: Json, room: number): Set<number> {
  const drawn = new Set(rowsOf(packet).map((row) => packet.ids[row] as number));
  const stepped = new Set(packet.stepped);
  const known = objectsOf(header, "entities").map((one) => [keyOf(one), escapedSize(one) + 1]);
  const sizes = new Map(known as [string, number][]);
  const about = new Map(objectsOf(header, "series").map((one) => [one["id"] as number, one]));
  const buckets = Math.min(LEAST_BUCKETS, packet.buckets);
  const cost = (id: number): number => {
    const curve = SERIES_FACTS + (stepped.has(id) ? 14 : 6) * buckets;
    return escapedSize(about.get(id)) + 1 + (drawn.has(id) ? curve : 0);
  };
  const sizeOf = (name: string): number => sizes.get(name) ?? 0;
  const named = machinesOf(packet.series);
  let left = room - size({ ...header, ...NO_SERIES }) - 8 * (buckets + 1);
  for (const name of named) left -= sizeOf(name);
  const kept = new Set<number>();
  for (const group of grouped(packet.series)) {
    const names = new Set(group.map(keyOf));
    const fresh = [...names].filter((name) => !named.has(name));
    const costs = [...group.map(({ id }) => cost(id)), ...fresh.map(sizeOf)];
    const after = costs.reduce((rest, one) => rest - one, left);
    if (after < 0) continue;
    left = after;
    for (const name of fresh) named.add(name);
    for (const { id } of group) kept.add(id);
  }
  return kept;
}

/** As the kernel writes it, a letter beyond ASCII as six: both must choose the same series. */
function escapedSize(part: unknown): number {
  const text = JSON.stringify(part);
  return text.length + 5 * text.replace(/[ -~]/g, "").length;
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
    entities: objectsOf(header, "entities").filter((one) => there.has(keyOf(one))),
    ids: rows.map((row) => packet.ids[row]),
    lo: rows.map((row) => packet.lo[row]),
    hi: rows.map((row) => packet.hi[row]),
    ...(packet.last ? { last: rows.map((row) => packet.last?.[row]) } : {}),
    stepped: packet.stepped.filter((id) => kept.has(id)),
  };
  const left = all.length - series.length;
  return left === 0 ? reduced : { ...reduced, state: withLeftOut(reduced, left) };
}

function withLeftOut(header: Json, left: number): Json {
  const state = record(header["state"] ?? {}, "state");
  const recorded = Boolean(record(state["recording"] ?? {}, "recording")["path"]);
  const notice = leftOutSource(left, recorded);
  return { ...state, sources: [...list(state["sources"] ?? [], "sources"), notice] };
}

/**
 * The packet with as many old buckets in each new one as can be, so finer towards the end.
 * Of means each weighs as long as its bucket lasts: how many values it is of is not known here.
 */
function coarsened(
  packet: KeyframePacket,
  header: Json,
  rows: readonly number[],
  buckets: number,
): Uint8Array<ArrayBuffer> {
  const have = packet.buckets;
  const first = Array.from({ length: buckets + 1 }, (_, i) =>
    Math.floor((i * have) / Math.max(buckets, 1)),
  );
  const codes = [0, 0, 0].map(() => new Uint16Array(rows.length * buckets)) as Codes;
  for (const [at, row] of rows.entries()) {
    const into = codes.map((all) => all.subarray(at * buckets, (at + 1) * buckets)) as Codes;
    putTogether(packet, row, first, into);
  }
  const edges = Float64Array.from(first, (edge) => packet.edges[edge] as number);
  const steps = lastSteps(packet, header["stepped"] as readonly number[], first);
  const told = { ...header, buckets, codes: ["min", "max", "mean"] };
  return encodePacket(told, [edges, steps, ...codes]);
}

type Codes = [min: Uint16Array, max: Uint16Array, mean: Uint16Array];

/** Put the buckets from each of `first` up to the next together. */
function putTogether(
  packet: KeyframePacket,
  row: number,
  first: readonly number[],
  [min, max, mean]: Codes,
): void {
  const { buckets: have, edges } = packet;
  let missing = false;
  for (let bucket = 0; bucket + 1 < first.length; bucket++) {
    let [low, high, gap, total, seconds] = [CODE_NONE, -1, false, 0, 0];
    for (let i = first[bucket] as number; i < (first[bucket + 1] as number); i++) {
      const code = packet.min[row * have + i] as number;
      // A gap lasts until the next sample, also over buckets in which no reading was due.
      if (code !== CODE_NONE) missing = code === CODE_MISSING;
      gap ||= missing;
      if (code > CODE_TOP) continue;
      low = Math.min(low, code);
      high = Math.max(high, packet.max[row * have + i] as number);
      const middle = meanCode(packet, row * have + i);
      const lasts = (edges[i + 1] as number) - (edges[i] as number);
      // Values of which the mean is not known are in no mean of all.
      total += middle > CODE_TOP ? Number.NaN : middle * lasts;
      seconds += lasts;
    }
    const none = gap ? CODE_MISSING : CODE_NONE;
    min[bucket] = high < 0 ? none : low;
    max[bucket] = high < 0 ? none : high;
    const middle = Math.min(Math.max(Math.round(total / seconds), low), high);
    mean[bucket] = high < 0 ? none : Number.isNaN(middle) ? CODE_NONE : middle;
  }
}

function lastSteps(
  { stepped, stepLast, buckets: have }: KeyframePacket,
  kept: readonly number[],
  first: readonly number[],
): Float64Array {
  return Float64Array.from(
    kept.flatMap((id) => {
      const row = stepped.indexOf(id);
      const steps = stepLast.subarray(row * have, (row + 1) * have);
      return first.slice(0, -1).map((from, bucket) => {
        const own = steps.subarray(from, first[bucket + 1]);
        return own.findLast((step) => !Number.isNaN(step)) ?? Number.NaN;
      });
    }),
  );
}
