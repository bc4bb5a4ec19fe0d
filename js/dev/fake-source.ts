/** A deterministic Source for looking at the dashboard without a kernel. */

import type {
  Change,
  Columns,
  EntityWire,
  MomentWire,
  SeriesWire,
  Source,
  SpanWire,
  TextLineWire,
} from "../core/source";
import type { AlertState, State } from "../core/state.gen";
import { CATALOG, KINDS } from "../core/vocabulary/catalog.gen";
import { fillColumns } from "./columns-of";
import { FakeOutput } from "./fake-output";
import { baseState } from "./fake-state";
import type { Told } from "./run-events";

export interface Scenario {
  /** Machines that have all of it, one as the other. */
  readonly hosts: number;
  readonly gpus: number;
  readonly cores: number;
  /** Seconds of history at the start. */
  readonly seconds: number;
  readonly hz: number;
  readonly user: boolean;
  /** Further metrics of the user's, each with its one value. */
  readonly own: Readonly<Record<string, number>>;
  /** Processes on each GPU, the kernel first. */
  readonly processes: number;
  readonly events: boolean;
  /** Instead of those few cells and marks, given when the session began. */
  readonly told?: (t0: number) => Told;
  readonly alerts?: (t0: number) => readonly AlertState[];
  /** MIG instances of each GPU. */
  readonly migs: number;
  /** Values of single series, by "entity metric" of the first host. */
  readonly shapes: Readonly<Record<string, (t: number) => number>>;
  /** Steps go on at the second of these once they have come to the first. */
  readonly jump: readonly [number, number] | null;
  /** Steps begin anew after so many. */
  readonly restart: number | null;
  /** Only series whose metric starts with one of these; null takes all. */
  readonly only: readonly string[] | null;
  /** At most so many series. */
  readonly most: number;
  readonly state: Partial<State>;
  /** Seconds before the end in which GPU 0 has no readings. */
  readonly hole: readonly [number, number] | null;
  readonly lost: number;
  /** So many lines were printed. */
  readonly printed?: number;
  /** What is shown is from a kept picture, and nothing newer was heard. */
  readonly stale?: boolean;
}

interface Track {
  readonly series: SeriesWire;
  readonly shape: (t: number) => number;
  readonly values: number[];
}

const T0 = 1_790_000_000;
const GIB = 1024 ** 3;
const HOME = { host: "h0" };

/** A number from 0 to 1 that depends on its seeds alone. */
function noise(a: number, b: number): number {
  const x = Math.sin(a * 127.1 + b * 311.7) * 43758.5453;
  return x - Math.floor(x);
}

function wave(t: number, seed: number, period: number): number {
  return 0.5 + 0.5 * Math.sin((t / period + noise(seed, 1)) * 2 * Math.PI);
}

/** Load of a training loop: busy most of the time, with dips for loading and validation. */
function training(t: number, seed: number): number {
  const dip = t % 60 > 52 ? 0.25 : 1;
  const base = 0.82 + 0.1 * wave(t, seed, 17) + 0.08 * (noise(Math.floor(t * 10), seed) - 0.5);
  return Math.min(1, Math.max(0, base * dip));
}

type Shapes = Record<string, (t: number, seed: number) => number>;

const GPU: Shapes = {
  "gpu.utilization": training,
  "gpu.sm.active": (t, s) => training(t, s) * 0.78,
  "gpu.tensor.active": (t, s) => training(t, s + 3) * 0.46,
  "gpu.dram.active": (t, s) => training(t, s + 5) * 0.55,
  "gpu.memory.busy": (t, s) => training(t, s) * 0.5,
  "gpu.memory.used": (t, s) => (42 + 6 * noise(s, 4) + 3 * wave(t, s, 90)) * GIB,
  "gpu.memory.total": () => 80 * GIB,
  "gpu.power": (t, s) => 120 + 480 * training(t, s) + 20 * noise(Math.floor(t * 10), s),
  "gpu.power.limit": () => 700,
  "gpu.temperature": (t, s) => 48 + 14 * training(Math.floor(t / 5) * 5, s) + s * 0.4,
  "gpu.temperature.slowdown": () => 90,
  "gpu.xid": () => 0,
  "gpu.clock.sm": (t, s) => 1.755e9 + 0.21e9 * Math.round(noise(Math.floor(t / 4), s) * 3) * 0.333,
  "gpu.throttled.power": (t, s) => (noise(Math.floor(t / 9), s) > 0.9 ? 0.12 : 0),
  "gpu.throttled.thermal": () => 0,
  "gpu.pcie.rx": (t, s) => 4e9 * training(t, s + 2) * noise(Math.floor(t * 10), s),
  "gpu.pcie.tx": (t, s) => 1.4e9 * training(t, s + 4),
  "gpu.nvlink.rx": (t, s) => 140e9 * training(t, s + 6),
  "gpu.nvlink.tx": (t, s) => 140e9 * training(t, s + 7),
  "gpu.ecc.corrected": () => 0,
};

