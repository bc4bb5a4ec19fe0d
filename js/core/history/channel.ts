/**
 * How packets get to a page, and what the page says back. A comm of Jupyter, what is overheard on
 * a kernel connection and a picture in a notebook are all channels; a store does not know which.
 */

import { decodePacket, type Packet } from "../wire/packet";

/** A packet that came. */
export interface Arrival {
  readonly packet: Packet;
  /** As it came; null where it never was bytes. */
  readonly bytes: Uint8Array | null;
  /**
   * It was kept for pages that come later, in a place that others may see. So it lacks names and
   * paths, and tells less than a packet that was sent.
   */
  readonly kept: boolean;
}

export interface Listener {
  hear(arrival: Arrival): void;
  /** Nothing more will come. */
  closed?(): void;
}

/** What a page says. */
export type Request =
  /** A view begins, or packets are missing: a keyframe is wanted. */
  | { readonly kind: "hello" }
  /** A view is still there. */
  | { readonly kind: "seen" }
  /** The rows of some series are wanted. */
  | {
      readonly kind: "range";
      readonly request: number;
      readonly ids: readonly number[];
      readonly t0: number;
      readonly t1: number;
      readonly points: number;
    };

export interface Channel {
  /** Nobody is at the other end any more. */
  readonly closed: boolean;
  /** Hand over what is here already, then each packet as it comes, until the result is called. */
  subscribe(listener: Listener): () => void;
  /** Returns whether there is somebody who may hear it. */
  send(request: Request): boolean;
}

/**
 * The packet in some bytes.
 *
 * @throws WireError when the bytes are not a packet.
 */
export function arrivalOf(bytes: ArrayBuffer | ArrayBufferView, kept = false): Arrival {
  const packet = decodePacket(bytes);
  const whole =
    bytes instanceof ArrayBuffer
      ? new Uint8Array(bytes)
      : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { packet, bytes: whole, kept };
}

/** As `arrivalOf`; null for bytes that are refused, which the next frame shows to be missing. */
export function tryArrival(bytes: ArrayBuffer | ArrayBufferView, kept = false): Arrival | null {
  try {
    return arrivalOf(bytes, kept);
  } catch (problem) {
    console.error("Pulse: a packet was refused", problem);
    return null;
  }
}
