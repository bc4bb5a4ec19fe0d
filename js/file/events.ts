/** Moments and spans out of the rows of a recording; as `series/spans.py` and `series/header.py`. */

import type { EntityWire, MomentWire, SpanWire } from "../core/header.gen";
import { lastOfEach, spanKey } from "../core/wire/spans";
import type { Catalog } from "./catalog";
import type { Columns } from "./columns";
import type { SeriesInfo } from "./gaps";
import { factsOf, type Json, membersOf } from "./json";

/** The moments in the rows of a series. */
export function momentsOf(info: SeriesInfo, { time, texts }: Columns): MomentWire[] {
  const about = aboutOf(info);
  return Array.from(time, (at, i) => {
    const text = texts?.[i] ?? "";
    return { time: at / 1e6, ...about, facts: factsOf(text) ?? { label: text } };
  });
}

/** Of which series it is; a page names what has no name as `core/wire/header.ts` does. */
function aboutOf({ host, entity, metric }: SeriesInfo) {
  return { host, entity, metric: metric || "event" };
}

interface Open {
  readonly start: number;
  readonly facts: Json;
}

/** The spans of a series, each once, and with its end where that is known. */
export function spansOf(info: SeriesInfo, { time, value, texts }: Columns): SpanWire[] {
  const about = aboutOf(info);
  const open = new Map<string, Open>();
  const spans = new Map<string, SpanWire>();
  for (let i = 0; i < time.length; i++) {
    const text = texts?.[i] ?? "";
    const facts = factsOf(text) ?? (text ? { label: text } : {});
    const name = facts["id"] === undefined ? "" : wordOf(facts["id"], text);
    const at = time[i] as number;
    const seconds = value[i] as number;
    const begun = open.get(name);
    const put = (start: number, end: number | null, all: Json) => {
      const { id: _, ...rest } = all;
      const times = { start: start / 1e6, end: end === null ? null : end / 1e6 };
      const span = { id: name || String(start), ...times, ...about, facts: rest };
      spans.set(spanKey(span), span);
    };
    if (Number.isNaN(seconds)) {
      // A start row that comes again tells nothing new.
      const first = begun ?? { start: at, facts };
      open.set(name, first);
      put(first.start, null, first.facts);
    } else if (begun) {
      open.delete(name);
      put(begun.start, at, { ...begun.facts, ...facts });
    } else {
      // An end row whose start is not known tells by its seconds when that was.
      const passed = Number.isFinite(seconds) ? seconds : 0;
      put(at - roundHalfEven(passed * 1e6), at, facts);
    }
  }
  return [...spans.values()];
}

/** The id in a text as Python writes it. */
function wordOf(id: unknown, text: string): string {
  if (typeof id === "boolean") return id ? "True" : "False";
  if (typeof id === "number") return numberAsWord(membersOf(text).get("id") ?? String(id));
  return id === null ? "None" : typeof id === "string" ? id : JSON.stringify(id);
}

/** A number of JSON as Python writes it: a whole one with all its digits. */
function numberAsWord(source: string): string {
  if (/^-?\d+$/.test(source)) return String(BigInt(source));
  const number = Number(source);
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return number.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  if (Object.is(number, -0)) return "-0.0";
  return Number.isInteger(number) ? `${number}.0` : String(number);
}

export function roundHalfEven(number: number): number {
  const down = Math.floor(number);
  const rest = number - down;
  if (rest !== 0.5) return Math.round(number);
  return down % 2 === 0 ? down : down + 1;
}

/** The last `count` moments, in order. */
export function newestMoments(moments: readonly MomentWire[], count: number): MomentWire[] {
  return [...moments].sort((a, b) => a.time - b.time).slice(-count);
}

/** The last `count` spans of each metric, in order of their start. */
export function newestSpans(spans: readonly SpanWire[], count: number): SpanWire[] {
  const sorted = [...spans].sort((a, b) => a.start - b.start);
  return lastOfEach(sorted, count, ({ metric }) => metric);
}

/** The labels of every entity of every host; that of a machine has its name. */
export function entityRecords({ entities, hosts }: Catalog): EntityWire[] {
  const known = new Map<string, EntityWire>();
  const put = (one: EntityWire) => known.set(JSON.stringify([one.host, one.entity]), one);
  for (const [host, all] of Object.entries(entities)) {
    for (const [entity, labels] of Object.entries(all)) put({ host, entity, labels });
  }
  for (const [host, about] of Object.entries(hosts)) {
    if (!about["name"]) continue;
    const before = known.get(JSON.stringify([host, "host"]))?.labels;
    put({ host, entity: "host", labels: { name: String(about["name"]), ...before } });
  }
  return [...known.values()];
}
