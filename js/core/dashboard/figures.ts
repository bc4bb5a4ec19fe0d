/** The few numbers of the summary strip. Pure. */

import type { Source } from "../source";
import { entityLabel, isGpu } from "../vocabulary/entities";
import { formatValue } from "../vocabulary/format";
import { compareOwners, type Owner, Owners, ownerKey } from "../vocabulary/owners";

export interface Figure {
  readonly key: string;
  /** What it is about: "gpu:0", "memory"; of several hosts each has one of that name. */
  readonly name: string;
  /** Whose it is, where there are several hosts. */
  readonly host: string | null;
  readonly label: string;
  readonly value: string;
  readonly note: string;
  /** Shares drawn as thin bars under the number; null where they are not known. */
  readonly bars: readonly (number | null)[];
  readonly warn: boolean;
  /** The whole of it in words, for hovering and for screen readers. */
  readonly title: string;
}

/** Beyond so many GPUs one figure sums them up. */
const MOST_TILES = 8;

/** A GPU without any of these has no readings to show. */
const GPU_SIGNS = ["gpu.utilization", "gpu.memory.used", "gpu.power", "gpu.temperature"];

/** Looks up the newest value of a metric of an entity of a host. */
export class Newest {
  readonly #source: Source;
  readonly #ids = new Map<string, Map<string, number>>();
  /** All there are, host by host. */
  readonly owners: readonly Owner[];
  /** What each is called. */
  readonly names: Owners;
  readonly hosts: readonly string[];

  constructor(source: Source) {
    this.#source = source;
    const found = new Map<string, Owner>();
    for (const { host, entity, metric, id } of source.catalog()) {
      const key = ownerKey({ host, entity });
      found.set(key, { host, entity });
      const ids = this.#ids.get(key) ?? new Map<string, number>();
      this.#ids.set(key, ids.set(metric, id));
    }
    this.owners = [...found.values()].sort(compareOwners);
    this.hosts = [...new Set(this.owners.map(({ host }) => host))];
    this.names = new Owners(source.entities(), this.hosts);
  }

  /** The value, or null where it is missing or there is no such series. */
  of(owner: Owner, metric: string): number | null {
    const value = this.#last(owner, metric)?.value ?? null;
    return value === null || Number.isNaN(value) ? null : value;
  }

  /** Whether the newest reading says that there is none, as against not having come yet. */
  missing(owner: Owner, metric: string): boolean {
    return Number.isNaN(this.#last(owner, metric)?.value ?? 0);
  }

  has(owner: Owner, metric: string): boolean {
    return this.#ids.get(ownerKey(owner))?.has(metric) ?? false;
  }

  /** What tells a figure about something of `host` from others: with one host its name does. */
  about(host: string, name: string): Pick<Figure, "key" | "name" | "host"> {
    if (!this.names.several) return { key: name, name, host: null };
    return { key: ownerKey({ host, entity: name }), name, host };
  }

  /** `label`, and whose it is where there are several hosts. */
  label(host: string, label: string): string {
    return this.names.several ? `${this.names.host(host)} \u00b7 ${label}` : label;
  }

  #last(owner: Owner, metric: string): { value: number } | null {
    const id = this.#ids.get(ownerKey(owner))?.get(metric);
    return id === undefined ? null : this.#source.last(id);
  }
}

export function figuresOf(source: Source, newest: Newest): Figure[] {
  if (!(source.heard?.() ?? true)) return [];
  const gpus = newest.owners.filter(({ entity }) => isGpu(entity));
  const single = gpus.length <= MOST_TILES ? gpus : [];
  const kernels = kernelsOf(newest).slice(0, MOST_TILES);
  const machines = new Set(newest.hosts.slice(0, MOST_TILES));
  return [
    ...(single.length < gpus.length ? [gpusFigure(gpus, newest)] : []),
    // All of one machine, then all of the next.
    ...newest.hosts.flatMap((host) => [
      ...single.filter((gpu) => gpu.host === host).map((gpu) => gpuFigure(gpu, newest)),
      ...(machines.has(host) ? hostFigures(host, newest) : []),
      ...kernels.filter((one) => one.host === host).map((one) => kernelFigure(one, source, newest)),
    ]),
    recordingFigure(source),
    ...costFigures(source),
  ];
}

