/**
 * A keyframe as it may leave the machine: without host names, paths, code and output. The twin of
 * what `pulse_widgets/exchange/bundle.py` does before the kernel saves a picture.
 */

import { withHeader } from "./encode";
import { type Json, list, record } from "./wire-header";

const EVENTS_SAVED = 50;
/** What an event may say; a cell's source, output and traceback stay at home. */
const EVENT_KEYS = ["time", "metric", "entity", "value", "id", "label", "status"];
/** What may be told of a device. */
const LABELS = ["name", "model", "vendor", "architecture", "index", "memory"];

const ABSOLUTE_PATH = /(^|[\s"'(=:])(?:\/|~\/|[A-Za-z]:\\)[^\s"')]+/g;

export function redactKeyframe(packet: Uint8Array): Uint8Array<ArrayBuffer> {
  return withHeader(packet, (header) => {
    const events = list(header["events"] ?? [], "events").map((one) => record(one, "event"));
    const state = record(header["state"] ?? {}, "state");
    const entities = Object.entries(record(header["entities"] ?? {}, "entities"));
    return {
      ...header,
      seq: 0,
      series: withoutHosts(list(header["series"] ?? [], "series")),
      entities: Object.fromEntries(entities.map(([key, labels]) => [key, pick(labels, LABELS)])),
      state: redactState(state),
      events: events.slice(-EVENTS_SAVED).map((event) => pick(event, EVENT_KEYS)),
    };
  });
}

/** Hosts are numbered, so that two of them stay two. */
function withoutHosts(series: readonly unknown[]): Json[] {
  const hosts = new Map<unknown, string>();
  return series.map((item) => {
    const one = record(item, "series");
    const host = one["host"];
    if (!hosts.has(host)) hosts.set(host, `host-${hosts.size}`);
    return { ...one, host: hosts.get(host) };
  });
}

function redactState(state: Json): Json {
  const sources = list(state["sources"] ?? [], "sources").map((item) => {
    const one = record(item, "source");
    return { ...one, problem: scrub(one["problem"]), remedy: scrub(one["remedy"]) };
  });
  const recording = { path: null, bytes: 0, problem: null, remedy: null };
  return { ...state, sources, recording };
}

function scrub(text: unknown): string {
  return typeof text === "string" ? text.replace(ABSOLUTE_PATH, "$1…") : "";
}

function pick(value: unknown, keys: readonly string[]): Json {
  const all = Object.entries(record(value, "labels"));
  return Object.fromEntries(all.filter(([key]) => keys.includes(key)));
}
