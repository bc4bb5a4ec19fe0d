/** The few numbers of the summary strip. Pure. */

import type { SeriesWire, Source } from "../source";
import { compareEntities, entityLabel } from "../vocabulary/entities";
import { formatValue } from "../vocabulary/format";

export interface Figure {
  readonly key: string;
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

/** A GPU of which none of these is known has nothing to say. */
const GPU_SIGNS = ["gpu.utilization", "gpu.memory.used", "gpu.power", "gpu.temperature"];

/** Looks up the newest value of a metric of an entity. */
export class Newest {
  readonly #source: Source;
  readonly #ids = new Map<string, number>();
  readonly entities: readonly string[];

  constructor(source: Source) {
    this.#source = source;
    const catalog = source.catalog();
    const home = catalog[0]?.host ?? "";
    const seen = new Set<string>();
    for (const series of catalog) {
      const owner = ownerOf(series, home);
      seen.add(owner);
      this.#ids.set(`${owner}|${series.metric}`, series.id);
    }
    this.entities = [...seen].sort(compareEntities);
  }

  /** The value, or null where it is missing or there is no such series. */
  of(entity: string, metric: string): number | null {
    const id = this.#ids.get(`${entity}|${metric}`);
    const value = id === undefined ? null : (this.#source.last(id)?.value ?? null);
    return value === null || Number.isNaN(value) ? null : value;
  }

  /** Whether the newest reading says that there is none, as against not having come yet. */
  missing(entity: string, metric: string): boolean {
    const id = this.#ids.get(`${entity}|${metric}`);
    return id !== undefined && Number.isNaN(this.#source.last(id)?.value ?? 0);
  }

  has(entity: string, metric: string): boolean {
    return this.#ids.has(`${entity}|${metric}`);
  }
}

/** Entities of the first host go by their own name, those of others with the host in front. */
function ownerOf(series: SeriesWire, home: string): string {
  return series.host === home ? series.entity : `${series.host}|${series.entity}`;
}

export function figuresOf(source: Source, newest: Newest): Figure[] {
  return [
    ...gpuFigures(source, newest),
    ...hostFigures(newest),
    ...kernelFigures(source, newest),
    recordingFigure(source),
    ...costFigures(source),
  ];
}

function figure(key: string, label: string, value: string, more: Partial<Figure> = {}): Figure {
  const { note = "", bars = [], warn = false } = more;
  const title = more.title ?? [label, value, note].filter(Boolean).join(", ");
  return { key, label, value, note, bars, warn, title };
}

function gpuFigures(source: Source, newest: Newest): Figure[] {
  const gpus = newest.entities.filter((entity) => /(^|\|)gpu:\d+$/.test(entity));
  if (gpus.length > MOST_TILES) return [gpusFigure(gpus, newest)];
  return gpus.map((gpu) => gpuFigure(gpu, source, newest));
}

function gpuFigure(gpu: string, source: Source, newest: Newest): Figure {
  const [used, total] = [newest.of(gpu, "gpu.memory.used"), newest.of(gpu, "gpu.memory.total")];
  const busy = newest.of(gpu, "gpu.utilization");
  const power = newest.of(gpu, "gpu.power");
  const heat = newest.of(gpu, "gpu.temperature");
  const note = [
    used === null ? "" : ofText(used, total),
    power === null ? "" : formatValue(whole(power), "W"),
    heat === null ? "" : formatValue(Math.round(heat), "degC"),
  ];
  const label = entityLabel(gpu.split("|").at(-1) ?? gpu);
  const value = formatValue(busy, "1");
  const name = source.entities()[gpu]?.["name"] ?? "";
  const silent = GPU_SIGNS.every((sign) => newest.of(gpu, sign) === null);
  if (silent && GPU_SIGNS.some((sign) => newest.missing(gpu, sign))) {
    return figure(gpu, label, value, { note: "gives no readings", bars: [null, null], warn: true });
  }
  return figure(gpu, label, value, {
    note: note.filter(Boolean).join(" \u00b7 "),
    bars: [busy, shareOf(used, total)],
    title: [name || label, `busy ${value}`, ...note.filter(Boolean)].join(", "),
  });
}

/** All GPUs in one figure: the mean load, and the sums and extremes that matter. */
function gpusFigure(gpus: readonly string[], newest: Newest): Figure {
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

function hostFigures(newest: Newest): Figure[] {
  const figures: Figure[] = [];
  if (newest.has("host", "cpu.utilization")) {
    const busy = newest.of("host", "cpu.utilization");
    const cores = newest.of("host", "cpu.count");
    const seen = newest.entities.filter((entity) => /^cpu:\d+$/.test(entity)).length;
    const count = cores ?? (seen || null);
    const note = count === null ? "" : `${formatValue(count, "count")} cores`;
    figures.push(figure("cpu", "CPU", formatValue(busy, "1"), { note, bars: [busy] }));
  }
  if (newest.has("host", "memory.used")) {
    const used = newest.of("host", "memory.used");
    const total = newest.of("host", "memory.total");
    const note = total === null ? "" : `of ${formatValue(total, "B")}`;
    const bars = [shareOf(used, total)];
    figures.push(figure("memory", "Memory", formatValue(used, "B"), { note, bars }));
  }
  return figures;
}

function kernelFigures(source: Source, newest: Newest): Figure[] {
  if (!newest.has("kernel", "process.cpu") && !newest.has("kernel", "process.memory.rss")) {
    return [];
  }
  const { busy, cell } = source.state().kernel;
  const running = source.state().phase === "running";
  const doing = !running ? "" : busy ? (cell === null ? "busy" : `in cell [${cell}]`) : "idle";
  const memory = newest.of("kernel", "process.memory.rss");
  const note = [memory === null ? "" : formatValue(memory, "B"), doing].filter(Boolean);
  const value = formatValue(newest.of("kernel", "process.cpu"), "cores");
  return [figure("kernel", "Kernel", value, { note: note.join(" \u00b7 ") })];
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
