/**
 * Which GPUs a still picture warns of: lost, nearly out of memory, hot. The twin of
 * `pulse_widgets/exchange/picture/alarms.py`.
 */

import { formatValue } from "../vocabulary/format";
import { ALARMS, FULL, HOT, MOST_NAMED, NEAR, SIGNS } from "../vocabulary/shared.gen";
import { newest, type Trace } from "./trace";

export interface StillAlarm {
  readonly owner: string;
  readonly kind: string;
  /** The reading that is alarming; empty where all are missing. */
  readonly metric: string;
  /** What is said behind the name. */
  readonly word: string;
}

/** By what each GPU is called, and then by metric. */
export type Traces = ReadonlyMap<string, ReadonlyMap<string, Trace>>;

const KINDS = Object.keys(ALARMS);

export function alarmsOf(gpus: Traces): StillAlarm[] {
  const found = [...gpus].flatMap(([name, traces]) => ofOne(name, traces));
  return found.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
}

function ofOne(owner: string, traces: ReadonlyMap<string, Trace>): StillAlarm[] {
  const signs = SIGNS.map((sign) => traces.get(sign)).filter((trace) => trace !== undefined);
  const silent = signs.every((trace) => newest(trace) === null);
  if (silent && signs.some(({ lost, time }) => lost && time.length > 0)) {
    return [{ owner, kind: "lost", metric: "", word: "lost" }];
  }
  const value = (metric: string) => {
    const trace = traces.get(metric);
    return (trace && newest(trace)?.[1]) ?? null;
  };
  const alarms: StillAlarm[] = [];
  const [used, total] = [value("gpu.memory.used") ?? 0, value("gpu.memory.total") ?? 0];
  if (total > 0 && used / total > FULL) {
    const word = `memory ${Math.floor((used / total) * 100)} % full`;
    alarms.push({ owner, kind: "memory", metric: "gpu.memory.used", word });
  }
  const slowdown = value("gpu.temperature.slowdown") ?? HOT + NEAR;
  const heat = value("gpu.temperature");
  if (heat !== null && heat >= slowdown - NEAR) {
    const word = `${formatValue(Math.round(heat), "degC")} hot`;
    alarms.push({ owner, kind: "heat", metric: "gpu.temperature", word });
  }
  return alarms;
}

/** What is alarming: of one or two GPUs by their names, of more their number. */
export function alarmWords(alarms: readonly StillAlarm[]): string[] {
  return Object.entries(ALARMS).flatMap(([kind, several]) => {
    const alike = alarms.filter((alarm) => alarm.kind === kind);
    if (alike.length > MOST_NAMED) return [`${alike.length} GPUs ${several}`];
    return alike.map(({ owner, word }) => `${owner} ${word}`);
  });
}
