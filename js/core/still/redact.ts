/**
 * A keyframe as it may leave the machine: without names of hosts, absolute paths, lines of source
 * and output. The twin of `redact` in `pulse_widgets/exchange/bundle.py`, for the pictures that
 * the browser saves. Names of users are left out where they stand as such: unlike the kernel the
 * browser does not know them, so it cannot find them in a sentence.
 */

import { kindOfEvent } from "../vocabulary/kinds";
import { type Owner, ownerKey } from "../vocabulary/owners";
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
/** Facts of an event that are words of ours. */
const OWN_WORDS = ["kind", "id", "status", "state"];
const PATH = /(?<![\w/.:~-])(?:~|[A-Za-z]:[\\/])?\/(?:[^\s/'",;)]+\/)*[^\s/'",;:)]+/g;

export function redactKeyframe(packet: Uint8Array): Uint8Array<ArrayBuffer> {
  return withHeader(packet, (header) => {
    const redaction = new Redaction(header);
    const saved = (key: string) => {
      const allowed = objects(header, key).filter(
        ({ metric }) => !kindOfEvent(String(metric)).private,
      );
      return allowed.slice(-EVENTS_SAVED).map((event) => redaction.event(event));
    };
    return {
      ...header,
      seq: 0,
      series: objects(header, "series").map((one) => redaction.series(one)),
      entities: redaction.entities(objects(header, "entities")),
      state: redaction.state(record(header["state"] ?? {}, "state")),
      moments: saved("moments"),
      spans: saved("spans"),
    };
  });
}

function objects(header: Json, key: string): Json[] {
  return list(header[key] ?? [], key).map((one) => record(one, key));
}

class Redaction {
  /** Hosts are numbered, so that two different ones do not become one. */
  readonly #hosts = new Map<unknown, string>();
  /** Mounts are numbered, because their name is a path. */
  readonly #renamed = new Map<string, Owner>();
  readonly #names: RegExp | null;

  constructor(header: Json) {
    const mounts = new Map<unknown, number>();
    for (const key of ["series", "entities", "moments", "spans"]) {
      for (const { host } of objects(header, key)) {
        if (!this.#hosts.has(host)) this.#hosts.set(host, `h${this.#hosts.size}`);
      }
    }
    for (const { host, entity } of objects(header, "series") as unknown as Owner[]) {
      const name = this.#hosts.get(host) as string;
      this.#rename({ host, entity: "host" }, { host: name, entity: "host" });
      const known = this.#renamed.has(ownerKey({ host, entity }));
      const mount = !known && String(entity).startsWith("fs:/") && entity !== "fs:/";
      if (mount) mounts.set(host, (mounts.get(host) ?? 0) + 1);
      const shown = mount ? `fs:mount-${mounts.get(host)}` : String(entity);
      this.#rename({ host, entity }, { host: name, entity: shown });
    }
    this.#names = this.#hostNames(objects(header, "entities"));
  }

  #rename(owner: Owner, renamed: Owner): void {
    const key = ownerKey(owner);
    if (!this.#renamed.has(key)) this.#renamed.set(key, renamed);
  }

  series(one: Json): Json {
    const renamed = this.#renamed.get(ownerKey(one as unknown as Owner));
    return { ...one, ...renamed, labels: this.#value(one["labels"] ?? {}) };
  }

  /** The labels of what has a series: an entity without one may have a path for a name. */
  entities(entities: readonly Json[]): Json[] {
    return entities.flatMap((one) => {
      const renamed = this.#renamed.get(ownerKey(one as unknown as Owner));
      if (renamed === undefined) return [];
      const plain = this.#value(one["labels"] ?? {}) as Json;
      const labels = one["entity"] === "host" ? without(plain, HOST_NAMES) : plain;
      return [{ ...renamed, labels }];
    });
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
    const facts = record(event["facts"] ?? {}, "facts");
    const kept = OWN_WORDS.filter((key) => key in facts).map((key) => [key, facts[key]]);
    const cleaned = { ...(this.#value(facts) as Json), ...Object.fromEntries(kept) };
    const owner = this.#renamed.get(ownerKey(event as unknown as Owner));
    const alike = { host: this.#hosts.get(event["host"]), entity: this.#value(event["entity"]) };
    return { ...event, ...(owner ?? alike), facts: cleaned };
  }

  #hostNames(entities: readonly Json[]): RegExp | null {
    const hosts = entities.filter(({ entity }) => entity === "host");
    const names = hosts.flatMap(({ labels }) => {
      const known = record(labels, "labels");
      return HOST_NAMES.map((key) => known[key]);
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
    const allowed = Object.entries(value).filter(([key]) => !PRIVATE.has(key));
    return Object.fromEntries(allowed.map(([key, item]) => [key, this.#value(item)]));
  }
}

function without(labels: Json, keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !keys.includes(key)));
}
