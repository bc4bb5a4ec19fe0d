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
