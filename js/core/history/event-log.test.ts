import { expect, test } from "vitest";
import type { SpanWire } from "../source";
import { frameOf, keyframeOf } from "../testing/packets";
import { Store } from "./store";

const HERE = { host: "h0", entity: "kernel" };

function moment(time: number) {
  return { ...HERE, time, metric: "mark", facts: { label: "m" } };
}

function cell(end: number | null, facts: object, more: object = {}): SpanWire {
  const about = { ...HERE, metric: "cell", id: "3@1", start: 1, facts: { ...facts } };
  return { ...about, end, ...more };
}

test("each moment is kept once, in order of time, though keyframes repeat them", () => {
  const store = new Store();
  store.take(frameOf(1, [], { moments: [moment(5)] }));
  store.take(keyframeOf(1, [0, 1], [], { moments: [moment(2), moment(5)] }));
  expect(store.moments().map(({ time }) => time)).toEqual([2, 5]);
});

test("a span that ends is the same span, also after a keyframe that is older than its end", () => {
  const store = new Store();
  store.take(frameOf(1, [], { spans: [cell(null, { count: 3 })] }));
  store.take(frameOf(2, [], { spans: [cell(9, { count: 3, status: "ok" })] }));
  store.take(keyframeOf(1, [0, 1], [], { spans: [cell(null, { count: 3 })] }));
  expect(store.spans()).toEqual([cell(9, { count: 3, status: "ok" })]);
});

test("spans of one id on two hosts, or of two metrics, are two", () => {
  const store = new Store();
  const spans = [cell(9, {}), cell(9, {}, { host: "h1" }), cell(9, {}, { metric: "task" })];
  store.take(frameOf(1, [], { spans }));
  expect(store.spans()).toHaveLength(3);
});

test("an id that is used again is another span", () => {
  const store = new Store();
  const again = cell(20, {}, { start: 15 });
  store.take(frameOf(1, [], { spans: [cell(9, {})] }));
  store.take(frameOf(2, [], { spans: [{ ...again, end: null }] }));
  store.take(frameOf(3, [], { spans: [again] }));
  expect(store.spans()).toEqual([cell(9, {}), again]);
});

test("a cell stays, ended or not, however many spans and marks came after it", () => {
  const store = new Store();
  const open = cell(null, {}, { id: "4", start: 3 });
  store.take(frameOf(1, [], { spans: [cell(2, {}), open], moments: [moment(1)] }));
  const spans = Array.from({ length: 6000 }, (_, i) =>
    cell(i + 10.5, {}, { metric: "span", id: `${i}`, start: i + 10 }),
  );
  const event = (time: number) => ({ ...moment(time), metric: "event" });
  const moments = Array.from({ length: 6000 }, (_, i) => event(i + 10));
  store.take(frameOf(2, [], { spans, moments }));
  expect(store.spans().slice(0, 2)).toEqual([cell(2, {}), open]);
  expect(store.spans()).toHaveLength(5002);
  expect(store.spans().at(-1)?.start).toBe(6009);
  expect(store.moments().map(({ metric }) => metric)[0]).toBe("mark");
  expect(store.moments()).toHaveLength(5001);
});

test("what began at one time stays in the order in which it came", () => {
  const store = new Store();
  const ids = ["b", "c", "a"];
  store.take(frameOf(1, [], { spans: ids.map((id) => cell(9, {}, { id })) }));
  expect(store.spans().map(({ id }) => id)).toEqual(ids);
});

test("a change that is none is not told", () => {
  const store = new Store();
  store.take(frameOf(1, [], { spans: [cell(9, {})], moments: [moment(1)] }));
  const changes: unknown[] = [];
  store.subscribe((change) => changes.push(change));
  store.take(frameOf(2, [], { spans: [cell(9, {})], moments: [moment(1)] }));
  store.take(frameOf(3, [], { lines: [{ series: 1, time: 1, text: "a" }] }));
  expect(changes).toMatchObject([
    { events: false, lines: false },
    { events: false, lines: true },
  ]);
});
