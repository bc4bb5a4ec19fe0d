/** Entity ids as people say them, and in the order in which people list them. */

/** One step of an id; the name is empty where the step is one word. */
interface Part {
  readonly kind: string;
  readonly name: string;
}

/** Names of these have slashes in them, so they take the rest of an id. */
const GREEDY: ReadonlySet<string> = new Set(["fs", "pod", "stream", "worker", "disk", "net"]);

/** The parts of an id, outermost first; the twin of `parse` in `pulse_widgets/metrics/entities.py`. */
function partsOf(entity: string): Part[] {
  const parts: Part[] = [];
  for (let rest = entity; rest !== ""; ) {
    const labels = rest.startsWith("{");
    const slash = rest.indexOf("/");
    const whole = slash < 0 || labels || GREEDY.has(rest.split(":", 1)[0] as string);
    const step = whole ? rest : rest.slice(0, slash);
    rest = whole ? "" : rest.slice(slash + 1);
    const [kind = "", name = ""] = labels ? ["labels", step] : split(step);
    parts.push({ kind, name });
  }
  return parts;
}

function split(step: string): [string, string] {
  const colon = step.indexOf(":");
  return colon < 0 ? [step, ""] : [step.slice(0, colon), step.slice(colon + 1)];
}

/** What kind of thing an entity is: `gpu:0/mig:1` is a "mig", `{code="500"}` a "labels". */
export function entityClass(entity: string): string {
  const parts = partsOf(entity);
  return (parts[0]?.kind === "pid" ? parts[0] : parts.at(-1))?.kind ?? "";
}

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
  const parts = partsOf(entity);
  const [first, ...others] = parts;
  if (first?.kind === "pid") {
    const process = labels["name"] ? `${labels["name"]} (${first.name})` : `process ${first.name}`;
    return [process, ...others.map((part) => partLabel(part))].join(" · ");
  }
  const said = parts.map((part) => partLabel(part, labels));
  const last = parts.at(-1);
  const name = labels["name"]?.trim();
  if (last && name && !isKnownClass(last.kind)) {
    const number = last.name || last.kind;
    said[said.length - 1] = name.split(" ").at(-1) === number ? name : `${name} (${number})`;
  }
  return said.join(" · ") || entity;
}

function partLabel({ kind, name }: Part, labels: Labels = {}): string {
  if (kind === "labels") return name.slice(1, -1).replaceAll('"', "") || name;
  if (name && Object.hasOwn(NAMES, kind)) return `${NAMES[kind]} ${name}`;
  // A number alone is no name.
  return /^\d+$/.test(name) ? `${spelled(kind, labels["group"] ?? "")} ${name}` : name || kind;
}

/** A class of entities as the heading writes it. */
function spelled(kind: string, heading: string): string {
  const words = heading.split(/[^\p{L}\p{N}]+/u);
  const wanted = kind.toLowerCase();
  const word = words.find((one) => [wanted, `${wanted}s`].includes(one.toLowerCase()));
  return word?.slice(0, kind.length) ?? kind;
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
