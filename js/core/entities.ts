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

const NAMES: Record<string, string> = {
  gpu: "GPU",
  mig: "MIG",
  ci: "CI",
  link: "link",
  cpu: "core",
  rank: "rank",
};

/** `gpu:0/mig:1` as "GPU 0 · MIG 1"; ids that are names stand for themselves. */
export function entityLabel(entity: string, labels: Record<string, string> = {}): string {
  if (entity.startsWith("{")) return entity.slice(1, -1).replaceAll('"', "") || entity;
  if (entity.startsWith("fs:")) return entity.slice(3);
  if (entity.startsWith("pid:")) return pidLabel(entity, labels);
  return entity.split("/").map(partLabel).join(" · ");
}

function partLabel(part: string): string {
  const colon = part.indexOf(":");
  if (colon < 0) return part;
  const name = NAMES[part.slice(0, colon)];
  return name ? `${name} ${part.slice(colon + 1)}` : part.slice(colon + 1);
}

function pidLabel(entity: string, labels: Record<string, string>): string {
  const [process = "", ...rest] = entity.split("/");
  const pid = process.slice(4);
  const name = labels["name"] ? `${labels["name"]} (${pid})` : `process ${pid}`;
  return [name, ...rest.map(partLabel)].join(" · ");
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
