/**
 * A channel brings packets to a page and carries its requests back. A comm of Jupyter, the messages
 * on a kernel connection and a saved output are all channels; a store does not know which it has.
 */

import { decodePacket, type Packet } from "../wire/packet";

/** A packet that has arrived. */
export interface Arrival {
  readonly packet: Packet;
  /** Its bytes as they arrived; null if it was made on this page. */
  readonly bytes: Uint8Array | null;
  /**
   * A snapshot that was kept for pages that open later. Others may see it, so names and paths are
   * left out of it.
   */
  readonly kept: boolean;
}

export interface Listener {
  hear(arrival: Arrival): void;
  /** A request of rows or lines, by its number, will have no answer. */
  refused?(request: number): void;
  /** Nothing more will come. */
  closed?(): void;
}

/** What a page sends to the kernel. */
export type Request =
  /** Asks for a keyframe: a view has opened, or packets are missing. */
  | { readonly kind: "hello" }
  /** A view is still open. */
  | { readonly kind: "seen" }
  /** Asks for the rows of some series. */
  | {
      readonly kind: "range";
      readonly request: number;
      readonly ids: readonly number[];
      readonly t0: number;
      readonly t1: number;
      readonly points: number;
    }
  /** New lines of text are wanted as they are printed, or no longer. */
  | { readonly kind: "lines"; readonly on: boolean; readonly page: string }
  /** Asks for the newest lines of text of a stretch. */
  | {
      readonly kind: "printed";
      readonly request: number;
      readonly t0: number;
      readonly t1: number;
      readonly most: number;
    };

export interface Channel {
  /** The other end is gone for good. */
  readonly closed: boolean;
  /** Delivers what is here already, then each packet as it arrives, until the result is called. */
  subscribe(listener: Listener): () => void;
  /** Returns whether the request could be sent. */
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

/** As `arrivalOf`; null for bytes that are refused: the next frame then reports a lost one. */
export function tryArrival(bytes: ArrayBuffer | ArrayBufferView, kept = false): Arrival | null {
  try {
    return arrivalOf(bytes, kept);
  } catch (problem) {
    console.error("Pulse: a packet was refused", problem);
    return null;
  }
}
