/** The one line of the status bar, and what its tooltip says. Pure. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { mean, ofText, sum, wattsText } from "../../core/dashboard/amounts";
import { type GpuFacts, gpuFacts } from "../../core/dashboard/gpu-facts";
import type { Readings } from "../../core/dashboard/readings";
import type { Ending } from "../../core/source";
import { formatValue } from "../../core/vocabulary/format";
import type { Owner } from "../../core/vocabulary/owners";
import { elapsedText } from "../../core/vocabulary/time-text";
import type { Followed } from "../shared/monitors";
import type { Shows } from "../shared/settings";

export interface Line {
  readonly text: string;
  /** In words; "" for none. It stands before the text, with a sign. */
  readonly alarm: string;
  readonly details: readonly string[];
}

/** A reading is late after so many intervals, and at least so many seconds. */
const LATE_READINGS = 4;
const LATE_SECONDS = 5;
/** The tooltip names each GPU up to so many. */
const MOST_NAMED = 8;

/** `silent`: seconds since something new came. Null where there is nothing to show. */
export function statusLine(
  followed: Followed,
  readings: Readings | null,
  look: { readonly shows: Shows; readonly silent: number },
  trans: TranslationBundle,
): Line | null {
  const { condition, store } = followed;
  const how = store?.ended() ?? null;
  if (condition === "ended" || (condition === "dead" && how !== null)) {
    return endedLine(how, followed, trans);
  }
  if (condition !== "running") return null;
  const whose = whoseText(followed, trans);
  // After a restart the old session is known until the new one has come.
  if (!readings || readings.owners.length === 0 || how !== null) {
    return { text: trans.__("Pulse: waiting for readings"), alarm: "", details: [whose] };
  }
  const line = readingsLine(readings, look.shows, trans);
  const interval = readings.source.state().interval;
  const late = look.silent > Math.max(LATE_SECONDS, LATE_READINGS * interval);
  const silence = late ? [trans.__("nothing new for %1", elapsedText(look.silent))] : [];
  return {
    text: [line.text, ...silence].join(" \u00b7 "),
    alarm: line.alarm,
    details: [whose, ...line.details],
  };
}

function whoseText({ name, kernel }: Followed, trans: TranslationBundle): string {
  return trans.__("Pulse monitor of %1, kernel %2", name, kernel);
}

function endedLine(how: Ending | null, followed: Followed, trans: TranslationBundle): Line {
  const words: Readonly<Record<Ending, string>> = {
    restarted: trans.__("Pulse: the kernel was restarted"),
    died: trans.__("Pulse: the kernel died"),
    "shut down": trans.__("Pulse: the kernel was shut down"),
    replaced: trans.__("Pulse: the kernel was replaced"),
  };
  const text = how === null ? trans.__("Pulse: the monitor has ended") : words[how];
  return { text, alarm: "", details: [whoseText(followed, trans)] };
}

function readingsLine(readings: Readings, shows: Shows, trans: TranslationBundle): Line {
  const gpus = gpuFacts(readings);
  const withGpus = gpus.length > 0 && shows !== "machine";
  const machine = machineParts(readings, trans);
  const parts = [
    ...(withGpus ? gpuParts(gpus, trans) : []),
    ...(withGpus && shows !== "both" ? [] : machine),
  ];
  const details = [
    ...gpus.slice(0, MOST_NAMED).map((gpu) => gpuDetail(gpu, trans)),
    ...(gpus.length > MOST_NAMED ? [trans.__("and %1 more GPUs", gpus.length - MOST_NAMED)] : []),
    machine.join(" \u00b7 "),
  ];
  // Whoever shows the machine alone still learns of a GPU that is lost.
  return { text: parts.join(" \u00b7 "), alarm: alarmText(gpus, trans), details };
}

const known = (gpus: readonly GpuFacts[], of: (gpu: GpuFacts) => number | null) =>
  gpus.map(of).filter((value) => value !== null);

/** Of several GPUs the mean of their load, and sums of memory and power. */
function gpuParts(gpus: readonly GpuFacts[], trans: TranslationBundle): string[] {
  const busy = formatValue(mean(known(gpus, (gpu) => gpu.busy)), "1");
  // A total without its share would make a lost GPU look empty.
  const sized = gpus.filter(({ used, total }) => used !== null && total !== null);
  const memory = sized.length > 0 ? sized : gpus;
  const used = sum(known(memory, (gpu) => gpu.used));
  const watts = sum(known(gpus, (gpu) => gpu.power));
  return [
    gpus.length === 1 ? trans.__("GPU %1", busy) : trans.__("%1 GPUs %2", gpus.length, busy),
    ...(used === null ? [] : [ofText(used, sum(known(memory, (gpu) => gpu.total)))]),
    ...(watts === null ? [] : [wattsText(watts)]),
  ];
}

function gpuDetail(gpu: GpuFacts, trans: TranslationBundle): string {
  if (gpu.lost) return `${gpu.label}: ${gpu.alarms[0]?.clause ?? ""} ${gpu.alarms[0]?.since ?? ""}`;
  const parts = [
    trans.__("busy %1", formatValue(gpu.busy, "1")),
    ...(gpu.used === null ? [] : [ofText(gpu.used, gpu.total)]),
    ...(gpu.power === null ? [] : [wattsText(gpu.power)]),
    ...(gpu.heat === null ? [] : [formatValue(Math.round(gpu.heat), "degC")]),
    ...gpu.alarms.map(({ clause, since }) => `${clause} ${since}`),
  ];
  return `${gpu.label}: ${parts.join(", ")}`;
}

/** Of several machines the first is spoken of: their GPUs are counted above. */
function machineParts(readings: Readings, trans: TranslationBundle): string[] {
  const machines = readings.hosts
    .map((host): Owner => ({ host, entity: "host" }))
    .filter((owner) => readings.has(owner, "cpu.utilization"));
  const [machine] = machines;
  if (!machine) return [];
  const of = (metric: string) => readings.of(machine, metric);
  return [
    trans.__("CPU %1", formatValue(of("cpu.utilization"), "1")),
    ...(readings.has(machine, "memory.used")
      ? [ofText(of("memory.used"), of("memory.total"))]
      : []),
    ...(machines.length > 1 ? [trans.__("first of %1 machines", machines.length)] : []),
  ];
}

/** The gravest in a few words: lost GPUs before the others. */
function alarmText(gpus: readonly GpuFacts[], trans: TranslationBundle): string {
  const lost = gpus.filter((gpu) => gpu.lost).length;
  if (lost > 0) return trans._n("%1 GPU lost", "%1 GPUs lost", lost);
  const alarmed = gpus.filter(({ alarms }) => alarms.length > 0);
  const [first] = alarmed;
  if (!first) return "";
  const word = `${first.label} ${first.alarms[0]?.word ?? ""}`;
  return alarmed.length === 1 ? word : trans.__("%1 and %2 more", word, alarmed.length - 1);
}
