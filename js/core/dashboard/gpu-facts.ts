/** What a card says of a GPU, and which of it is alarming. Pure. */

import { entityClass, entityLabel } from "../vocabulary/entities";
import { formatValue } from "../vocabulary/format";
import { type Owner, ownerKey } from "../vocabulary/owners";
import { FULL, HOT, NEAR, SIGNS } from "../vocabulary/shared.gen";
import { clockText } from "../vocabulary/time-text";
import type { Readings } from "./readings";

export interface Alarm {
  readonly kind: "lost" | "memory" | "heat" | "throttled" | "xid";
  /** A few words for the card. */
  readonly word: string;
  /** A clause for the event line, after the name of the GPU. */
  readonly clause: string;
  /** Since when, or of which reading; Unix seconds. */
  readonly time: number;
}

export interface GpuFacts {
  /** Of the owner: the key of its lines in every chart. */
  readonly key: string;
  readonly owner: Owner;
  /** "GPU 0"; the host stands elsewhere. */
  readonly label: string;
  readonly model: string;
  /** Place in the palette. */
  readonly color: number;
  readonly busy: number | null;
  readonly used: number | null;
  readonly total: number | null;
  readonly power: number | null;
  readonly heat: number | null;
  readonly lost: boolean;
  /** Its parts, where it is split. */
  readonly parts: readonly Owner[];
  /** The gravest first. */
  readonly alarms: readonly Alarm[];
}

/** Working below its clocks for so much of the last minute is worth a word. */
const THROTTLED = 0.01;
const MINUTE = 60;
/** Reasons that mean trouble. A GPU at its power limit works as it was set up. */
const REASONS = [
  "gpu.throttled.thermal",
  "gpu.throttled.hw_thermal",
  "gpu.throttled.sw_thermal",
  "gpu.throttled.power_brake",
];
/** An Xid stays on the card so long. */
const XID_SECONDS = 600;

export function gpuFacts(readings: Readings): GpuFacts[] {
  const parts = readings.owners.filter(({ entity }) => entityClass(entity) === "mig");
  return readings.gpus.map((gpu, color) => {
    const [used, total] = [
      readings.of(gpu, "gpu.memory.used"),
      readings.of(gpu, "gpu.memory.total"),
    ];
    const heat = readings.of(gpu, "gpu.temperature");
    const { gone, since } = lost(gpu, readings);
    const alarms = gone
      ? [lostAlarm(since, readings.time)]
      : [memoryAlarm(used, total, readings), heatAlarm(gpu, heat, readings)]
          .concat(throttleAlarm(gpu, readings), xidAlarm(gpu, readings))
          .filter((alarm) => alarm !== null);
    return {
      key: ownerKey(gpu),
      owner: gpu,
      label: entityLabel(gpu.entity),
      model: readings.names.labels(gpu)["name"] ?? "",
      color,
      busy: readings.of(gpu, "gpu.utilization"),
      used,
      total,
      power: readings.of(gpu, "gpu.power"),
      heat,
      lost: gone,
      parts: parts.filter(
        ({ host, entity }) => host === gpu.host && entity.startsWith(`${gpu.entity}/`),
      ),
      alarms,
    };
  });
}

/** All of its signs are missing: one row says so where the readings end. */
function lost(gpu: Owner, readings: Readings): { gone: boolean; since: number } {
  const known = SIGNS.filter((sign) => readings.has(gpu, sign));
  const silent = known.every((sign) => readings.of(gpu, sign) === null);
  const ended = known.filter((sign) => readings.missing(gpu, sign));
  const times = ended.map((sign) => readings.reading(gpu, sign)?.time ?? readings.time);
  return { gone: silent && ended.length > 0, since: Math.min(...times) };
}

function lostAlarm(since: number, now: number): Alarm {
  const at = clockText(since, now);
  return {
    kind: "lost",
    word: `lost at ${at}`,
    clause: "lost, it gives no readings",
    time: since,
  };
}

function memoryAlarm(used: number | null, total: number | null, readings: Readings): Alarm | null {
  const share = shareOf(used, total);
  if (share === null || share <= FULL) return null;
  const full = `${Math.floor(share * 100)} % full`;
  return {
    kind: "memory",
    word: `memory ${full}`,
    clause: `memory ${full}`,
    time: readings.time,
  };
}

function heatAlarm(gpu: Owner, heat: number | null, readings: Readings): Alarm | null {
  if (heat === null) return null;
  const slowdown = readings.of(gpu, "gpu.temperature.slowdown");
  if (heat < (slowdown === null ? HOT : slowdown - NEAR)) return null;
  const degrees = formatValue(Math.round(heat), "degC");
  const below = slowdown === null ? null : Math.round(slowdown - heat);
  const margin =
    below === null
      ? ""
      : below > 0
        ? `, ${formatValue(below, "degC")} below slowdown`
        : ", where it slows down";
  const clause = `${degrees}${margin}`;
  return { kind: "heat", word: `${degrees} hot`, clause, time: readings.time };
}

function throttleAlarm(gpu: Owner, readings: Readings): Alarm | null {
  const shares = REASONS.map((reason) => readings.mean(gpu, reason, MINUTE) ?? 0);
  const share = Math.max(...shares);
  if (share < THROTTLED) return null;
  const text = `throttled ${Math.round(share * 100)} %`;
  return {
    kind: "throttled",
    word: text,
    clause: `${text} of the last minute`,
    time: readings.time,
  };
}

function xidAlarm(gpu: Owner, readings: Readings): Alarm | null {
  const xid = readings.reading(gpu, "gpu.xid");
  if (!xid || !(xid.value > 0) || readings.time - xid.time > XID_SECONDS) return null;
  return {
    kind: "xid",
    word: `Xid ${xid.value}`,
    clause: `Xid ${xid.value}, see the driver's log`,
    time: xid.time,
  };
}

export function shareOf(used: number | null, total: number | null): number | null {
  return used === null || total === null || total <= 0 ? null : used / total;
}
