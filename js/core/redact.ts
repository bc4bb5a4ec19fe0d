/**
 * A keyframe as it may leave the machine: without host and user names, absolute paths, lines of
 * source and output. The twin of `redact` in `pulse_widgets/exchange/bundle.py`, for the pictures
 * that the browser saves.
 */

import { withHeader } from "./encode";
import { type Json, list, record } from "./wire-header";

const EVENTS_SAVED = 50;
const PRIVATE_EVENT = ["line", "source", "traceback", "argv"];
const PRIVATE_LABELS = ["hostname", "user", "executable", "command", "argv"];
const PATH = /(?<![\w/:.])\/(?:[\w.+@-]+\/)+([\w.+@-]*)/g;

export function redactKeyframe(packet: Uint8Array): Uint8Array<ArrayBuffer> {
  return withHeader(packet, (header) => {
    const events = list(header["events"] ?? [], "events").slice(-EVENTS_SAVED);
    const entities = Object.entries(record(header["entities"] ?? {}, "entities"));
    return {
      ...header,
      seq: 0,
      series: withoutHosts(list(header["series"] ?? [], "series")),
      entities: Object.fromEntries(
        entities.map(([entity, labels]) => [entity, without(labels, PRIVATE_LABELS)]),
      ),
      state: plain(header["state"] ?? {}),
      events: events.map((event) => plain(without(event, PRIVATE_EVENT))),
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

function without(value: unknown, keys: readonly string[]): Json {
  const all = Object.entries(record(value, "header"));
  return Object.fromEntries(all.filter(([key]) => !keys.includes(key)));
}

/** JSON content with every absolute path cut down to its last part. */
function plain(value: unknown): unknown {
  if (typeof value === "string") return value.replace(PATH, "$1");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
