/**
 * Packets from the kernel, a saved output or a page; `pulse_widgets/series/wire.py` writes them.
 *
 *   "PULS" | u16 major | u16 minor | u32 header bytes | u32 body bytes | header JSON | body
 *
 * Little endian. The header is padded with spaces to a multiple of 8. Both may be deflated: then
 * the header that stands there tells their sizes, and they are the body.
 */

import {
  type EntityWire,
  MOST_INFLATED,
  type MomentWire,
  type OddWire,
  type SeriesWire,
  type SpanWire,
  type TextLineWire,
} from "../header.gen";
import type { State } from "../state.gen";
import type { Envelope } from "./envelope";
import {
  count,
  finite,
  ids,
  type Json,
  list,
  readEntities,
  readLines,
  readMoments,
  readOdd,
  readSeries,
  readSpans,
  readState,
  record,
  WireError,
} from "./header";
import { upgraded } from "./older";
import { inflated, unpacked } from "./packing";

export const WIRE_VERSION: readonly [number, number] = [1, 2];

export { CODE_MISSING, CODE_NONE, CODE_TOP } from "./packing";

const PREFIX = 16;
const MAGIC = 0x534c5550;

/** Samples in order of arrival; value NaN is "missing from here", step NaN is "none". */
export interface Rows {
  readonly length: number;
  readonly time: Float64Array;
  readonly value: Float64Array;
  readonly step: Float64Array | null;
  readonly series: Int32Array;
}

interface News {
  readonly series: readonly SeriesWire[];
  readonly entities: readonly EntityWire[];
  readonly state: State | null;
  readonly moments: readonly MomentWire[];
  readonly spans: readonly SpanWire[];
  readonly lines: readonly TextLineWire[];
  /** Values that were logged and no axis has a place for; among the rows they are missing. */
  readonly odd: readonly OddWire[];
}

export interface FramePacket extends News {
  readonly kind: "frame";
  readonly seq: number;
  /** The series of which only the extremes were sent. */
  readonly reduced: readonly number[];
  readonly rows: Rows;
  /** So many lines were printed and are not in here, before those that are. */
  readonly linesLeftOut?: number | undefined;
}

/** Envelopes of the whole past: row k of `min` and `max` belongs to series `ids[k]`. */
export interface KeyframePacket extends News {
  readonly kind: "keyframe";
  /** The last frame whose samples are in here. */
  readonly seq: number;
  readonly buckets: number;
  readonly ids: readonly number[];
  readonly lo: readonly number[];
  readonly hi: readonly number[];
  readonly stepped: readonly number[];
  /** The exact last value of each series, null where it has none now; null where the packet does not tell. */
  readonly last: readonly (number | null)[] | null;
  /** buckets + 1 rising unix times. */
  readonly edges: Float64Array;
  readonly stepLast: Float64Array;
  readonly min: Uint16Array;
  readonly max: Uint16Array;
  /** Beyond `CODE_TOP` where it is not known; null in packets of older versions. */
  readonly mean: Uint16Array | null;
  /** How coarsely each series is told: its codes are multiples of this. Null is of 1. */
  readonly grains: readonly number[] | null;
}

/** Rows and envelopes, to stand instead of what is known of `ids` within [t0, t1]. */
export interface RowsPacket {
  readonly kind: "rows";
  readonly request: number;
  readonly ids: readonly number[];
  readonly t0: number;
  readonly t1: number;
  /** The series of which only the extremes were sent. */
  readonly reduced: readonly number[];
  readonly rows: Rows;
  readonly odd: readonly OddWire[];
  /** Of series with very many rows, in place of their rows; others have all their rows. */
  readonly envelopes: readonly { readonly id: number; readonly envelope: Envelope }[];
}

/** The newest lines of text of [t0, t1]. */
export interface LinesPacket {
  readonly kind: "lines";
  readonly request: number;
  readonly t0: number;
  readonly t1: number;
  /** Oldest first. */
  readonly lines: readonly TextLineWire[];
  /** There are older ones in [t0, t1]. */
  readonly more: boolean;
}

/** A kind that a newer minor version added. */
interface UnknownPacket {
  readonly kind: "unknown";
}

export type Packet = FramePacket | KeyframePacket | RowsPacket | LinesPacket | UnknownPacket;

/**
 * Decode one packet.
 *
 * @throws WireError when the bytes are not a whole packet of this major version, or a size in the
 * header does not agree with the bytes that follow.
 */
export function decodePacket(bytes: ArrayBuffer | ArrayBufferView): Packet {
  const { header, body: content, minor } = headerOf(aligned(bytes));
  const body = new Body(content, minor > WIRE_VERSION[1]);
  switch (header["kind"]) {
    case "frame":
      return frame(header, body);
    case "keyframe":
      return keyframe(header, body);
    case "rows":
      return rowsReply(header, body);
    case "lines":
      body.end();
      return linesReply(header);
    default:
      if (minor > WIRE_VERSION[1]) return { kind: "unknown" };
      throw new WireError(`a packet of unknown kind ${String(header["kind"])}`);
  }
}

