/**
 * Headers of wire version 1.0, as notebooks have kept them, in today's form. `entities` was a
 * mapping of entity to labels, whatever the host; `events` held moments and the rows of spans.
 */

import type { MomentWire, SpanWire } from "../header.gen";
import type { Json } from "./header";
import { joinedSpan } from "./spans";

/** The metrics of spans that there were. */
const SPANS: ReadonlySet<unknown> = new Set(["cell", "span"]);
/** Those of lines of text, which were never shown. */
const LINES: ReadonlySet<unknown> = new Set(["log.stdout", "log.stderr"]);
/** What an event had besides the facts of its text. */
const FIELDS: ReadonlySet<string> = new Set(["time", "metric", "entity", "value", "id"]);
/** The host of a session that runs. */
const HOST = "h0";

/** The same header in today's form; one that has it already is not touched. */
export function upgraded(header: Json): Json {
  const { events, ...rest } = header;
  const { entities } = header;
  const isMapping = typeof entities === "object" && entities !== null && !Array.isArray(entities);
  if (events === undefined && !isMapping) return header;
  const series = objects(header["series"]);
  const named = isMapping ? { entities: entitiesOf(entities as Json, series) } : {};
  return { ...rest, ...named, ...(Array.isArray(events) ? eventsOf(objects(events), series) : {}) };
}

function objects(value: unknown): Json[] {
  const all = Array.isArray(value) ? value : [];
  return all.filter((one) => typeof one === "object" && one !== null);
}

/** An entity of which only its name is known is one of each host that has it. */
function entitiesOf(entities: Json, series: readonly Json[]): Json[] {
  const hosts = [...new Set(series.map(({ host }) => host))];
  if (hosts.length === 0) hosts.push(HOST);
  return Object.entries(entities).flatMap(([entity, labels]) => {
    // A machine could stand there under the id of its host.
    if (hosts.includes(entity)) return [{ host: entity, entity: "host", labels }];
    const owners = hosts.filter((host) =>
      series.some((one) => one["host"] === host && one["entity"] === entity),
    );
    return (owners.length > 0 ? owners : hosts).map((host) => ({ host, entity, labels }));
  });
}

function eventsOf(events: readonly Json[], series: readonly Json[]): Json {
  const hosts = new Map(series.map((one) => [`${one["metric"]} ${one["entity"]}`, one["host"]]));
  const kinds = new Map(series.map((one) => [`${one["metric"]} ${one["entity"]}`, one["kind"]]));
  const moments: MomentWire[] = [];
  const spans = new Map<string, SpanWire>();
  for (const event of events) {
    const time = event["time"] as number;
    const [metric, entity] = [String(event["metric"] ?? "event"), String(event["entity"] ?? "")];
    const key = `${metric} ${entity}`;
    const host = String(hosts.get(key) ?? series[0]?.["host"] ?? HOST);
    const facts = Object.fromEntries(Object.entries(event).filter(([name]) => !FIELDS.has(name)));
    const kind = kinds.get(key) ?? (SPANS.has(metric) ? "span" : "text");
    if (kind === "span") {
      const span = spanOf(event, { host, entity, metric, facts });
      const name = `${key} ${span.id}`;
      const known = spans.get(name);
      spans.set(name, known ? joinedSpan(known, span) : span);
    } else if (kind === "text" && !LINES.has(metric)) {
      moments.push({ time, host, entity, metric, facts });
    }
  }
  return { moments, spans: [...spans.values()] };
}

/** A row of a span: one without a value begins it, the value of the other is its seconds. */
function spanOf(event: Json, about: Omit<SpanWire, "id" | "start" | "end">): SpanWire {
  const time = event["time"] as number;
  const id = String(event["id"] ?? time);
  const value = event["value"];
  if (typeof value !== "number") return { ...about, id, start: time, end: null };
  return { ...about, id, start: time - value, end: time };
}
