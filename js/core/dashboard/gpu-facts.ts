/** What a card says of a GPU, and which of it is alarming. Pure. */

import { isOver } from "../source";
import { entityClass, entityLabel } from "../vocabulary/entities";
import { formatValue } from "../vocabulary/format";
import { type Owner, ownerKey } from "../vocabulary/owners";
import { FULL, HOT, NEAR, SIGNS } from "../vocabulary/shared.gen";
import { clockText } from "../vocabulary/time-text";
import type { Readings } from "./readings";
import { type Condition, lostSince, type Since, sinceOf, sinceText } from "./since";

export interface Alarm {
  readonly kind: "lost" | "memory" | "heat" | "throttled" | "xid";
  /** A few words for the card. */
  readonly word: string;
  /** A clause for the event line, after the name of the GPU. */
  readonly clause: string;
  /** When it began, as far as is known; Unix seconds. */
  readonly time: number;
  /** The same in words: "since 16:27:14". */
  readonly since: string;
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
  /** The session is over: what has no reading gets none any more. */
  readonly over: boolean;
  /** Its parts, where it is split. */
  readonly parts: readonly Owner[];
  /** The gravest first. */
  readonly alarms: readonly Alarm[];
}

/** Working below its clocks for so much of the last minute is worth a word. */
const THROTTLED = 0.01;
const MINUTE = 60;
/** Reasons that mean trouble. */
const TROUBLE = [
  "gpu.throttled.thermal",
  "gpu.throttled.hw_thermal",
  "gpu.throttled.sw_thermal",
  "gpu.throttled.power_brake",
];
/** A GPU at its power limit works as it was set up: worth knowing where it is often, no trouble. */
const CAPPED = ["gpu.throttled.power"];
const OFTEN = 0.1;
/** An Xid stays on the card so long. */
const XID_SECONDS = 600;
/** How far back the beginning of an alarm is looked for where nobody says how much is in view. */
const LOOK_BACK = 300;

/** `from`: where what is in view begins. */
export function gpuFacts(readings: Readings, from = readings.time - LOOK_BACK): GpuFacts[] {
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
      : [
          memoryAlarm(gpu, used, total, { readings, from }),
          heatAlarm(gpu, heat, { readings, from }),
        ]
          .concat(throttleAlarm(gpu, { readings, from }), xidAlarm(gpu, readings))
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
      over: isOver(readings.source),
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
  const gone = silent && ended.length > 0;
  const ids = gone ? ended.map((sign) => readings.id(gpu, sign)) : [];
  const signs = ids.filter((id) => id !== null);
  return { gone, since: gone ? lostSince(gpu, signs, readings) : Number.NaN };
}

/** Where the beginning of an alarm is looked for. */
interface View {
  readonly readings: Readings;
  readonly from: number;
}

/** When an alarm of one kind began: with the first of its conditions. */
function begun(gpu: Owner, kind: string, all: readonly Condition[], { readings, from }: View) {
  const found = all.map((one) => {
    return sinceOf(`${ownerKey(gpu)} ${kind} ${one.id}`, one, readings, from);
  });
  const none: Since = { time: readings.time, before: false };
  const since = found.reduce((a, b) => (b.time < a.time ? b : a), found[0] ?? none);
  return { time: since.time, since: sinceText(since, readings.time) };
}

/** A series as a condition; none where there is no such series. */
function condition(
  gpu: Owner,
  metric: string,
  readings: Readings,
  how: Omit<Condition, "id">,
): Condition[] {
  const id = readings.id(gpu, metric);
  return id === null ? [] : [{ id, ...how }];
}

function lostAlarm(since: number, now: number): Alarm {
  const at = clockText(since, now);
  return {
    kind: "lost",
    word: `lost at ${at}`,
    clause: "lost, it gives no readings",
    time: since,
    since: `since ${at}`,
  };
}

function memoryAlarm(
  gpu: Owner,
  used: number | null,
  total: number | null,
  view: View,
): Alarm | null {
  const share = shareOf(used, total);
  if (share === null || share <= FULL) return null;
  const holds = (bytes: number) => (shareOf(bytes, total) ?? 0) > FULL;
  const conditions = condition(gpu, "gpu.memory.used", view.readings, { holds });
  const full = `${Math.floor(share * 100)} % full`;
  return {
    kind: "memory",
    word: `memory ${full}`,
    clause: `memory ${full}`,
    ...begun(gpu, "memory", conditions, view),
  };
}

/** The temperature from which a GPU is called hot, and that at which it slows down, if known. */
function hotFrom(gpu: Owner, readings: Readings): { level: number; slowdown: number | null } {
  const slowdown = readings.of(gpu, "gpu.temperature.slowdown");
  return { level: slowdown === null ? HOT : slowdown - NEAR, slowdown };
}

function isHot(gpu: Owner, readings: Readings): boolean {
  return (readings.of(gpu, "gpu.temperature") ?? 0) >= hotFrom(gpu, readings).level;
}

function heatAlarm(gpu: Owner, heat: number | null, view: View): Alarm | null {
  if (heat === null) return null;
  const { slowdown, level } = hotFrom(gpu, view.readings);
  if (heat < level) return null;
  const holds = (degrees: number) => degrees >= level;
  const conditions = condition(gpu, "gpu.temperature", view.readings, { holds });
  const degrees = formatValue(Math.round(heat), "degC");
  const below = slowdown === null ? null : Math.round(slowdown - heat);
  const margin =
    below === null
      ? ""
      : below > 0
        ? `, ${formatValue(below, "degC")} below slowdown`
        : ", where it slows down";
  const clause = `${degrees}${margin}`;
  return {
    kind: "heat",
    word: `${degrees} hot`,
    clause,
    ...begun(gpu, "heat", conditions, view),
  };
}

/** Share of the last minute in which any of these reasons held a GPU below its clocks. */
function heldBack(gpu: Owner, reasons: readonly string[], readings: Readings): number {
  return Math.max(...reasons.map((reason) => readings.mean(gpu, reason, MINUTE) ?? 0));
}

function shareText(word: string, share: number, least = THROTTLED): string {
  return share < least ? "" : `${word} ${Math.round(share * 100)} %`;
}

/** What holds the worst of these GPUs below its clocks: trouble before a cap; empty for nothing. */
export function heldBackText(gpus: readonly Owner[], readings: Readings): string {
  const worst = (reasons: readonly string[]) =>
    Math.max(0, ...gpus.map((gpu) => heldBack(gpu, reasons, readings)));
  const trouble = shareText("throttled", worst(TROUBLE));
  // Of a hot one the temperature matters more than a limit that somebody set.
  if (trouble || gpus.some((gpu) => isHot(gpu, readings))) return trouble;
  return shareText("power cap", worst(CAPPED), OFTEN);
}

function throttleAlarm(gpu: Owner, view: View): Alarm | null {
  const { readings } = view;
  const text = shareText("throttled", heldBack(gpu, TROUBLE, readings));
  if (text === "") return null;
  // The word is of a minute: shorter pauses do not end it.
  const how = { holds: (share: number) => share > 0, pause: MINUTE };
  const conditions = TROUBLE.filter(
    (reason) => (readings.mean(gpu, reason, MINUTE) ?? 0) > 0,
  ).flatMap((reason) => condition(gpu, reason, readings, how));
  return {
    kind: "throttled",
    word: text,
    clause: `${text} of the last minute`,
    ...begun(gpu, "throttled", conditions, view),
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
    since: `at ${clockText(xid.time, readings.time)}`,
  };
}

export function shareOf(used: number | null, total: number | null): number | null {
  return used === null || total === null || total <= 0 ? null : used / total;
}