/**
 * The header of a packet, in today's form, and its columns. They are a part of `packet` where it is
 * not deflated.
 *
 * @throws WireError when the bytes are not a whole packet of this major version.
 */
export function headerOf(packet: Uint8Array): { header: Json; body: Uint8Array; minor: number } {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (packet.length < PREFIX || view.getUint32(0, true) !== MAGIC) {
    throw new WireError("these bytes are not a Pulse packet");
  }
  const minor = view.getUint16(6, true);
  checkVersion(view.getUint16(4, true), minor);
  const bodyAt = PREFIX + view.getUint32(8, true);
  const end = bodyAt + view.getUint32(12, true);
  if (end !== packet.length || bodyAt % 8 !== 0) {
    throw new WireError(`a packet of ${end} bytes arrived with ${packet.length}`);
  }
  const header = parse(packet.subarray(PREFIX, bodyAt));
  const body = packet.subarray(bodyAt);
  if (header["deflated"] === undefined) return { header: upgraded(header), body, minor };
  const [text, columns] = sizesOf(header["deflated"]);
  const whole = inflated(body, text + columns);
  const inner = upgraded(parse(whole.subarray(0, text)));
  return { header: inner, body: whole.subarray(text), minor };
}

/** How many bytes the header and the columns of a deflated packet have. */
function sizesOf(raw: unknown): [number, number] {
  const sizes = ids(raw, "deflated");
  if (sizes.length !== 2) throw new WireError("a deflated packet needs two sizes");
  const [text, columns] = sizes as [number, number];
  if (text + columns > MOST_INFLATED) throw new WireError("a packet is too large");
  if (text % 8 !== 0) throw new WireError("the columns of a packet begin anywhere");
  return [text, columns];
}

/** Throw when the two ends cannot understand each other; the text says which one to upgrade. */
export function checkVersion(major: number, minor: number): void {
  const ours = WIRE_VERSION[0];
  if (major === ours) return;
  const older = major < ours ? "the kernel's" : "this page's";
  throw new WireError(
    `the kernel sends wire version ${major}.${minor}, this page reads ${ours}.x. ` +
      `Upgrade ${older} pulse_widgets: pip install -U pulse_widgets`,
  );
}

/** Buffers of a message start anywhere; typed arrays need multiples of 8. */
function aligned(bytes: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
}

function parse(bytes: Uint8Array): Json {
  try {
    return record(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), "header");
  } catch (problem) {
    if (problem instanceof WireError) throw problem;
    throw new WireError(`the header of a packet is damaged: ${String(problem)}`);
  }
}

/** Hands out the columns of a body one after another. */
class Body {
  readonly #bytes: Uint8Array;
  readonly #mayHaveMore: boolean;
  #at = 0;

  constructor(bytes: Uint8Array, mayHaveMore: boolean) {
    this.#bytes = bytes;
    this.#mayHaveMore = mayHaveMore;
  }

