// @vitest-environment happy-dom
/** What is taken away from under the pointer gets no pointerleave: its lines are let down all the same. */

import { describe, expect, test } from "vitest";
import { Store } from "../history/store";
import { frameOf } from "../testing/packets";
import { Overview } from "./overview";
import { Readings } from "./readings";

/** So many GPUs of each machine, all at work. */
function readingsOf(hosts: Readonly<Record<string, number>>): Readings {
  const gpus = Object.entries(hosts).flatMap(([host, count]) =>
    Array.from({ length: count }, (_, i) => ({ host, entity: `gpu:${i}` })),
  );
  const about = { metric: "gpu.utilization", unit: "1", kind: "gauge", labels: {} };
  const series = gpus.map((gpu, id) => ({ ...gpu, ...about, id }));
  const store = new Store();
  const rows = series.map(({ id }) => [id, 100, 0.5] as const);
  store.take(frameOf(1, rows, { series, state: { phase: "running", t0: 0 } }));
  return new Readings(store);
}

function opened() {
  const lifts: (string | null)[] = [];
  const events = { toggle: () => {}, lift: (key: string | null) => lifts.push(key) };
  const overview = new Overview(events, document.createElement("div"));
  const show = (hosts: Readonly<Record<string, number>>) =>
    overview.update(readingsOf(hosts), () => false, "light");
  const gpus = () => [...overview.el.querySelectorAll("button[data-gpu]")];
  return { lifts, show, gpus };
}

describe.each(["pointerenter", "focus"])("lines that were lifted by %s", (name) => {
  test.each([
    ["a card that goes", { a: 2 }, { a: 1 }],
    ["cards that become cells", { a: 2 }, { a: 9 }],
    ["cells that are made anew", { a: 9 }, { a: 10 }],
    ["cells that become cards", { a: 9 }, { a: 2 }],
    ["the card of a machine that goes", { b: 1, a: 2 }, { b: 1 }],
    ["the cell of a machine that goes", { b: 1, a: 9 }, { b: 1 }],
  ])("are let down with %s", (_, before, after) => {
    const { lifts, show, gpus } = opened();
    show(before);
    const el = gpus().findLast((one) => one.closest('[data-host="a"]')) as Element;
    el.dispatchEvent(new Event(name));
    expect(lifts).toHaveLength(1);

    show(after);

    expect(gpus()).not.toContain(el);
    expect(lifts.slice(1)).toEqual([null]);
  });

  test("stay lifted while their card stays, whatever else goes", () => {
    const { lifts, show, gpus } = opened();
    show({ a: 3 });
    (gpus()[0] as Element).dispatchEvent(new Event(name));

    show({ a: 2 });
    show({ a: 4 });

    expect(lifts).toHaveLength(1);
  });
});

test("what does not lift any more lets nothing down when it goes", () => {
  const { lifts, show, gpus } = opened();
  show({ a: 2 });
  (gpus()[1] as Element).dispatchEvent(new Event("pointerenter"));
  (gpus()[1] as Element).dispatchEvent(new Event("pointerleave"));
  (gpus()[0] as Element).dispatchEvent(new Event("pointerenter"));
  const before = [...lifts];

  show({ a: 1 });

  expect(lifts).toEqual(before);
});
