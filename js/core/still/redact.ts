/**
 * A keyframe as it may leave the machine: without names of hosts, absolute paths, lines of source
 * and output. The twin of `redact` in `pulse_widgets/exchange/bundle.py`; `tests/data/redact.json`
 * holds both to the same examples. The browser does not know how the user is called, nor always
 * the machine. So what it saves is a keyframe that the kernel has redacted already, and this is the
 * second look at it.
 */

import { isUser, parsed } from "../vocabulary/defined";
import { kindOfEvent } from "../vocabulary/kinds";
import { type Owner, ownerKey } from "../vocabulary/owners";
import { withHeader } from "../wire/encode";
import { type Json, list, readOdd, record } from "../wire/header";
import { lastOfEach } from "../wire/spans";

const EVENTS_SAVED = 50;
const PRIVATE = new Set([
  ...["user", "username", "hostname", "cwd", "home", "boot_id", "machine_id"],
  ...["output", "traceback", "code", "source", "line"],
  ...["argv", "command", "cmdline", "executable"],
]);
const HOST_NAMES = ["name", "fqdn", "node", "hostname"];
const NAMELESS = new Set(["", "root", "user", "localhost", "host", "kernel"]);

const LETTER = String.raw`[\p{L}\p{N}_]`;
const BODY = String.raw`(?:\\[ ]|[^\s'"${"`"}])*`;
const WORD = String.raw`[\p{L}\p{N}_.()&+\-]+`;
/** A name with spaces is known only by the slash behind it. "rows/s" and "and/or" are words. */
const ON = String.raw`(?:(?<![.,:;!?)\]}>])[ ](?:${WORD}[ ]){0,3}${WORD}[\/\\](?!(?:s|h|or)(?!${LETTER}))${BODY})*`;
const REST = String.raw`${BODY}${ON}[^\s'"${"`"}.,:;!?)\]}>]`;
const HOME = String.raw`~[\p{L}\p{N}_.\-]*`;
/** A slash between words ("rows/s") or behind a scheme ("https://") begins no path. */
const PATHS = [
  // In quotes, to their end.
  ...['"', "'", "`"].map(
    (q) =>
      String.raw`(?<=${q})(?:file:\/\/|(?:${HOME}|[A-Za-z]:)?[\/\\](?![\-\/${q}]))[^${q}\n]*(?=${q})`,
  ),
  String.raw`file:\/\/${REST}`,
  // Of ours, which are known by their end.
  String.raw`(?<![\p{L}\p{N}_\/.~])\/(?![\-\s\/])[^'"\n:;]{0,4096}\.pulse(?:\.parquet)?(?![\p{L}\p{N}_.])[^\s'":;,]*`,
  String.raw`(?<![\p{L}\p{N}_\/.~])(?:${HOME})?\/(?![\-\s\/])${REST}`,
  String.raw`(?<![\p{L}\p{N}_:\/.~])\/\/(?=[\p{L}\p{N}_.\-]+\/)${REST}`,
  String.raw`(?<!${LETTER})(?:[A-Za-z]:[\/\\]|${HOME}\\)${REST}`,
  String.raw`(?<![\p{L}\p{N}_\\])\\{2,4}(?=[\p{L}\p{N}_.$\-]+\\)${REST}`,
];
const PATH = new RegExp(PATHS.join("|"), "gu");
const WHOLE = new RegExp(String.raw`^(?:${HOME}|[A-Za-z]:)?[\/\\](?!\/).+$`, "u");
const NUMBERED = /^h\d+$/;

export function redactKeyframe(packet: Uint8Array): Uint8Array<ArrayBuffer> {
  return withHeader(packet, (header) => {
    const redaction = new Redaction(header);
    const saved = (key: string) => {
      const allowed = objects(header, key).filter(
        ({ metric }) => !kindOfEvent(String(metric)).private,
      );
      const newest =
        key === "spans"
          ? lastOfEach(allowed, EVENTS_SAVED, ({ metric }) => String(metric))
          : allowed.slice(-EVENTS_SAVED);
      return newest.map((event) => redaction.event(event));
    };
    return {
      ...header,
      seq: 0,
      series: objects(header, "series").map((one) => redaction.series(one)),
      entities: redaction.entities(objects(header, "entities")),
      state: redaction.state(record(header["state"] ?? {}, "state")),
      moments: saved("moments"),
      spans: saved("spans"),
      ...(header["odd"] ? { odd: readOdd(header["odd"]) } : {}),
    };
  });
}

