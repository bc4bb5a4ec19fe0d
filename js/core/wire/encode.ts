/** Writes packets; `packet.ts` reads them. */

import type { Json } from "./header";
import { headerOf, WIRE_VERSION } from "./packet";

const PREFIX = 16;

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

/** The same packet with another header over the same columns. */
export function withHeader(
  packet: Uint8Array,
  change: (header: Json) => Json,
): Uint8Array<ArrayBuffer> {
  const { header, bodyAt, minor } = headerOf(packet);
  return encodePacket(change(header), [packet.subarray(bodyAt)], [WIRE_VERSION[0], minor]);
}