function figure(key: string, label: string, value: string, more: Partial<Figure> = {}): Figure {
  const { note = "", bars = [], warn = false, name = key, host = null } = more;
  const title = more.title ?? [label, value, note].filter(Boolean).join(", ");
  return { key, name, host, label, value, note, bars, warn, title };
}

function gpuFigure(gpu: Owner, newest: Newest): Figure {
  const [used, total] = [newest.of(gpu, "gpu.memory.used"), newest.of(gpu, "gpu.memory.total")];
  const busy = newest.of(gpu, "gpu.utilization");
  const power = newest.of(gpu, "gpu.power");
  const heat = newest.of(gpu, "gpu.temperature");
  const note = [
    used === null ? "" : ofText(used, total),
    power === null ? "" : formatValue(whole(power), "W"),
    heat === null ? "" : formatValue(Math.round(heat), "degC"),
  ];
  const label = newest.label(gpu.host, entityLabel(gpu.entity));
  const value = formatValue(busy, "1");
  const model = newest.names.labels(gpu)["name"] ?? "";
  const name = model && newest.label(gpu.host, model);
  const about = newest.about(gpu.host, gpu.entity);
  const silent = GPU_SIGNS.every((sign) => newest.of(gpu, sign) === null);
  if (silent && GPU_SIGNS.some((sign) => newest.missing(gpu, sign))) {
    const said = { note: "gives no readings", bars: [null, null], warn: true };
    return figure(about.key, label, value, { ...about, ...said });
  }
  return figure(about.key, label, value, {
    ...about,
    note: note.filter(Boolean).join(" \u00b7 "),
    bars: [busy, shareOf(used, total)],
    title: [name || label, `busy ${value}`, ...note.filter(Boolean)].join(", "),
  });
}

/** All GPUs in one figure: the mean load, and the sums and extremes that matter. */
function gpusFigure(gpus: readonly Owner[], newest: Newest): Figure {
  const known = (metric: string) =>
    gpus.map((gpu) => newest.of(gpu, metric)).filter((value) => value !== null);
  const busy = known("gpu.utilization");
  const [used, total] = [sum(known("gpu.memory.used")), sum(known("gpu.memory.total"))];
  const heat = known("gpu.temperature");
  const mean = busy.length > 0 ? (sum(busy) ?? 0) / busy.length : null;
  const note = [
    used === null ? "" : ofText(used, total),
    formatValue(sum(known("gpu.power")), "W"),
    heat.length > 0 ? `hottest ${formatValue(Math.max(...heat), "degC")}` : "",
  ];
  return figure("gpus", `${gpus.length} GPUs, mean`, formatValue(mean, "1"), {
    note: note.filter(Boolean).join(" \u00b7 "),
    bars: [mean, shareOf(used, total)],
  });
}

function hostFigures(host: string, newest: Newest): Figure[] {
  const figures: Figure[] = [];
  const machine = { host, entity: "host" };
  if (newest.has(machine, "cpu.utilization")) {
    const busy = newest.of(machine, "cpu.utilization");
    const cores = newest.of(machine, "cpu.count");
    const seen = newest.owners.filter((one) => one.host === host && /^cpu:\d+$/.test(one.entity));
    const count = cores ?? (seen.length || null);
    const note = count === null ? "" : `${formatValue(count, "count")} cores`;
    const [about, label] = [newest.about(host, "cpu"), newest.label(host, "CPU")];
    const more = { ...about, note, bars: [busy] };
    figures.push(figure(about.key, label, formatValue(busy, "1"), more));
  }
  if (newest.has(machine, "memory.used")) {
    const used = newest.of(machine, "memory.used");
    const total = newest.of(machine, "memory.total");
    const note = total === null ? "" : `of ${formatValue(total, "B")}`;
    const [about, label] = [newest.about(host, "memory"), newest.label(host, "Memory")];
    const more = { ...about, note, bars: [shareOf(used, total)] };
    figures.push(figure(about.key, label, formatValue(used, "B"), more));
  }
  return figures;
}

