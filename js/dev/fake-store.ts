/** A real Store fed by another source, one frame a reading, as the kernel would send them. */

import { arrivalOf } from "../core/history/channel";
import { Store } from "../core/history/store";
import { columns, type Source } from "../core/source";
import { decodedFrame, type Row } from "../core/testing/packets";
import type { FramePacket } from "../core/wire/packet";

/** A source that knows the step at a moment, where the user's metrics have steps. */
type SteppedSource = Source & { stepOf?(id: number, time: number): number | undefined };

export function storeOf(fake: SteppedSource): Store {
  const store = new Store();
  let seq = 0;
  const show = (rows: readonly Row[], news: Partial<FramePacket> = {}) => {
    store.take(decodedFrame(seq++, rows, news));
  };
  show(history(fake), {
    series: fake.catalog(),
    entities: fake.entities(),
    state: fake.state(),
    moments: fake.moments(),
    spans: fake.spans(),
  });
  fake.subscribe((change) => {
    if (change.samples) show(newest(fake));
  });
  return store;
}

/** A real Store fed by packets, each in base64. */
export function storeFrom(packets: readonly string[]): Store {
  const store = new Store();
  for (const packet of packets) {
    store.take(arrivalOf(Uint8Array.from(atob(packet), (letter) => letter.charCodeAt(0))));
  }
  return store;
}

function newest(fake: SteppedSource): Row[] {
  return fake.catalog().flatMap(({ id }) => {
    const last = fake.last(id);
    return last ? [rowOf(fake, id, last.time, last.value)] : [];
  });
}

function history(fake: SteppedSource): Row[] {
  const out = columns();
  const [first, last] = fake.extent();
  return fake.catalog().flatMap(({ id }) => {
    fake.range(id, first, last + 1, 1e9, out);
    return Array.from({ length: out.length }, (_, i) =>
      rowOf(fake, id, out.time[i] as number, out.max[i] as number),
    );
  });
}

function rowOf(fake: SteppedSource, id: number, time: number, value: number): Row {
  const step = fake.stepOf?.(id, time);
  return step === undefined ? [id, time, value] : [id, time, value, step];
}
