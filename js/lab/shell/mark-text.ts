/** What a cell's mark says, and its tooltip. Pure. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { formatValue, MISSING } from "../../core/vocabulary/format";
import { clockText, elapsedText } from "../../core/vocabulary/time-text";
import type { Run } from "./cell-runs";
import type { GpuUse, Why } from "./cell-use";

export interface MarkText {
  /** One line for each number. */
  readonly lines: readonly string[];
  readonly title: string;
}

/** `use`: null where nothing is known of GPUs in that time. */
export function markText(
  run: Run,
  use: GpuUse | null,
  edited: boolean,
  trans: TranslationBundle,
): MarkText {
  const took = formatValue(run.end - run.start, "s");
  const when = trans.__("The last run took %1, until %2.", took, clockText(run.end));
  const since = edited ? [trans.__("The cell was edited since.")] : [];
  const first = shortSeconds(run.end - run.start);
  if (!use) return { lines: [first], title: [when, ...since].join("\n") };
  const busy = busyText(use, trans);
  const peak = peakText(use, trans);
  return {
    lines: [first, ...busy.lines, ...peak.lines],
    title: [when, busy.title, peak.title, ...since].join("\n"),
  };
}

/** Beside a prompt there is little room: "2:03" instead of "2 min 3 s". */
function shortSeconds(seconds: number): string {
  return seconds < 59.5 ? formatValue(seconds, "s") : elapsedText(Math.round(seconds));
}

/** "42 GiB": three digits are in the tooltip. */
function roundedBytes(bytes: number): string {
  const text = formatValue(bytes, "B");
  return text.replace(/^\d{2,}\.\d+/, (number) => String(Math.round(Number(number))));
}

/** A gap is worth a line; that a monitor began or ended meanwhile is no news. */
function busyText({ gpus, busy, whyNotBusy, lacking }: GpuUse, trans: TranslationBundle): MarkText {
  if (busy === null) {
    const why = whyText(whyNotBusy, lacking, trans);
    return {
      lines: whyNotBusy === "gap" ? [trans.__("GPU %1", MISSING)] : [],
      title: trans.__("How long GPUs were busy is not known: %1.", why),
    };
  }
  const seconds = formatValue(busy, "s");
  return {
    lines: [trans.__("GPU %1", shortSeconds(busy))],
    title: trans._n(
      "In it the GPU was busy for %2, whoever used it.",
      "In it %1 GPUs were busy for %2 together, whoever used them.",
      gpus,
      seconds,
    ),
  };
}

function peakText({ gpus, peak, whyNoPeak, lacking }: GpuUse, trans: TranslationBundle): MarkText {
  if (peak === null) {
    const why = whyText(whyNoPeak, lacking, trans);
    return {
      lines: whyNoPeak === "gap" ? [trans.__("mem %1", MISSING)] : [],
      title: trans.__("The peak of GPU memory is not known: %1.", why),
    };
  }
  const bytes = formatValue(peak.bytes, "B");
  return {
    lines: [trans.__("mem %1", roundedBytes(peak.bytes))],
    title:
      gpus === 1
        ? trans.__("At most %1 of its memory were in use.", bytes)
        : trans.__("The most memory in use on one GPU: %1, on %2.", bytes, peak.label),
  };
}

function whyText(why: Why, lacking: string, trans: TranslationBundle): string {
  const words: Readonly<Record<Why, string>> = {
    "": "",
    gap: trans.__("%1 gave no readings for a part of it", lacking),
    "not covered": trans.__("the monitor did not run all the time"),
    "too short": trans.__("the run was too short for the readings"),
    "no such reading": trans.__("%1 does not tell", lacking),
  };
  return words[why];
}
