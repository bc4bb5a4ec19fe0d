/** Reads the JSON header of a packet: everything after this file may trust its types. */

import type {
  EntityWire,
  MomentWire,
  OddWire,
  SeriesWire,
  SpanWire,
  TextLineWire,
} from "../header.gen";
import {
  ALERT_PHASES,
  type AlertState,
  type MissingField,
  PHASES,
  READINESS,
  type SourceState,
  type State,
} from "../state.gen";

export type Json = Readonly<Record<string, unknown>>;

/** A packet that is damaged, cut short or from another version. */
export class WireError extends RangeError {
  override readonly name = "WireError";
}

export function record(value: unknown, name: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WireError(`${name} is not an object`);
  }
  return value as Json;
}

export function list(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new WireError(`${name} is not a list`);
  return value;
}

export function finite(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new WireError(`${name} is not a finite number`);
  }
  return value;
}

/** A whole number from 0 up to `most`. */
export function count(value: unknown, name: string, most = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > most) {
    throw new WireError(`${name} is not a whole number from 0 to ${most}`);
  }
  return value as number;
}

export function ids(value: unknown, name: string): number[] {
  return list(value, name).map((id) => count(id, name, 2 ** 31 - 1));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function number(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function oneOf<T extends string>(value: unknown, known: readonly T[], otherwise: T): T {
  return known.find((word) => word === value) ?? otherwise;
}

function optional(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

function optionalList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: unknown): Record<string, string> {
  const entries = Object.entries(optional(value));
  return Object.fromEntries(entries.map(([key, item]) => [key, String(item)]));
}

export function readSeries(value: unknown): SeriesWire[] {
  return list(value ?? [], "series").map((item) => {
    const one = record(item, "series");
    return {
      id: count(one["id"], "series id", 2 ** 31 - 1),
      host: text(one["host"]),
      entity: text(one["entity"]),
      metric: text(one["metric"]),
      unit: text(one["unit"]),
      kind: text(one["kind"]),
      labels: texts(one["labels"]),
    };
  });
}

export function readEntities(value: unknown): EntityWire[] {
  return list(value ?? [], "entities").map((item) => {
    const one = record(item, "entity");
    return {
      host: text(one["host"]),
      entity: text(one["entity"]),
      labels: texts(one["labels"]),
    };
  });
}

export function readMoments(value: unknown): MomentWire[] {
  return optionalList(value).map((item) => {
    const one = record(item, "moment");
    return { time: finite(one["time"], "moment time"), ...aboutOf(one) };
  });
}

export function readSpans(value: unknown): SpanWire[] {
  return optionalList(value).map((item) => {
    const one = record(item, "span");
    const start = finite(one["start"], "span start");
    return { id: text(one["id"]), start, end: numberOrNull(one["end"]), ...aboutOf(one) };
  });
}

function aboutOf(one: Json): Omit<MomentWire, "time"> {
  return {
    host: text(one["host"]),
    entity: text(one["entity"]),
    metric: text(one["metric"]) || "event",
    facts: optional(one["facts"]),
  };
}

export function readLines(value: unknown): TextLineWire[] {
  return optionalList(value).map((item) => {
    const one = record(item, "line");
    const series = count(one["series"], "line series", 2 ** 31 - 1);
    return { series, time: finite(one["time"], "line time"), text: text(one["text"]) };
  });
}

export function readOdd(value: unknown): OddWire[] {
  return optionalList(value).map((item) => {
    const one = record(item, "odd value");
    const series = count(one["series"], "odd series", 2 ** 31 - 1);
    const time = finite(one["time"], "odd time");
    return { series, time, step: numberOrNull(one["step"]), what: text(one["what"]) };
  });
}

function readMissing(value: unknown): MissingField[] {
  return optionalList(value).map((item) => {
    const one = optional(item);
    return { what: text(one["what"]), why: text(one["why"]) };
  });
}

function readSources(value: unknown): SourceState[] {
  return optionalList(value).map((item) => {
    const one = optional(item);
    return {
      name: text(one["name"]),
      state: oneOf(one["state"], READINESS, "failed"),
      problem: text(one["problem"]),
      remedy: text(one["remedy"]),
      missing: readMissing(one["missing"]),
      title: text(one["title"]),
      group: text(one["group"]),
    };
  });
}

function readAlerts(value: unknown): AlertState[] {
  return optionalList(value).map((item) => {
    const one = optional(item);
    return {
      text: text(one["text"]),
      phase: oneOf(one["phase"], ALERT_PHASES, "no data"),
      host: text(one["host"]),
      entity: text(one["entity"]),
      value: numberOrNull(one["value"]),
      since: numberOrNull(one["since"]),
      problem: text(one["problem"]),
    };
  });
}

/** The state with every field there, whatever a newer or older kernel left out. */
export function readState(value: unknown): State {
  const state = optional(value);
  const recording = optional(state["recording"]);
  const cost = optional(state["cost"]);
  const kernel = optional(state["kernel"]);
  const versions = optional(state["versions"]);
  const [major, minor] = optionalList(versions["wire"]);
  return {
    phase: oneOf(state["phase"], PHASES, "replay"),
    title: text(state["title"]),
    t0: number(state["t0"], Number.NaN),
    t1: numberOrNull(state["t1"]),
    as_of: numberOrNull(state["as_of"]),
    interval: number(state["interval"], 1),
    simulated: state["simulated"] === true,
    sources: readSources(state["sources"]),
    recording: {
      path: textOrNull(recording["path"]),
      bytes: number(recording["bytes"], 0),
      problem: textOrNull(recording["problem"]),
      remedy: textOrNull(recording["remedy"]),
    },
    cost: {
      cores: numberOrNull(cost["cores"]),
      tick_s: numberOrNull(cost["tick_s"]),
      dropped: number(cost["dropped"], 0),
      sent_bytes_per_s: number(cost["sent_bytes_per_s"] ?? cost["sent_bytes_s"], 0),
      slowed: text(cost["slowed"]),
    },
    kernel: { busy: kernel["busy"] === true, cell: numberOrNull(kernel["cell"]) },
    versions: {
      package: text(versions["package"]),
      wire: [number(major, 1), number(minor, 0)],
    },
    alerts: readAlerts(state["alerts"]),
  };
}
