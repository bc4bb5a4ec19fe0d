/** Writes packets; `packet.ts` reads them. */

import type { Json } from "./header";
import { headerOf, WIRE_VERSION } from "./packet";
import { type Codes, deflated, packed } from "./packing";

const PREFIX = 16;
/** Of keyframes for pages. What is told more coarsely is to be kept: small is better than soon. */
const LIVE_GRAIN = 13;

/** A packet of a header and the columns of its body. */
export function encodePacket(
  header: Json,
  body: readonly ArrayBufferView[] = [],
  version: readonly [number, number] = WIRE_VERSION,
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bodyAt = PREFIX + Math.ceil(text.length / 8) * 8;
  const size = body.reduce((sum, part) => sum + part.byteLength, 0);
  const packet = new Uint8Array(bodyAt + size).fill(0x20, PREFIX, bodyAt);
  const view = new DataView(packet.buffer);
  packet.set(new TextEncoder().encode("PULS"));
  view.setUint16(4, version[0], true);
  view.setUint16(6, version[1], true);
  view.setUint32(8, bodyAt - PREFIX, true);
  view.setUint32(12, size, true);
  packet.set(text, PREFIX);
  let at = bodyAt;
  for (const part of body) {
    packet.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return packet;
}

/** A keyframe: a header, the 8-byte columns of its body, and the codes of its buckets. */
export function packedKeyframe(
  header: Json,
  columns: readonly Float64Array[],
  codes: Codes,
): Uint8Array<ArrayBuffer> {
  const content = packed(codes, (header["grains"] as readonly number[] | undefined) ?? null);
  return deflatedPacket(encodePacket({ ...header, packed: true }, [...columns, content]));
}

function deflatedPacket(packet: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = new DataView(packet.buffer, packet.byteOffset).getUint32(8, true);
  const { kind, seq, grains } = headerOf(packet).header;
  const coarse = (grains as readonly number[] | undefined)?.some((grain) => grain > LIVE_GRAIN);
  const sizes = [text, packet.length - PREFIX - text];
  return encodePacket({ kind, seq, deflated: sizes }, [deflated(packet.subarray(PREFIX), coarse)]);
}

/** The same packet with another header over the same columns. */
export function withHeader(
  packet: Uint8Array,
  change: (header: Json) => Json,
): Uint8Array<ArrayBuffer> {
  const { header, body, minor } = headerOf(packet);
  const changed = encodePacket(change(header), [body], [WIRE_VERSION[0], minor]);
  return header["packed"] === true ? deflatedPacket(changed) : changed;
}
