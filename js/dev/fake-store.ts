/** A real Store fed by a FakeSource, one frame a reading, as the kernel would send them. */

import { Store } from "../core/history/store";
import { columns } from "../core/source";
import { encodeFrame, type Row } from "../core/testing/packets";
import type { FakeSource } from "./fake-source";

export function storeOf(fake: FakeSource): Store {
  const store = new Store();
  const news = {
    series: fake.catalog(),
    entities: fake.entities(),
    state: fake.state(),
    moments: fake.moments(),
    spans: fake.spans(),
  };
  let seq = 0;
  store.receive(encodeFrame(seq++, history(fake), news));
  fake.subscribe((change) => {
    if (change.samples) store.receive(encodeFrame(seq++, newest(fake)));
  });
  return store;
}

function newest(fake: FakeSource): Row[] {
  return fake.catalog().flatMap(({ id }) => {
    const last = fake.last(id);
    return last ? [[id, last.time, last.value] as const] : [];
  });
}

function history(fake: FakeSource): Row[] {
  const out = columns();
  const [first, last] = fake.extent();
  return fake.catalog().flatMap(({ id }) => {
    fake.range(id, first, last + 1, 1e9, out);
    return Array.from(
      { length: out.length },
      (_, i) => [id, out.time[i] as number, out.max[i] as number] as const,
    );
  });
}
