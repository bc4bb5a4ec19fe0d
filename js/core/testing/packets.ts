/** Builds packets, for tests: what `pulse_widgets/series/wire.py` does in the kernel. */

import { CODE_NONE, type Rows } from "../wire";

type Header = Readonly<Record<string, unknown>>;

export function encodePacket(
  header: Header,
  body: readonly ArrayBufferView[] = [],
  version: readonly [number, number] = [1, 0],
): Uint8Array<ArrayBuffer> {
  let text = JSON.stringify(header);
  text += " ".repeat(-new TextEncoder().encode(text).length & 7);
  const head = new TextEncoder().encode(text);
  const size = body.reduce((sum, part) => sum + part.byteLength, 0);
  const packet = new Uint8Array(16 + head.length + size);
  const view = new DataView(packet.buffer);
  packet.set(new TextEncoder().encode("PULS"));
  view.setUint16(4, version[0], true);
  view.setUint16(6, version[1], true);
  view.setUint32(8, head.length, true);
  view.setUint32(12, size, true);
  packet.set(head, 16);
  let at = 16 + head.length;
  for (const part of body) {
    packet.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return packet;
}

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
  readonly codes: readonly (readonly [number, number] | null)[];
}

export function encodeKeyframe(
  seq: number,
  edges: readonly number[],
  envelopes: readonly EncodedEnvelope[],
  news: Header = {},
): Uint8Array {
  const codes = (end: 0 | 1) =>
    Uint16Array.from(envelopes.flatMap((one) => one.codes.map((pair) => pair?.[end] ?? CODE_NONE)));
  const header = {
    kind: "keyframe",
    seq,
    buckets: edges.length - 1,
    ids: envelopes.map((one) => one.id),
    lo: envelopes.map((one) => one.lo),
    hi: envelopes.map((one) => one.hi),
    stepped: [],
    series: [],
    entities: {},
    state: {},
    events: [],
  };
  return encodePacket({ ...header, ...news }, [Float64Array.from(edges), codes(0), codes(1)]);
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

export function rowsOf(rows: Rows): Row[] {
  return Array.from({ length: rows.length }, (_, i) => [
    rows.series[i] as number,
    rows.time[i] as number,
    rows.value[i] as number,
    ...(rows.step ? [rows.step[i] as number] : []),
  ]) as unknown as Row[];
}