function objects(header: Json, key: string): Json[] {
  return list(header[key] ?? [], key).map((one) => record(one, key));
}

class Redaction {
  /** Hosts are numbered, so that two different ones do not become one. */
  readonly #hosts: ReadonlyMap<string, string>;
  readonly #ids = new Map<string, string>();
  /** Things are numbered where their id has a path or a name in it, as a mount's has. */
  readonly #renamed = new Map<string, Owner>();
  readonly #names: RegExp | null;

  constructor(header: Json) {
    const numbers = new Map<string, number>();
    const parts = ["series", "entities", "moments", "spans"];
    const found = parts.flatMap((key) => objects(header, key).map(({ host }) => String(host)));
    this.#hosts = numbered(found);
    this.#names = this.#hostNames(objects(header, "entities"));
    for (const { host, entity } of objects(header, "series") as unknown as Owner[]) {
      const name = this.#hosts.get(String(host)) as string;
      this.#rename({ host, entity: "host" }, { host: name, entity: "host" });
      const known = this.#renamed.has(ownerKey({ host, entity }));
      const shown = known ? entity : this.#entity({ host, entity }, numbers);
      this.#rename({ host, entity }, { host: name, entity: shown });
    }
  }

  #entity({ host, entity }: Owner, numbers: Map<string, number>): string {
    const [sort = ""] = String(entity).split(":", 1);
    const name = String(entity).slice(sort.length + 1);
    if (entity === "fs:/" || this.#text(name) === name) return String(entity);
    const key = ownerKey({ host, entity: sort });
    const number = (numbers.get(key) ?? 0) + 1;
    numbers.set(key, number);
    return `${sort}:${sort === "fs" ? "mount" : "name"}-${number}`;
  }

  #rename(owner: Owner, renamed: Owner): void {
    const key = ownerKey(owner);
    if (!this.#renamed.has(key)) this.#renamed.set(key, renamed);
  }

