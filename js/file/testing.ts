/** Helpers of the tests of this folder. */

import { readFileSync } from "node:fs";
import type { KeyframePacket, Packet, RowsPacket } from "../core/wire/packet";
import type { RecordingChannel } from "./recording";

/** The files that `tests/storage/browser_cases.py` makes. */
export const DATA = new URL("../../tests/data/browser/", import.meta.url);

export function bytesOf(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`${name}.pulse.parquet`, DATA)));
}

/** Waits for the packets that a channel delivers. */
export class Heard {
  readonly packets: Packet[] = [];
  #wake: () => void = () => {};

  constructor(channel: RecordingChannel) {
    channel.subscribe({
      hear: ({ packet }) => {
        this.packets.push(packet);
        this.#wake();
      },
    });
  }

  /** The packet at this place, once it is there. */
  async at(place: number): Promise<Packet> {
    while (this.packets.length <= place) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.packets[place] as Packet;
  }
}

export async function keyframeOf(channel: RecordingChannel): Promise<KeyframePacket> {
  const heard = new Heard(channel);
  channel.send({ kind: "hello" });
  return (await heard.at(0)) as KeyframePacket;
}

/** The rows of all series between two Unix times. */
export async function rowsOf(
  channel: RecordingChannel,
  t0: number,
  t1: number,
  points = 20_000,
  ids: readonly number[] = Array.from({ length: 320 }, (_, id) => id),
): Promise<RowsPacket> {
  const heard = new Heard(channel);
  channel.send({ kind: "range", request: 1, ids, t0, t1, points });
  return (await heard.at(0)) as RowsPacket;
}