const PART: Shapes = {
  "gpu.sm.active": training,
  "gpu.memory.used": (t, s) => (8 + 3 * wave(t, s, 70)) * GIB,
  "gpu.memory.total": () => 20 * GIB,
};

const HOST: Shapes = {
  "cpu.utilization": (t, s) => 0.18 + 0.3 * wave(t, s, 23) + 0.1 * noise(Math.floor(t * 10), s),
  "cpu.user": (t, s) => 0.15 + 0.25 * wave(t, s, 23),
  "cpu.system": (t) => 0.03 + 0.02 * noise(Math.floor(t * 10), 7),
  "cpu.iowait": (t) => (t % 60 > 52 ? 0.06 : 0.004),
  "cpu.steal": () => 0,
  "cpu.frequency": (t) => 2.9e9 + 0.4e9 * wave(t, 3, 40),
  "memory.used": (t) => (18 + 2 * wave(t, 1, 200)) * GIB,
  "memory.total": () => 64 * GIB,
  "memory.available": (t) => (46 - 2 * wave(t, 1, 200)) * GIB,
  "swap.used": () => 0.2 * GIB,
  "swap.total": () => 8 * GIB,
  "disk.read": (t) => (t % 60 > 52 ? 900e6 : 3e6) * (0.5 + noise(Math.floor(t * 10), 9)),
  "disk.write": (t) => 12e6 * noise(Math.floor(t / 3), 11),
  "net.received": (t) => 2e6 * noise(Math.floor(t * 10), 13),
  "net.sent": (t) => 0.4e6 * noise(Math.floor(t * 10), 15),
};

const KERNEL: Shapes = {
  "process.cpu": (t) => 1.1 + 0.5 * wave(t, 2, 31),
  "process.memory.rss": (t) => (3.2 + 0.8 * wave(t, 8, 400)) * GIB,
  "process.threads": () => 41,
  "kernel.busy": (t) => (t % 60 > 52 ? 0.4 : 1),
  "process.read": (t) => (t % 60 > 52 ? 500e6 : 0),
  "process.write": () => 0,
};

const PULSE: Shapes = {
  "pulse.cpu": (t) => 0.004 + 0.002 * noise(Math.floor(t * 10), 20),
  "pulse.tick.duration": (t) => 0.0012 + 0.0006 * noise(Math.floor(t * 10), 21),
  "pulse.tick.late": (t) => 0.0002 + (noise(Math.floor(t * 10), 22) > 0.97 ? 0.02 : 0),
};

const PROCESS: Shapes = {
  "process.gpu.memory": (t, s) => Math.max(0.2, 40 / s - 0.2 * wave(t, s, 50)) * GIB,
  "process.gpu.sm": (t, s) => training(t, s) / s,
};

const USER: Shapes = {
  "train/loss": (t) => 2.4 * Math.exp(-t / 240) + 0.3 + 0.06 * noise(Math.floor(t * 10), 30),
  "val/loss": (t) => 2.5 * Math.exp(-t / 260) + 0.42,
  "train/learning_rate": (t) => 3e-4 * (0.5 + 0.5 * Math.cos(t / 300)),
};

export class FakeSource implements Source {
  readonly #scenario: Scenario;
  readonly #tracks: Track[] = [];
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #times: number[] = [];
  readonly printed: FakeOutput;
  #catalog: SeriesWire[] = [];
  #state: State;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const alerts = scenario.alerts?.(T0) ?? [];
    this.#state = { ...baseState(T0, scenario.hz), alerts, ...scenario.state };
    this.#declare();
    const ticks = Math.round(scenario.seconds * scenario.hz);
    for (let i = 0; i < ticks; i++) this.#take(T0 + i / scenario.hz);
    const hosts = scenario.printed === undefined ? [] : this.#hosts();
    const [count, id] = [scenario.printed ?? 0, this.#catalog.length];
    this.printed = new FakeOutput(count, hosts, id, this.extent());
    this.#catalog = [...this.#catalog, ...this.printed.series];
  }

  catalog(): readonly SeriesWire[] {
    return this.#catalog;
  }