  series(one: Json): Json {
    const renamed = this.#renamed.get(ownerKey(one as unknown as Owner));
    return { ...one, ...renamed, labels: this.#labels(one) };
  }

  /** The labels of what has a series, and of users: another entity without one may have a path for a name. */
  entities(entities: readonly Json[]): Json[] {
    return entities.flatMap((one) => {
      const owner = one as unknown as Owner;
      const user = isUser(String(owner.entity)) ? { host: this.#hosts.get(owner.host) } : null;
      const renamed = this.#renamed.get(ownerKey(owner)) ?? (user && { ...owner, ...user });
      if (!renamed) return [];
      const plain = this.#labels(one);
      const labels = one["entity"] === "host" ? without(plain, HOST_NAMES) : plain;
      return [{ host: renamed.host, entity: renamed.entity, labels }];
    });
  }

  /** A label that is a path is replaced whole, with its spaces. */
  #labels({ labels }: Json): Json {
    const plain = Object.entries(record(labels ?? {}, "labels")).map(
      ([key, label]) => [key, WHOLE.test(String(label)) ? "<path>" : label] as const,
    );
    const said = plain.flatMap(([key, label]) => {
      if (key !== "config" && key !== "defined") return [];
      return [[key, JSON.stringify(this.#cleaned(parsed(String(label))))]];
    });
    const kept = this.#value(Object.fromEntries(plain)) as Json;
    return { ...kept, ...Object.fromEntries(said) };
  }

  /** What the user said: the names in it are none of ours, so that none is left out. */
  #cleaned(value: unknown): unknown {
    if (typeof value === "string") return WHOLE.test(value) ? "<path>" : this.#text(value);
    if (Array.isArray(value)) return value.map((item) => this.#cleaned(item));
    if (typeof value !== "object" || value === null) return value;
    const made: [string, unknown][] = [];
    for (const [key, inner] of Object.entries(value)) {
      // A pattern of names: in "*/loss" the slash begins no path.
      const plain = key.replace(/[*?\]]/g, "_");
      const name = this.#text(plain) === plain ? key : this.#text(key);
      // Several may have become the same.
      const taken = made.some(([other]) => other === name);
      made.push([taken ? `${name} ${made.length}` : name, this.#cleaned(inner)]);
    }
    return Object.fromEntries(made);
  }

  /** The title is what somebody chose, so it stays. */
  state(state: Json): Json {
    const { title } = state;
    const plain = this.#plainState(state);
    return title === undefined ? plain : { ...plain, title };
  }

  #plainState(state: Json): Json {
    const recording = record(state["recording"] ?? {}, "recording");
    const { path } = recording;
    if (typeof path !== "string") return this.#value(state) as Json;
    // The last part is what one looks for.
    const name = path.split(/[\\/]/).at(-1);
    return this.#value({ ...state, recording: { ...recording, path: name } }) as Json;
  }

  event(event: Json): Json {
    const facts = this.#value(record(event["facts"] ?? {}, "facts"));
    const owner = this.#renamed.get(ownerKey(event as unknown as Owner));
    const host = this.#hosts.get(String(event["host"]));
    const alike = { host, entity: this.#value(event["entity"]) };
    const named = "id" in event ? { id: this.#identity(String(event["id"])) } : {};
    return { ...event, ...named, ...(owner ?? alike), facts };
  }

  #hostNames(entities: readonly Json[]): RegExp | null {
    const hosts = entities.filter(({ entity }) => entity === "host");
    const names = hosts.flatMap(({ labels }) => {
      const known = record(labels, "labels");
      return HOST_NAMES.map((key) => known[key]);
    });
    const ids = [...this.#hosts].flatMap(([host, number]) => (host === number ? [] : [host]));
    const known = [...names, ...ids].filter((name) => typeof name === "string");
    // Digits alone name nothing, and are in most texts.
    const hidden = known.flatMap(spellings).filter((name) => {
      return !NAMELESS.has(name) && !/^\d+$/.test(name);
    });
    if (hidden.length === 0) return null;
    const longest = hidden.sort((a, b) => b.length - a.length);
    const escaped = longest.map((name) => name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
    // Beside letters it is another word; figures and "_" are often put to a name.
    return new RegExp(String.raw`(?<!\p{L})(?:${escaped.join("|")})(?!\p{L})`, "gu");
  }

  #text(text: string): string {
    const plain = text.replace(PATH, "<path>");
    return this.#names ? plain.replace(this.#names, "<name>") : plain;
  }

  /** An id with a path or a name in it is numbered, so that two do not become one. */
  #identity(name: string): string {
    if (this.#text(name) === name) return name;
    const known = this.#ids.get(name) ?? `<id ${this.#ids.size + 1}>`;
    this.#ids.set(name, known);
    return known;
  }

  /** JSON content without whole private fields, and its texts without names and paths. */
  #value(value: unknown): unknown {
    if (typeof value === "string") return this.#text(value);
    if (Array.isArray(value)) return value.map((item) => this.#value(item));
    if (typeof value !== "object" || value === null) return value;
    const made: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(value)) {
      if (PRIVATE.has(key)) continue;
      const name = this.#text(key);
      const isId = key === "id" && typeof inner === "string";
      const kept = isId ? this.#identity(inner) : this.#value(inner);
      // Several may have become the same.
      made[Object.hasOwn(made, name) ? `${name} ${Object.keys(made).length}` : name] = kept;
    }
    return made;
  }
}

/** What to call each host: names become numbers, and ids that are numbers already stay. */
function numbered(hosts: readonly string[]): Map<string, string> {
  const names = [...new Set(hosts)].sort();
  const taken = new Set(names.filter((name) => NUMBERED.test(name)));
  let next = 0;
  const free = () => {
    while (taken.has(`h${next}`)) next += 1;
    return `h${next++}`;
  };
  return new Map(names.map((name) => [name, taken.has(name) ? name : free()]));
}

/** How a machine is called: its name, without its domain, and as folders have it. */
function spellings(name: string): string[] {
  const plain = [name, name.split(".", 1)[0] ?? ""];
  return [...plain, ...plain.map((each) => each.replace(/[^A-Za-z0-9_.]/g, "_"))];
}

function without(labels: Json, keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !keys.includes(key)));
}