  f64(length: number): Float64Array {
    return new Float64Array(this.#bytes.buffer, this.#take(8 * length), length);
  }

  i32(length: number): Int32Array {
    return new Int32Array(this.#bytes.buffer, this.#take(4 * length), length);
  }

  u8(length: number): Uint8Array {
    const start = this.#take(length) - this.#bytes.byteOffset;
    return this.#bytes.subarray(start, start + length);
  }

  u16(length: number): Uint16Array {
    return new Uint16Array(this.#bytes.buffer, this.#take(2 * length), length);
  }

  rest(): Uint8Array {
    const start = this.#at;
    this.#at = this.#bytes.length;
    return this.#bytes.subarray(start);
  }

  end(): void {
    if (this.#at !== this.#bytes.length && !this.#mayHaveMore) {
      throw new WireError(`${this.#bytes.length - this.#at} bytes too many in a packet`);
    }
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (!(at + bytes <= this.#bytes.length)) {
      throw new WireError(`${at + bytes - this.#bytes.length} bytes too few in a packet`);
    }
    this.#at += bytes;
    return this.#bytes.byteOffset + at;
  }
}

function news(header: Json): News {
  return {
    series: readSeries(header["series"]),
    entities: readEntities(header["entities"]),
    state: header["state"] ? readState(header["state"]) : null,
    moments: readMoments(header["moments"]),
    spans: readSpans(header["spans"]),
    lines: readLines(header["lines"]),
    odd: readOdd(header["odd"]),
  };
}

/** `between` reads the columns that stand between those of 8 bytes and the others. */
function rows(header: Json, body: Body, between = () => {}): Rows {
  const length = count(header["n"], "n");
  const time = body.f64(length);
  if (!time.every(Number.isFinite)) throw new WireError("a row has no time");
  const value = body.f64(length);
  const step = header["steps"] === true ? body.f64(length) : null;
  between();
  const series = body.i32(length);
  return { length, time, value, step, series };
}

function frame(header: Json, body: Body): FramePacket {
  const seq = count(header["seq"], "seq");
  const reduced = ids(header["reduced"] ?? [], "reduced");
  const found = rows(header, body);
  body.end();
  const linesLeftOut = count(header["lines_left_out"] ?? 0, "lines left out") || undefined;
  return { kind: "frame", seq, reduced, ...news(header), rows: found, linesLeftOut };
}

function rowsReply(header: Json, body: Body): RowsPacket {
  return {
    kind: "rows",
    request: count(header["request"], "request"),
    ids: ids(header["ids"], "ids"),
    t0: finite(header["t0"], "t0"),
    t1: finite(header["t1"], "t1"),
    reduced: ids(header["reduced"] ?? [], "reduced"),
    odd: readOdd(header["odd"]),
    ...rowsAndEnvelopes(header, body),
  };
}

/** Times are rounded to the microsecond at the other end. */
const ROUNDED = 1e-3;

function linesReply(header: Json): LinesPacket {
  const { request, lines: raw, more } = header;
  const [t0, t1] = [finite(header["t0"], "t0"), finite(header["t1"], "t1")];
  const lines = readLines(list(raw, "lines"));
  const isRight = lines.every(({ time, text }, i) => {
    const before = lines[i - 1]?.time ?? t0 - ROUNDED;
    return time >= before && time <= t1 + ROUNDED && text === (raw as Json[])[i]?.["text"];
  });
  if (!isRight || typeof more !== "boolean") throw new WireError("an answer of lines is damaged");
  return { kind: "lines", request: count(request, "request"), t0, t1, lines, more };
}

function rowsAndEnvelopes(header: Json, body: Body): Pick<RowsPacket, "rows" | "envelopes"> {
  const { ids: raw = [], buckets: size = 0, stepped: some = [] } = told(header["envelopes"]);
  const [seriesIds, stepped] = [ids(raw, "ids"), ids(some, "stepped")];
  const buckets = count(size, "buckets");
  const [cells, none] = [seriesIds.length * buckets, new Float64Array(0)];
  const fine: Record<"edges" | "min" | "max" | "mean" | "steps", Float64Array> = {
    edges: none,
    min: none,
    max: none,
    mean: none,
    steps: none,
  };
  const found = rows(header, body, () => {
    if (seriesIds.length === 0) return;
    fine.edges = rising(body.f64(buckets + 1));
    [fine.min, fine.max, fine.mean] = [body.f64(cells), body.f64(cells), body.f64(cells)];
    fine.steps = body.f64(stepped.length * buckets);
  });
  const missing = body.u8(cells);
  body.end();
  const envelopes = seriesIds.map((id, row) => {
    const own = [row * buckets, (row + 1) * buckets] as const;
    const [min, max, mean] = [fine.min, fine.max, fine.mean].map((all) => all.subarray(...own)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const at = stepped.indexOf(id);
    const step = at < 0 ? null : fine.steps.subarray(at * buckets, (at + 1) * buckets);
    const { edges } = fine;
    return {
      id,
      envelope: { edges, min, max, mean, missing: missing.subarray(...own), step, slack: 0 },
    };
  });
  return { rows: found, envelopes };
}

function told(envelopes: unknown): Json {
  return envelopes === undefined ? {} : record(envelopes, "envelopes");
}

function rising(edges: Float64Array): Float64Array {
  if (!edges.every((edge, i) => Number.isFinite(edge) && !(edge <= (edges[i - 1] as number)))) {
    throw new WireError("the edges of buckets do not rise");
  }
  return edges;
}

function keyframe(header: Json, body: Body): KeyframePacket {
  const seriesIds = ids(header["ids"], "ids");
  const stepped = ids(header["stepped"] ?? [], "stepped");
  const buckets = count(header["buckets"], "buckets");
  const lo = list(header["lo"], "lo").map((value) => finite(value, "lo"));
  const hi = list(header["hi"], "hi").map((value) => finite(value, "hi"));
  if (lo.length !== seriesIds.length || hi.length !== seriesIds.length) {
    throw new WireError("a keyframe needs one range a series");
  }
  const last = lastValues(header["last"] ?? null, seriesIds.length);
  const grains = header["grains"] === undefined ? null : ids(header["grains"], "grains");
  if (grains && grains.length !== seriesIds.length) throw new WireError("a series needs a grain");
  const edges = rising(body.f64(buckets + 1));
  const stepLast = body.f64(stepped.length * buckets);
  const { min, max, mean } = codesOf(header, body, seriesIds.length * buckets, grains);
  body.end();
  const seq = count(header["seq"], "seq");
  const columns = { buckets, ids: seriesIds, lo, hi, stepped, last, edges, stepLast, grains };
  return { kind: "keyframe", seq, ...columns, min, max, mean, ...news(header) };
}

/** The codes of all buckets; older versions wrote those of min and max as they are. */
function codesOf(
  header: Json,
  body: Body,
  cells: number,
  grains: readonly number[] | null,
): Pick<KeyframePacket, "min" | "max" | "mean"> {
  if (header["packed"] === true) return unpacked(body.rest(), cells, grains);
  return { min: body.u16(cells), max: body.u16(cells), mean: null };
}

function lastValues(raw: unknown, length: number): (number | null)[] | null {
  if (raw === null) return null;
  const values = list(raw, "last");
  if (values.length !== length) throw new WireError("a keyframe needs one last value a series");
  return values.map((value) => (value === null ? null : finite(value, "last")));
}