  entities(): EntityWire[] {
    const cpu = `AMD EPYC 9654, ${this.#scenario.cores} cores`;
    const gpu = { name: "NVIDIA H100", memory: String(80 * GIB) };
    const gpus = Array.from({ length: this.#scenario.gpus }, (_, i) => `gpu:${i}`);
    return this.#hosts().flatMap((host, n) => [
      { host, entity: "host", labels: { name: `node-${17 + n}`, "cpu model": cpu } },
      ...gpus.map((entity) => ({ host, entity, labels: gpu })),
      { host, entity: "kernel", labels: { pid: "4711" } },
      ...gpus.flatMap((one) =>
        this.#pids().map((pid, i) => {
          const name = i === 0 ? "python" : `dataloader worker ${i}`;
          return { host, entity: `pid:${pid}/${one}`, labels: { name } };
        }),
      ),
    ]);
  }

  #pids(): (number | string)[] {
    const count = this.#scenario.processes;
    return Array.from({ length: count }, (_, i) =>
      i > 0 && i === count - 1 ? "others" : 4711 + i,
    );
  }

  #hosts(): string[] {
    return Array.from({ length: this.#scenario.hosts }, (_, n) => `h${n}`);
  }

  state(): State {
    return this.#state;
  }

  setState(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    this.#tell({ state: true });
  }

  moments(): readonly MomentWire[] {
    if (!this.#scenario.events) return [];
    if (this.#scenario.told) return this.#scenario.told(T0).moments;
    const end = this.#times.at(-1) ?? T0;
    const message = "Xid 31: MMU fault on GPU 0";
    const moments: MomentWire[] = [
      { ...HOME, time: T0 + 60, entity: "user", metric: "mark", facts: { label: "epoch 1 done" } },
      { ...HOME, time: T0 + 178, entity: "gpu:0", metric: "event", facts: { message } },
    ];
    return moments.filter((moment) => moment.time < end);
  }

  spans(): readonly SpanWire[] {
    if (!this.#scenario.events) return [];
    if (this.#scenario.told) return this.#scenario.told(T0).spans;
    const now = this.#times.at(-1) ?? T0;
    const cells = [
      { from: 2, to: 9, line: "import torch", status: "ok" },
      { from: 14, to: 130, line: "for epoch in range(10):", status: "error" },
      { from: 140, to: 232, line: "trainer.fit(model, loader)", status: "ok" },
    ];
    const spans = cells.map(({ from, to, line, status }, i): SpanWire => {
      const over = T0 + to <= now;
      const facts = { count: i + 3, line, ...(over ? { status } : {}) };
      const [start, end] = [T0 + from, over ? T0 + to : null];
      return { ...HOME, entity: "kernel", metric: "cell", id: `c${i}`, start, end, facts };
    });
    return spans.filter(({ start }) => start <= now);
  }

  lines(): readonly TextLineWire[] {
    return this.printed.lines;
  }

  range(id: number, t0: number, t1: number, points: number, out: Columns): void {
    out.length = 0;
    const values = this.#tracks[id]?.values;
    if (values) fillColumns(this.#times, values, t0, t1, points, out);
  }

  rangeByStep(
    id: number,
    from: number,
    to: number,
    _points: number,
    out: Columns,
    run = this.stepRuns(id) - 1,
  ): void {
    this.range(id, T0, T0 + 1e6, 1e9, out);
    let length = 0;
    for (let i = 0; i < out.length; i++) {
      const time = out.time[i] as number;
      const step = this.#stepAt(time);
      if (step < from || step > to || this.#runAt(time) !== run) continue;
      out.time[length] = step;
      out.min[length] = out.min[i] as number;
      out.mean[length] = out.mean[i] as number;
      out.max[length++] = out.max[i] as number;
    }
    out.length = length;
  }

  #stepAt(time: number): number {
    const [pause, on] = this.#scenario.jump ?? [Number.POSITIVE_INFINITY, 0];
    const count = Math.round((time - T0) * 10);
    const step = count > pause ? count - pause + on : count;
    return step % (this.#scenario.restart ?? Number.POSITIVE_INFINITY);
  }

  /** The step at which a reading was logged; undefined for series without steps. */
  stepOf(id: number, time: number): number | undefined {
    const stepped = this.#tracks[id]?.series.entity === "user";
    return stepped ? Math.round(this.#stepAt(time)) : undefined;
  }

  /** Steps that jump back begin another run. */
  #runAt(time: number): number {
    const { restart } = this.#scenario;
    if (restart) return Math.floor(((time - T0) * 10) / restart);
    const [pause, on] = this.#scenario.jump ?? [0, 0];
    return on < pause && (time - T0) * 10 > pause ? 1 : 0;
  }

  stepRuns(id: number): number {
    return this.stepExtent(id) ? 1 + this.#runAt(this.#times.at(-1) ?? T0) : 0;
  }

  stepExtent(id: number): [number, number] | null {
    if (this.#tracks[id]?.series.entity !== "user") return null;
    return [0, this.#times.reduce((most, time) => Math.max(most, this.#stepAt(time)), 0)];
  }

  stale(): boolean {
    return this.#scenario.stale ?? false;
  }

  extent(): [number, number] {
    return [this.#times[0] ?? Number.NaN, this.#times.at(-1) ?? Number.NaN];
  }

  last(id: number): { time: number; value: number } | null {
    return this.#reading(id, this.#times.length - 1);
  }

  at(id: number, time: number): { time: number; value: number } | null {
    let place = this.#times.length - 1;
    while (place >= 0 && (this.#times[place] as number) > time) place--;
    return this.#reading(id, place);
  }

  /** A missing reading is told once, where it begins. */
  #reading(id: number, place: number): { time: number; value: number } | null {
    const values = this.#tracks[id]?.values;
    if (place < 0 || !values) return null;
    const value = values[place] as number;
    let first = place;
    while (Number.isNaN(value) && first > 0 && Number.isNaN(values[first - 1] as number)) first--;
    return { time: this.#times[first] as number, value };
  }

  lost(): number {
    return this.#scenario.lost;
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Take `count` further readings, then tell the subscribers. */
  advance(count = 1): void {
    for (let i = 0; i < count; i++) {
      this.#take((this.#times.at(-1) ?? T0) + 1 / this.#scenario.hz);
    }
    this.#tell({ samples: true });
  }

  #tell(change: Partial<Change>): void {
    const none = {
      series: false,
      entities: false,
      state: false,
      events: false,
      samples: false,
      lines: false,
    };
    for (const listener of this.#listeners) listener({ ...none, ...change });
  }

  #declare(): void {
    const { gpus, cores, user, migs } = this.#scenario;
    for (const host of this.#hosts()) {
      for (const metric of Object.keys(GPU)) {
        for (let i = 0; i < gpus; i++) this.#add(metric, `gpu:${i}`, GPU, i, host);
      }
      for (const [n, pid] of this.#pids().entries()) {
        for (let i = 0; i < gpus; i++) {
          for (const metric of Object.keys(PROCESS)) {
            this.#add(metric, `pid:${pid}/gpu:${i}`, PROCESS, n + 1 + i / 8, host);
          }
        }
      }
      for (const metric of ["gpu.sm.active", "gpu.memory.used", "gpu.memory.total"]) {
        for (let i = 0; i < gpus * migs; i++) {
          const entity = `gpu:${Math.floor(i / migs)}/mig:${i % migs}`;
          this.#add(metric, entity, PART, i + 20, host);
        }
      }
      for (const metric of Object.keys(HOST)) this.#add(metric, "host", HOST, 1, host);
      for (let i = 0; i < cores; i++) this.#add("cpu.utilization", `cpu:${i}`, HOST, i + 40, host);
    }
    for (const metric of Object.keys(KERNEL)) this.#add(metric, "kernel", KERNEL, 1);
    for (const metric of Object.keys(PULSE)) this.#add(metric, "pulse", PULSE, 1);
    if (user) for (const metric of Object.keys(USER)) this.#add(metric, "user", USER, 1);
    for (const [metric, value] of Object.entries(this.#scenario.own)) {
      this.#add(metric, "user", { [metric]: () => value }, 1);
    }
    this.#catalog = this.#tracks.map((track) => track.series);
  }

  #add(metric: string, entity: string, shapes: Shapes, seed: number, host = "h0"): void {
    const { only, most } = this.#scenario;
    if (only && !only.some((start) => metric.startsWith(start))) return;
    if (this.#tracks.length >= most) return;
    const own = host === "h0" ? this.#scenario.shapes[`${entity} ${metric}`] : undefined;
    const shape = own ?? (shapes[metric] as Shapes[string]);
    const { unit = "", kind: name = "gauge" } = CATALOG[metric] ?? {};
    const kind = KINDS[name].stored;
    const id = this.#tracks.length;
    const series = { id, host, entity, metric, unit, kind, labels: {} };
    this.#tracks.push({ series, shape: (t) => shape(t, seed), values: [] });
  }

  #take(time: number): void {
    const { hole, seconds } = this.#scenario;
    this.#times.push(time);
    const back = T0 + seconds - time;
    for (const { series, shape, values } of this.#tracks) {
      const missing = hole && series.entity === "gpu:0" && back < hole[0] && back > hole[1];
      values.push(missing ? Number.NaN : shape(time - T0));
    }
  }
}
