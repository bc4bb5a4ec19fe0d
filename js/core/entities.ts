/** Entity ids as people say them, and in the order in which people list them. */

/** What kind of thing an entity is: `gpu:0/mig:1` is a "mig", `{code="500"}` a "labels". */
export function entityClass(entity: string): string {
  if (entity.startsWith("pid:")) return "pid";
  const parts = entity.split("/");
  const last = parts.find((part) => REST.test(part)) ?? parts.at(-1) ?? entity;
  return last.startsWith("{") ? "labels" : (last.split(":", 1)[0] ?? last);
}

/** Names of these have slashes in them, so they take the rest of an id. */
const REST = /^(\{|(fs|pod|stream|worker|disk|net):)/;

const KNOWN =
  /^(host|gpu|mig|ci|link|cpu|disk|fs|net|kernel|pid|cell|user|rank|pulse|worker|pod|stream|labels)$/;

/** Whether it is a class of ours, and not of a reader of another package. */
export function isKnownClass(kind: string): boolean {
  return KNOWN.test(kind);
}

const NAMES: Record<string, string> = {
  gpu: "GPU",
  mig: "MIG",
  ci: "CI",
  link: "link",
  cpu: "core",
  rank: "rank",
};

type Labels = Readonly<Record<string, string>>;

/**
 * `gpu:0/mig:1` as "GPU 0 · MIG 1"; ids that are names stand for themselves. What only a reader
 * of another package knows is called by its label `name`, and written as in its label `group`:
 * `npu:0` under "My NPUs" as "NPU 0".
 */
export function entityLabel(entity: string, labels: Labels = {}): string {
  if (entity.startsWith("{")) return entity.slice(1, -1).replaceAll('"', "") || entity;
  if (entity.startsWith("fs:")) return entity.slice(3);
  if (entity.startsWith("pid:")) return pidLabel(entity, labels);
  const parts = entity.split("/");
  const last = parts.pop() ?? entity;
  return [...parts.map((part) => partLabel(part, labels)), namedLabel(last, labels)].join(" · ");
}

function partLabel(part: string, labels: Labels = {}): string {
  const colon = part.indexOf(":");
  if (colon < 0) return part;
  const [kind, name] = [part.slice(0, colon), part.slice(colon + 1)];
  if (NAMES[kind]) return `${NAMES[kind]} ${name}`;
  // A number alone is no name.
  return /^\d+$/.test(name) ? `${spelled(kind, labels["group"] ?? "")} ${name}` : name;
}

/** A class of entities as the heading writes it. */
function spelled(kind: string, heading: string): string {
  const words = heading.split(/[^\p{L}\p{N}]+/u);
  const wanted = kind.toLowerCase();
  const word = words.find((one) => [wanted, `${wanted}s`].includes(one.toLowerCase()));
  return word?.slice(0, kind.length) ?? kind;
}

function namedLabel(part: string, labels: Labels): string {
  const name = labels["name"]?.trim();
  if (!name || isKnownClass(entityClass(part))) return partLabel(part, labels);
  const id = part.slice(part.indexOf(":") + 1);
  return name.split(" ").at(-1) === id ? name : `${name} (${id})`;
}

function pidLabel(entity: string, labels: Labels): string {
  const [process = "", ...rest] = entity.split("/");
  const pid = process.slice(4);
  const name = labels["name"] ? `${labels["name"]} (${pid})` : `process ${pid}`;
  return [name, ...rest.map((part) => partLabel(part))].join(" · ");
}

/** What a chart of several such things is divided by; empty where the title says enough. */
export function classSuffix(kind: string): string {
  const suffix: Record<string, string> = {
    mig: "by MIG instance",
    ci: "by compute instance",
    link: "by link",
    cpu: "by core",
    disk: "by disk",
    fs: "by file system",
    net: "by interface",
    pid: "by process",
    rank: "by rank",
    worker: "by worker",
    pod: "by pod",
    stream: "by stream",
  };
  return suffix[kind] ?? "";
}

const collator = new Intl.Collator("en", { numeric: true });

/** `gpu:2` before `gpu:10`. */
export function compareEntities(a: string, b: string): number {
  return collator.compare(a, b);
}
