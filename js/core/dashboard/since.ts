/** Since when what is alarming has been so, as the readings in view tell. */

import { columns, type MomentWire, type Source, valueAt } from "../source";
import type { Owner } from "../vocabulary/owners";
import { clockText } from "../vocabulary/time-text";
import type { Readings } from "./readings";

export interface Since {
  readonly time: number;
  /** It was so at `time` already, and nothing earlier is in view. */
  readonly before: boolean;
}

/** What is looked for: a series whose values hold, with pauses of at most so many seconds. */
export interface Condition {
  readonly id: number;
  readonly holds: (value: number) => boolean;
  readonly pause?: number;
}

interface Kept extends Since {
  /** From where on it was looked for. */
  readonly from: number;
  /** It was so from `time` up to here, as often as it was asked. */
  until: number;
}

const POINTS = 256;
/** Asked again within so many seconds, a condition has gone on. */
const AGAIN = 3;
const scratch = columns(POINTS);
const known = new WeakMap<Source, Map<string, Kept>>();

/** "since 16:27:14"; "since before 16:20:00" where it began before what is in view. */
export function sinceText({ time, before }: Since, beside: number): string {
  return `since ${before ? "before " : ""}${clockText(time, beside)}`;
}

/**
 * Since when a condition that holds at the moment of `readings` has; looked for no earlier than
 * `from`. What was found is kept under `name` for as long as it goes on.
 */
export function sinceOf(name: string, one: Condition, readings: Readings, from: number): Since {
  const { source, time } = readings;
  const kept = known.get(source) ?? new Map<string, Kept>();
  known.set(source, kept);
  const [first] = source.extent();
  const start = Math.min(Number.isFinite(first) ? Math.max(from, first) : from, time);
  const last = kept.get(name);
  const goesOn = last && last.time <= time && time <= last.until + AGAIN;
  if (goesOn && !(last.before && start < last.from - 1)) {
    last.until = Math.max(last.until, time);
    return last;
  }
  const found = { ...began(source, one, start, time), from: start, until: time };
  kept.set(name, found);
  return found;
}

function began(source: Source, one: Condition, from: number, to: number): Since {
  const wide = stretch(source, one, from, to);
  if (wide.off === null) return { time: Math.max(wide.on, from), before: true };
  // Once more, and closer: the first look has wide buckets.
  const width = Math.max(wide.on - wide.off, (2 * (to - from)) / POINTS);
  const near = stretch(source, one, wide.off - width, Math.min(wide.on + width, to));
  const closer = near.off !== null && near.on <= wide.on;
  return { time: closer ? near.on : wide.on, before: false };
}

/** The first item of the newest stretch that holds, and the last before it that does not. */
function stretch(
  source: Source,
  { id, holds, pause = 0 }: Condition,
  from: number,
  to: number,
): { on: number; off: number | null } {
  source.range(id, from, to, POINTS, scratch);
  let [on, off] = [to, null as number | null];
  for (let i = scratch.length - 1; i >= 0; i--) {
    const time = scratch.time[i] as number;
    const value = valueAt(scratch, i);
    if (time > to || !Number.isFinite(value)) continue;
    if (holds(value)) [on, off] = [time, null];
    else {
      off ??= time;
      if (on - time > pause) break;
    }
  }
  return { on, off };
}

/**
 * Since when a GPU without readings has had none: from the event that told it, else from where its
 * last readings end. `signs` are the series that ended.
 */
export function lostSince(gpu: Owner, signs: readonly number[], readings: Readings): number {
  const { source, time } = readings;
  const gaps = signs.flatMap((id) => source.missingSince?.(id, time) ?? []);
  if (gaps.length === 0) {
    const ends = signs.map((id) => readings.ofId(id)?.time ?? time);
    return Math.min(time, ...ends);
  }
  const gap = gaps.reduce((one, other) => (other.since < one.since ? other : one));
  const told = source.moments().filter((moment) => isAbout(moment, gpu));
  const event = told.findLast((one) => one.time >= gap.earliest && one.time <= gap.latest);
  return event?.time ?? gap.since;
}

/** The monitor says why a GPU cannot be read: "gpu:5: the GPU is lost". */
function isAbout({ host, metric, entity, facts }: MomentWire, gpu: Owner): boolean {
  if (host !== gpu.host || metric !== "event") return false;
  return entity === gpu.entity || String(facts["message"] ?? "").startsWith(`${gpu.entity}: `);
}
