/**
 * The journal of one writer: batches of rows in the order in which they arrived. Each carries its
 * place, the series it uses first and a checksum. Batches are taken while all of this holds.
 */

import { crc32 } from "../parquet/crc";
import { ArrowStream, type Batch, BrokenOff } from "./arrow-stream";

/** A series as its writer announces it; `id` is the writer's own number. */
export interface Announced {
  readonly id: number;
  readonly host: string;
  readonly entity: string;
  readonly metric: string;
  readonly unit: string;
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
}

const LONGEST_REASON = 100;

/** Reads a journal piece by piece, as it grows. */
export class JournalReader {
  readonly series = new Map<number, Announced>();
  readonly #stream = new ArrowStream();
  #batches = 0;
  /** Bytes that have come and are not read yet. */
  #rest = new Uint8Array(0);
  #good = 0;
  #reason = "";

  /** Bytes that were handed over. */
  get size(): number {
    return this.#good + this.#rest.length;
  }

  /** Why nothing more is taken; "" while all holds. */
  get reason(): string {
    return this.#reason;
  }

  /** Bytes behind the last good batch, and what is wrong with them: nothing where there are none. */
  get dropped(): { readonly bytes: number; readonly reason: string } {
    const bytes = this.#rest.length;
    return { bytes, reason: bytes === 0 ? "" : this.#reason || new BrokenOff().message };
  }

  /** The batches that are complete with these bytes, which follow those handed over before. */
  take(bytes: Uint8Array): Batch[] {
    const content = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
    const batches: Batch[] = [];
    let place = 0;
    try {
      while (place < content.length && this.#reason === "") {
        const { batch, end } = this.#stream.message(content, place);
        this.#reason = batch ? this.#faultOf(batch) : "";
        if (this.#reason !== "") break;
        if (batch) batches.push(batch);
        place = end;
      }
    } catch (problem) {
      if (!(problem instanceof BrokenOff)) this.#reason = reasonOf(problem);
    }
    this.#good += place;
    this.#rest = content.slice(place);
    return batches;
  }

  /** What is wrong with a batch; "" where nothing is, and then its series are known. */
  #faultOf(batch: Batch): string {
    const [n, series, crc] = ["n", "series", "crc"].map((key) => batch.marks.get(key));
    if (!n || !series || !crc) return "a batch has no marks";
    if (crc32(series, crc32(n, batch.crc)) !== Number(textOf(crc))) {
      return "a batch does not match its checksum";
    }
    if (Number(textOf(n)) !== this.#batches) return "a batch is missing";
    const fresh = new Map<number, Announced>();
    for (const entry of JSON.parse(textOf(series)) as unknown[]) {
      const one = announced(entry);
      const before = fresh.get(one.id) ?? this.series.get(one.id) ?? one;
      if (!isSame(before, one)) return "a batch gives the number of one series to another";
      fresh.set(one.id, one);
    }
    for (const id of new Set(batch.series)) {
      if (!fresh.has(id) && !this.series.has(id)) {
        return "a batch uses a series that was not announced";
      }
    }
    for (const [id, one] of fresh) this.series.set(id, one);
    this.#batches++;
    return "";
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function joined(before: Uint8Array, after: Uint8Array): Uint8Array {
  const both = new Uint8Array(before.length + after.length);
  both.set(before);
  both.set(after, before.length);
  return both;
}

function reasonOf(problem: unknown): string {
  const text = problem instanceof Error ? problem.message : String(problem);
  return text.slice(0, LONGEST_REASON) || "damaged";
}

function announced(entry: unknown): Announced {
  const [id, host, entity, metric, unit, kind, labels] = entry as unknown[];
  const isObject = typeof labels === "object" && labels !== null && !Array.isArray(labels);
  const texts = [host, entity, metric, unit, kind, ...(isObject ? Object.values(labels) : [0])];
  const isNumber = Number.isInteger(id) && (id as number) >= 0;
  if (!isNumber || !texts.every((text) => typeof text === "string")) {
    throw new RangeError("not the announcement of a series");
  }
  const named = { host, entity, metric, unit, kind } as Omit<Announced, "id" | "labels">;
  return { id: id as number, ...named, labels: labels as Record<string, string> };
}

function isSame(a: Announced, b: Announced): boolean {
  const text = ({ labels, ...named }: Announced) =>
    JSON.stringify([
      named.host,
      named.entity,
      named.metric,
      named.unit,
      named.kind,
      Object.entries(labels).sort(([x], [y]) => (x < y ? -1 : 1)),
    ]);
  return a === b || text(a) === text(b);
}
