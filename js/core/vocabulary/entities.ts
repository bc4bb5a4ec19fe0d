/** Entity ids as readable names, and their order. */

import { GREEDY, KNOWN, NAMES, ORDER } from "./shared.gen";

/** One step of an id; the name is empty where the step is one word. */
interface Part {
  readonly kind: string;
  readonly name: string;
}

/** The parts of an id, outermost first; the twin of `parse` in `pulse_widgets/metrics/entities.py`. */
function partsOf(entity: string): Part[] {
  const parts: Part[] = [];
  for (let rest = entity; rest !== ""; ) {
    const labels = rest.startsWith("{");
    const slash = rest.indexOf("/");
    const whole = slash < 0 || labels || GREEDY.includes(rest.split(":", 1)[0] as string);
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

/** Of thousands of series nearly all are of a few things. */
const CLASSES = new Map<string, string>();
const MOST_CLASSES = 1000;

/** What kind of thing an entity is: `gpu:0/mig:1` is a "mig", `{code="500"}` a "labels". */
export function entityClass(entity: string): string {
  const known = CLASSES.get(entity);
  if (known !== undefined) return known;
  const parts = partsOf(entity);
  const kind = (parts[0]?.kind === "pid" ? parts[0] : parts.at(-1))?.kind ?? "";
  if (CLASSES.size >= MOST_CLASSES) CLASSES.clear();
  CLASSES.set(entity, kind);
  return kind;
}

/** Whether an id is that of a whole GPU. */
export function isGpu(entity: string): boolean {
  const [first, ...others] = partsOf(entity);
  return first?.kind === "gpu" && others.length === 0;
}

/** Whether an id is that of what a process logs, alone or as one of several ranks. */
export function isUsers(entity: string): boolean {
  return entity === "user" || (entity.startsWith("rank:") && !entity.includes("/"));
}

/** Whether it is a class of ours, and not of a reader of another package. */
export function isKnownClass(kind: string): boolean {
  return KNOWN.includes(kind);
}

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

const IN_TEXT = /\b(?:gpu|mig|nic|disk|net|cpu):\d+(?:\/\w+:\d+)*/g;

/** A sentence in which ids are called as everywhere: "gpu:3: no answer" as "GPU 3: no answer". */
export function withLabels(text: string): string {
  return text.replace(IN_TEXT, (entity) => entityLabel(entity));
}

function partLabel({ kind, name }: Part, labels: Labels = {}): string {
  if (kind === "labels") return name.slice(1, -1).replaceAll('"', "") || name;
  if (name && Object.hasOwn(NAMES, kind)) return `${NAMES[kind]} ${name}`;
  // An id that is only a number gets its class in front.
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

/** As people count: `gpu:2` before `gpu:10`; the twin of `sort_key`. */
export function compareEntities(a: string, b: string): number {
  const [ours, theirs] = [partsOf(a), partsOf(b)];
  for (const [i, part] of ours.entries()) {
    const other = theirs[i];
    if (!other) return 1;
    const order = placeOf(part) - placeOf(other) || compareTexts(part.kind, other.kind);
    const all = order || compareNames(part.name, other.name);
    if (all) return all;
  }
  return ours.length - theirs.length;
}

function placeOf({ kind }: Part): number {
  const place = ORDER.indexOf(kind);
  return place < 0 ? ORDER.length : place;
}

/** Numbers within two names are compared as numbers. */
export function compareNames(a: string, b: string): number {
  // Text and digits alternate, text first.
  const [ours, theirs] = [a.split(/([0-9]+)/), b.split(/([0-9]+)/)];
  for (const [i, piece] of ours.entries()) {
    const other = theirs[i];
    if (other === undefined) return 1;
    const order = (i % 2 === 1 && compareDigits(piece, other)) || compareTexts(piece, other);
    if (order) return order;
  }
  return ours.length - theirs.length;
}

function compareDigits(a: string, b: string): number {
  const [ours, theirs] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  return ours.length - theirs.length || compareTexts(ours, theirs);
}

/** By code point, as Python does; JavaScript by itself takes half of a rare letter for one. */
function compareTexts(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const place = (text: string) => {
    const unit = text.charCodeAt(at);
    return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
  };
  return at < a.length && at < b.length ? place(a) - place(b) : a.length - b.length;
}
