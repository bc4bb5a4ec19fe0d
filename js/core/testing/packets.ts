/** Builds packets, for tests: what `pulse_widgets/series/wire.py` does in the kernel. */

import { type Arrival, arrivalOf, type Channel, type Listener } from "../history/channel";
import { encodePacket, packedKeyframe } from "../wire/encode";
import { CODE_NONE, type FramePacket, type Rows } from "../wire/packet";

export { encodePacket } from "../wire/encode";

type Header = Readonly<Record<string, unknown>>;

/** [series, time, value, step?] */
export type Row = readonly [id: number, time: number, value: number, step?: number];

export function encodeFrame(seq: number, rows: readonly Row[], news: Header = {}): Uint8Array {
  return encodePacket({ kind: "frame", seq, ...sizes(rows), ...news }, columnsOf(rows));
}

export function encodeRows(header: Header, rows: readonly Row[]): Uint8Array {
  return encodePacket({ kind: "rows", request: 1, ...header, ...sizes(rows) }, columnsOf(rows));
}

/** `envelopes`: for each series the code pairs of its buckets, and the range they span. */
export interface EncodedEnvelope {
  readonly id: number;
  readonly lo: number;
  readonly hi: number;
  readonly codes: readonly (readonly [min: number, max: number, mean?: number] | null)[];
}

export function encodeKeyframe(
  seq: number,
  edges: readonly number[],
  envelopes: readonly EncodedEnvelope[],
  news: Header = {},
): Uint8Array {
  const codes = (part: 0 | 1 | 2) =>
    Uint16Array.from(envelopes.flatMap((one) => one.codes.map((all) => all?.[part] ?? CODE_NONE)));
  const header = {
    kind: "keyframe",
    seq,
    buckets: edges.length - 1,
    ids: envelopes.map((one) => one.id),
    lo: envelopes.map((one) => one.lo),
    hi: envelopes.map((one) => one.hi),
    stepped: [],
    series: [],
    entities: [],
    state: {},
    moments: [],
    spans: [],
  };
  const all = { min: codes(0), max: codes(1), mean: codes(2) };
  return packedKeyframe({ ...header, ...news }, [Float64Array.from(edges)], all);
}

/** A frame of rows alone, as a channel brings it once it is decoded. */
export function decodedFrame(
  seq: number,
  rows: readonly Row[],
  news: Partial<FramePacket> = {},
): Arrival {
  const none = { series: [], entities: [], moments: [], spans: [], lines: [], odd: [] };
  const own = { kind: "frame", seq, rows: rowsFrom(rows), reduced: [], state: null } as const;
  return { packet: { ...own, ...none, ...news }, bytes: null, kept: false };
}

/** What a channel would bring. */
export const frameOf = (...of: Parameters<typeof encodeFrame>): Arrival =>
  arrivalOf(encodeFrame(...of));
export const keyframeOf = (...of: Parameters<typeof encodeKeyframe>): Arrival =>
  arrivalOf(encodeKeyframe(...of));
export const answerOf = (...of: Parameters<typeof encodeRows>): Arrival =>
  arrivalOf(encodeRows(...of));

/** The same as a page finds it that opens later. */
export const kept = (arrival: Arrival): Arrival => ({ ...arrival, kept: true });

/** A channel that brings what was recorded, and notes what is asked. */
export function recorded(arrivals: readonly Arrival[]): Channel & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    closed: false,
    subscribe(listener: Listener) {
      for (const arrival of arrivals) listener.hear(arrival);
      return () => undefined;
    },
    send: (request) => asked.push(request) > 0,
  };
}

function sizes(rows: readonly Row[]): Header {
  return { n: rows.length, steps: rows.some((row) => row[3] !== undefined) };
}

function columnsOf(rows: readonly Row[]): ArrayBufferView[] {
  const columns: ArrayBufferView[] = [
    Float64Array.from(rows, (row) => row[1]),
    Float64Array.from(rows, (row) => row[2]),
  ];
  if (rows.some((row) => row[3] !== undefined)) {
    columns.push(Float64Array.from(rows, (row) => row[3] ?? Number.NaN));
  }
  columns.push(Int32Array.from(rows, (row) => row[0]));
  return columns;
}

/** Rows as a decoded packet has them. */
export function rowsFrom(rows: readonly Row[]): Rows {
  const stepped = rows.some((row) => row[3] !== undefined);
  return {
    length: rows.length,
    time: Float64Array.from(rows, (row) => row[1]),
    value: Float64Array.from(rows, (row) => row[2]),
    step: stepped ? Float64Array.from(rows, (row) => row[3] ?? Number.NaN) : null,
    series: Int32Array.from(rows, (row) => row[0]),
  };
}

export function rowsOf(rows: Rows): Row[] {
  return Array.from({ length: rows.length }, (_, i) => [
    rows.series[i] as number,
    rows.time[i] as number,
    rows.value[i] as number,
    ...(rows.step ? [rows.step[i] as number] : []),
  ]) as unknown as Row[];
}