/** The kernel of this session; a recording of several has one of each host. */
function kernelsOf(newest: Newest): Owner[] {
  return newest.owners.filter(
    (one) =>
      one.entity === "kernel" &&
      (newest.has(one, "process.cpu") || newest.has(one, "process.memory.rss")),
  );
}

function kernelFigure(kernel: Owner, source: Source, newest: Newest): Figure {
  const { busy, cell } = source.state().kernel;
  const running = source.state().phase === "running";
  const doing = !running ? "" : busy ? (cell === null ? "busy" : `in cell [${cell}]`) : "idle";
  const memory = newest.of(kernel, "process.memory.rss");
  const note = [memory === null ? "" : formatValue(memory, "B"), doing].filter(Boolean);
  const value = formatValue(newest.of(kernel, "process.cpu"), "cores");
  const about = newest.about(kernel.host, "kernel");
  const label = newest.label(kernel.host, "Kernel");
  return figure(about.key, label, value, { ...about, note: note.join(" \u00b7 ") });
}

function recordingFigure(source: Source): Figure {
  const { recording, phase } = source.state();
  const size = formatValue(recording.bytes, "B");
  if (recording.problem !== null) {
    const title = [recording.problem, recording.remedy ?? ""].filter(Boolean).join("\n");
    return figure("recording", "Recording", phase === "running" ? "not saved" : "partial", {
      note: recording.problem,
      warn: true,
      title,
    });
  }
  if (recording.path === null) {
    const note = phase === "running" ? "kept in memory only" : "";
    return figure("recording", "Recording", "off", { note });
  }
  // A directory becomes a file soon after the end; without an ending the name opens both.
  const name = (recording.path.split(/[\\/]/).at(-1) ?? recording.path).replace(/\.pulse$/, "");
  const title = `${recording.path}, ${size}`;
  return figure("recording", "Recording", size, { note: name, title });
}

function costFigures(source: Source): Figure[] {
  const { cost, phase } = source.state();
  const lost = source.lost();
  if (phase !== "running" && lost === 0 && cost.dropped === 0) return [];
  const faults = [
    lost > 0 ? `${formatValue(lost, "count")} ticks lost` : "",
    cost.dropped > 0 ? `${formatValue(cost.dropped, "count")} dropped` : "",
  ].filter(Boolean);
  const share = cost.cores === null ? formatValue(null, "1") : formatValue(cost.cores, "1");
  const known = cost.cores === null ? "not known yet" : "of a core";
  const plain = cost.slowed ? "read less often" : known;
  const note = faults.length > 0 ? faults.join(" \u00b7 ") : plain;
  const more = [...faults, cost.slowed && `to keep it low, ${cost.slowed}`].filter(Boolean);
  const title = [`The monitor itself uses ${share} of a core`, ...more].join("; ");
  return [figure("cost", "Own cost", share, { note, warn: faults.length > 0, title })];
}

function ofText(used: number, total: number | null): string {
  if (total === null) return formatValue(used, "B");
  const [, , unit = ""] = /^(\S+) (.*)$/.exec(formatValue(total, "B")) ?? [];
  const size = 1024 ** ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].indexOf(unit);
  // Room is scarce here: tens of GiB need no decimals.
  const rounded = used < 10 * size ? used : Math.round(used / size) * size;
  const [a, b] = [formatValue(rounded, "B"), formatValue(total, "B")];
  return a.endsWith(` ${unit}`) ? `${a.slice(0, -unit.length - 1)}/${b}` : `${a} of ${b}`;
}

/** Watts as whole numbers, as far as they would be read as such. */
function whole(watts: number): number {
  return watts < 1000 ? Math.round(watts) : watts;
}

function shareOf(used: number | null, total: number | null): number | null {
  return used === null || total === null || total <= 0 ? null : used / total;
}

function sum(values: readonly number[]): number | null {
  return values.length > 0 ? values.reduce((a, b) => a + b, 0) : null;
}
