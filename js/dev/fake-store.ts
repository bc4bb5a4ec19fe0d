/** A real Store fed by a FakeSource, one frame a reading, as the kernel would send them. */

import { Store } from "../core/history/store";
import { columns } from "../core/source";
import { type Row, rowsFrom } from "../core/testing/packets";
import type { FramePacket } from "../core/wire/packet";
import type { FakeSource } from "./fake-source";

const NO_NEWS = {
  reduced: [],
  series: [],
  entities: [],
  state: null,
  moments: [],
  spans: [],
  lines: [],
};

export function storeOf(fake: FakeSource): Store {
  const store = new Store();
  let seq = 0;
  const show = (rows: readonly Row[], news: Partial<FramePacket> = {}) => {
    const packet = {
      kind: "frame",
      seq: seq++,
      rows: rowsFrom(rows),
      ...NO_NEWS,
      ...news,
    } as const;
    store.take({ packet, bytes: null, kept: false });
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

function newest(fake: FakeSource): Row[] {
  return fake.catalog().flatMap(({ id }) => {
    const last = fake.last(id);
    return last ? [rowOf(fake, id, last.time, last.value)] : [];
  });
}

function history(fake: FakeSource): Row[] {
  const out = columns();
  const [first, last] = fake.extent();
  return fake.catalog().flatMap(({ id }) => {
    fake.range(id, first, last + 1, 1e9, out);
    return Array.from({ length: out.length }, (_, i) =>
      rowOf(fake, id, out.time[i] as number, out.max[i] as number),
    );
  });
}

function rowOf(fake: FakeSource, id: number, time: number, value: number): Row {
  const step = fake.stepOf(id, time);
  return step === undefined ? [id, time, value] : [id, time, value, step];
}
