import { readFileSync } from "node:fs";
import { unzlibSync } from "fflate";
import { describe, expect, test } from "vitest";
import type { Request } from "../core/history/channel";
import type { Envelope } from "../core/wire/envelope";
import {
  decodePacket,
  type KeyframePacket,
  type Packet,
  type RowsPacket,
} from "../core/wire/packet";
import { envelopeOf } from "../core/wire/parts";
import { memoryFile } from "./access";
import { openFile } from "./open";

/** Python and this page ask the same files the same: `tests/storage/browser_cases.py`. */
const DATA = new URL("../../tests/data/browser/", import.meta.url);

interface Question {
  readonly case: string;
  readonly request: Request;
}

const questions: Question[] = JSON.parse(readFileSync(new URL("questions.json", DATA), "utf8"));

function answersOf(name: string): Packet[] {
  const content = unzlibSync(readFileSync(new URL(`${name}.answers`, DATA)));
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const packets: Packet[] = [];
  for (let at = 0; at < content.length; ) {
    const end = at + 4 + view.getUint32(at, true);
    packets.push(decodePacket(content.subarray(at + 4, end)));
    at = end;
  }
  return packets;
}

async function answer(name: string, requests: readonly Request[]): Promise<Packet[]> {
  const bytes = new Uint8Array(readFileSync(new URL(`${name}.pulse.parquet`, DATA)));
  const channel = await openFile(memoryFile(`${name}.pulse.parquet`, bytes));
  const packets: Packet[] = [];
  await new Promise<void>((resolve) => {
    channel.subscribe({
      hear: ({ packet }) => {
        packets.push(packet);
        if (packets.length === requests.length) resolve();
      },
    });
    for (const request of requests) channel.send(request);
  });
  channel.close();
  return packets;
}

/** Both, number by number: the first difference in words, or nothing. */
function difference(
  ours: Float64Array,
  theirs: Float64Array,
  near: number | ((place: number) => number),
): string {
  if (ours.length !== theirs.length) return `${ours.length} numbers instead of ${theirs.length}`;
  for (let i = 0; i < ours.length; i++) {
    const [a, b] = [ours[i] as number, theirs[i] as number];
    if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const most = typeof near === "number" ? near * Math.max(Math.abs(a), Math.abs(b)) : near(i);
    if (!(Math.abs(a - b) <= most)) return `at ${i}: ${a} instead of ${b}`;
  }
  return "";
}

/** Sums of the same values in another order differ in the last digits. */
const SUMMED = 1e-12;

function compareEnvelopes(ours: Envelope, theirs: Envelope, slack: number): string[] {
  const columns = ["min", "max", "mean"] as const;
  const found = columns.map((name) => [
    name,
    difference(ours[name], theirs[name], slack > 0 ? () => slack : SUMMED),
  ]);
  found.push(["edges", difference(ours.edges, theirs.edges, 0)]);
  const steps = (envelope: Envelope) => envelope.step ?? new Float64Array(0);
  found.push(["steps", difference(steps(ours), steps(theirs), 0)]);
  const gaps = (envelope: Envelope) => Float64Array.from(envelope.missing);
  found.push(["missing", difference(gaps(ours), gaps(theirs), 0)]);
  return found.filter(([, what]) => what !== "").map(([name, what]) => `${name} ${what}`);
}

function compareKeyframes(ours: KeyframePacket, theirs: KeyframePacket): void {
  const facts = ({
    series,
    entities,
    moments,
    spans,
    odd,
    ids,
    stepped: [...stepped].sort((a, b) => a - b),
    last,
  }: KeyframePacket) => ({
    series,
    entities,
    moments,
    spans,
    odd,
    ids,
    stepped: [...stepped].sort((a, b) => a - b),
    last,
  });
  expect(facts(ours)).toEqual(facts(theirs));
  const state = ({ state }: KeyframePacket) => ({ ...state, versions: null, recording: null });
  expect(state(ours)).toEqual(state(theirs));
  const { path: _, ...recording } = theirs.state?.recording ?? {};
  expect(ours.state?.recording).toMatchObject(recording);
  for (const [row, id] of theirs.ids.entries()) {
    const [own, their] = [envelopeOf(ours, row), envelopeOf(theirs, row)] as [Envelope, Envelope];
    // A kernel tells a page no more than about 5000 levels of the range of a series.
    const range = (theirs.hi[row] as number) - (theirs.lo[row] as number);
    const found = compareEnvelopes(own, their, range / 4000);
    expect(found.map((what) => `series ${id}: ${what}`)).toEqual([]);
  }
}

function compareRows(ours: RowsPacket, theirs: RowsPacket): void {
  const facts = ({ request, ids, t0, t1, reduced, odd }: RowsPacket) => ({
    request,
    ids,
    t0,
    t1,
    reduced,
    odd,
  });
  expect(facts(ours)).toEqual(facts(theirs));
  expect([...ours.rows.series]).toEqual([...theirs.rows.series]);
  expect(difference(ours.rows.time, theirs.rows.time, 0)).toBe("");
  expect(difference(ours.rows.value, theirs.rows.value, 0)).toBe("");
  const none = new Float64Array(0);
  expect(difference(ours.rows.step ?? none, theirs.rows.step ?? none, 0)).toBe("");
  expect(ours.envelopes.map(({ id }) => id)).toEqual(theirs.envelopes.map(({ id }) => id));
  for (const [row, { id, envelope }] of theirs.envelopes.entries()) {
    const own = ours.envelopes[row]?.envelope as Envelope;
    expect(compareEnvelopes(own, envelope, 0).map((what) => `series ${id}: ${what}`)).toEqual([]);
  }
}

const NAMES = [...new Set(questions.map((question) => question.case))];

describe.each(NAMES)("the recording %s is answered as a kernel answers", async (name) => {
  const asked = questions.filter((question) => question.case === name);
  const requests = asked.map(({ request }) => request);
  const [ours, theirs] = [await answer(name, requests), answersOf(name)];

  test.each(requests.map((request, place) => ({ request, place })))(
    "question $place",
    ({ place }) => {
      const [own, their] = [ours[place], theirs[place]];
      if (own?.kind === "keyframe" && their?.kind === "keyframe") compareKeyframes(own, their);
      else if (own?.kind === "rows" && their?.kind === "rows") compareRows(own, their);
      else expect(own?.kind).toBe(their?.kind);
    },
  );
});
