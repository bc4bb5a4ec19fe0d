/**
 * A keyframe as it may leave the machine: without names of hosts, absolute paths, lines of source
 * and output. The twin of `redact` in `pulse_widgets/exchange/bundle.py`, for the pictures that
 * the browser saves. Names of users are left out where they stand as such: unlike the kernel the
 * browser does not know them, so it cannot find them in a sentence.
 */

import { kindOfEvent } from "../vocabulary/kinds";
import { withHeader } from "../wire/encode";
import { type Json, list, record } from "../wire/header";

const EVENTS_SAVED = 50;
const PRIVATE = new Set([
  ...["user", "username", "hostname", "cwd", "home", "boot_id", "machine_id"],
  ...["output", "traceback", "code", "source", "line"],
  ...["argv", "command", "cmdline", "executable"],
]);
const HOST_NAMES = ["name", "fqdn", "node", "hostname"];
const NAMELESS = new Set(["", "root", "user", "localhost", "host", "kernel"]);
/** Fields of an event that are words of ours. */
const OWN_WORDS = ["metric", "kind", "id", "status", "state"];
const PATH = /(?<![\w/.:~-])(?:~|[A-Za-z]:[\\/])?\/(?:[^\s/'",;)]+\/)*[^\s/'",;:)]+/g;

export function redactKeyframe(packet: Uint8Array): Uint8Array<ArrayBuffer> {
  return withHeader(packet, (header) => {
    const redaction = new Redaction(header);
    const events = list(header["events"] ?? [], "events").map((event) => record(event, "event"));
    const told = events.filter(({ metric }) => !kindOfEvent(String(metric)).private);
    return {
      ...header,
      seq: 0,
      series: list(header["series"] ?? [], "series").map((one) => redaction.series(one)),
      entities: redaction.entities(record(header["entities"] ?? {}, "entities")),
      state: redaction.state(record(header["state"] ?? {}, "state")),
      events: told.slice(-EVENTS_SAVED).map((event) => redaction.event(event)),
    };
  });
}

class Redaction {
  /** Hosts are numbered, so that two of them stay two. */
  readonly #hosts = new Map<unknown, string>();
  /** Mounts are numbered, for their name is a path. */
  readonly #renamed = new Map<unknown, string>();
  readonly #names: RegExp | null;

  constructor(header: Json) {
    let mounts = 0;
    for (const item of list(header["series"] ?? [], "series")) {
      const { host, entity } = record(item, "series");
      if (!this.#hosts.has(host)) this.#hosts.set(host, `host-${this.#hosts.size}`);
      if (this.#renamed.has(entity)) continue;
      const mount = String(entity).startsWith("fs:/") && entity !== "fs:/";
      this.#renamed.set(entity, mount ? `fs:mount-${++mounts}` : String(entity));
    }
    this.#names = this.#hostNames(record(header["entities"] ?? {}, "entities"));
  }

  series(item: unknown): Json {
    const one = record(item, "series");
    return {
      ...one,
      host: this.#hosts.get(one["host"]),
      entity: this.#renamed.get(one["entity"]),
      labels: this.#value(one["labels"] ?? {}),
    };
  }

  /** The labels of what has a series: an entity without one may have a path for a name. */
  entities(entities: Json): Json {
    const told = Object.entries(entities).flatMap(([entity, labels]) => {
      const renamed = this.#hosts.get(entity) ?? this.#renamed.get(entity);
      if (renamed === undefined && entity !== "host") return [];
      const plain = this.#value(labels) as Json;
      return [[renamed ?? entity, this.#isHost(entity) ? without(plain, HOST_NAMES) : plain]];
    });
    return Object.fromEntries(told);
  }

  state(state: Json): Json {
    const recording = record(state["recording"] ?? {}, "recording");
    const { path } = recording;
    if (typeof path !== "string") return this.#value(state) as Json;
    // The last part is what one looks for.
    const name = path.split(/[\\/]/).at(-1);
    return this.#value({ ...state, recording: { ...recording, path: name } }) as Json;
  }

  event(event: Json): Json {
    const kept = OWN_WORDS.filter((key) => key in event).map((key) => [key, event[key]]);
    const entity = this.#renamed.get(event["entity"]) ?? this.#value(event["entity"]);
    return { ...(this.#value(event) as Json), ...Object.fromEntries(kept), entity };
  }

  #isHost(entity: string): boolean {
    return entity === "host" || this.#hosts.has(entity);
  }

  #hostNames(entities: Json): RegExp | null {
    const hosts = Object.entries(entities).filter(([entity]) => this.#isHost(entity));
    const names = hosts.flatMap(([, labels]) => {
      const told = record(labels, "entities");
      return HOST_NAMES.map((key) => told[key]);
    });
    const hidden = names.filter((name): name is string => {
      return typeof name === "string" && !NAMELESS.has(name);
    });
    if (hidden.length === 0) return null;
    const longest = hidden.sort((a, b) => b.length - a.length);
    const escaped = longest.map((name) => name.replace(/[.*+?^${}()|[\]\\-]/g, "\\$&"));
    return new RegExp(`(?<!\\w)(?:${escaped.join("|")})(?!\\w)`, "g");
  }

  /** JSON content without whole private fields, and its texts without names and paths. */
  #value(value: unknown): unknown {
    if (typeof value === "string") {
      const plain = value.replace(PATH, "<path>");
      return this.#names ? plain.replace(this.#names, "<name>") : plain;
    }
    if (Array.isArray(value)) return value.map((item) => this.#value(item));
    if (typeof value !== "object" || value === null) return value;
    const told = Object.entries(value).filter(([key]) => !PRIVATE.has(key));
    return Object.fromEntries(told.map(([key, item]) => [key, this.#value(item)]));
  }
}

function without(labels: Json, keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !keys.includes(key)));
}
