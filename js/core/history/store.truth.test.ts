import fc from "fast-check";
import { expect, test } from "vitest";
import { columns } from "../source";
import { encodeFrame, encodeKeyframe, type Row } from "../testing/packets";
import { arrivalOf } from "./channel";
import { Store } from "./store";

/** The value of every sample is its time, so that any point of a picture can be told right or wrong. */
const BUCKET = 0.25;
const INTERVAL = 0.5;
const ROUNDED = 0.02;

const [PROMPT, BUFFERED] = [0, 1];

/**
 * What the kernel shows, pass by pass: one series read on the spot, and one from a buffer that the
 * driver keeps, looked into at every other pass and so late.
 */
function passes(start: number, phase: number, together: boolean): Row[][] {
  const all: Row[][] = [];
  let since = start;
  for (let pass = 0; pass < 10; pass++) {
    const now = start + pass * INTERVAL;
    const prompt: Row[] = [[PROMPT, now, now]];
    if (pass === 0) prompt.push([BUFFERED, now, now]);
    const late: Row[] = [];
    for (let i = Math.ceil(since * 6); pass > 0 && pass % 2 === 0 && (i + phase) / 6 < now; i++) {
      const time = (i + phase) / 6;
      if (time > since) late.push([BUFFERED, time, time]);
    }
    since = late[late.length - 1]?.[1] ?? since;
    if (together) all.push([...prompt, ...late]);
    else all.push(prompt, late);
  }
  return all;
}

function keyframeOf(seq: number, rows: readonly Row[]): Uint8Array {
  const numbers = rows.map(([, time]) => Math.floor(time / BUCKET));
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
  const buckets = rows.length > 0 ? last - first + 1 : 0;
  const edges = Array.from({ length: buckets + 1 }, (_, i) => (first + i) * BUCKET);
  const ids = [...new Set(rows.map(([id]) => id))];
  const envelopes = ids.map((id) => {
    const codes = edges.slice(0, -1).map((_, i) => {
      const within = rows.filter((row, k) => row[0] === id && numbers[k] === first + i);
      const values = within.map(([, , value]) => Math.round(value * 1000));
      if (values.length === 0) return null;
      const mean = Math.round(values.reduce((a, b) => a + b, 0) / values.length);
      return [Math.min(...values), Math.max(...values), mean] as const;
    });
    return { id, lo: 0, hi: 65.533, codes };
  });
  return encodeKeyframe(seq, rows.length > 0 ? edges : [0], envelopes);
}

/** Frames and keyframes as the kernel sends them; `plan` says after each pass what is sent. */
function packetsOf(all: readonly Row[][], plan: readonly Sent[]): Uint8Array[] {
  const packets = [keyframeOf(0, [])];
  const framed: Row[] = [];
  let waiting: Row[] = [];
  let seq = 0;
  for (const [i, rows] of all.entries()) {
    waiting.push(...rows);
    const { frame, keyframe } = plan[i % plan.length] as Sent;
    if (frame) {
      framed.push(...waiting);
      packets.push(encodeFrame(++seq, waiting));
      waiting = [];
    }
    if (keyframe) packets.push(keyframeOf(seq, framed));
  }
  return [...packets, encodeFrame(++seq, waiting), keyframeOf(seq, [...framed, ...waiting])];
}

interface Sent {
  readonly frame: boolean;
  readonly keyframe: boolean;
}

const plans = fc.array(
  fc.record({
    frame: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
    keyframe: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
  }),
  { minLength: 1, maxLength: 20 },
);

const pages = fc.record({
  start: fc.double({ min: 10, max: 11, noNaN: true }),
  phase: fc.double({ min: 0, max: 1, noNaN: true }),
  together: fc.boolean(),
  plan: plans,
  opened: fc.integer({ min: 0, max: 12 }),
  lost: fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 3 }),
  kept: fc.array(fc.integer({ min: 0, max: 25 }), { maxLength: 6 }),
});

test("draws nothing at a time at which it was not read, whatever a page has missed", () => {
  fc.assert(
    fc.property(pages, ({ start, phase, together, plan, opened, lost, kept }) => {
      const all = passes(start, phase, together);
      const packets = packetsOf(all, plan);
      const store = new Store();
      for (const [i, packet] of packets.entries()) {
        const last = i === packets.length - 1;
        const comes = last || i === 0 || (i >= opened && !lost.includes(i));
        if (comes) store.take(arrivalOf(packet, !last && kept.includes(i)));
      }

      for (const id of [PROMPT, BUFFERED]) {
        const out = columns();
        store.range(id, start - 1, start + 6, 700, out);
        let risen = 0;
        let means = 0;
        const drawn: [number, number, number][] = [];
        for (let i = 0; i < out.length; i++) {
          const [time, min, max] = [out.time[i], out.min[i], out.max[i]] as [
            number,
            number,
            number,
          ];
          if (Number.isNaN(min)) continue;
          drawn.push([time, min, max]);
          const mean = out.mean[i] as number;
          if (!Number.isNaN(mean)) {
            expect(mean).toBeGreaterThanOrEqual(min);
            expect(mean).toBeLessThanOrEqual(max);
            means++;
          }
          expect(min).toBeGreaterThan(time - BUCKET - ROUNDED);
          expect(max).toBeLessThan(time + BUCKET + ROUNDED);
          expect(max, "what rises never falls").toBeGreaterThan(risen - ROUNDED);
          risen = Math.max(risen, min);
        }
        expect(means, "every stretch has its mean somewhere").toBeGreaterThan(0);
        for (const [, time] of all.flat().filter((row) => row[0] === id)) {
          const near = drawn.some(([, min, max]) => Math.abs((min + max) / 2 - time) < BUCKET);
          expect(near, `the sample of ${time} is drawn`).toBe(true);
        }
      }
    }),
    { numRuns: 1000 },
  );
}, 60_000);
