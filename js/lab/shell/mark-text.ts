/** What a cell's mark says, and its tooltip. Pure. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { formatValue } from "../../core/vocabulary/format";
import { clockText, elapsedText } from "../../core/vocabulary/time-text";
import type { Run } from "./cell-runs";
import type { GpuUse, Why } from "./cell-use";

export interface MarkText {
  /** It stands below a prompt, where there is room for a few words. */
  readonly line: string;
  /** All that is known. */
  readonly title: string;
}

/** `use`: null where nothing is known of GPUs in that time. */
export function markText(
  run: Run,
  use: GpuUse | null,
  edited: boolean,
  trans: TranslationBundle,
): MarkText {
  const when = whenText(run, trans);
  const used = use ? [busyText(use, trans), peakText(use, trans)] : [];
  const since = edited ? [trans.__("The cell was edited since.")] : [];
  return { line: lineText(run, trans), title: [when, ...used, ...since].join("\n") };
}

function lineText({ start, end, outcome }: Run, trans: TranslationBundle): string {
  // There is no room for the time beside it.
  if (outcome === "failed") return trans.__("\u2717 failed");
  return outcome === "interrupted" ? trans.__("\u25a0 stopped") : shortSeconds(end - start);
}

function whenText({ start, end, outcome }: Run, trans: TranslationBundle): string {
  const [took, at] = [formatValue(end - start, "s"), clockText(end)];
  if (outcome === "failed") return trans.__("The last run failed after %1, at %2.", took, at);
  return outcome === "interrupted"
    ? trans.__("The last run was interrupted after %1, at %2.", took, at)
    : trans.__("The last run took %1, until %2.", took, at);
}

/** Beside a prompt there is little room: "2:03" instead of "2 min 3 s". */
function shortSeconds(seconds: number): string {
  return seconds < 59.5 ? formatValue(seconds, "s") : elapsedText(Math.round(seconds));
}

function busyText(use: GpuUse, trans: TranslationBundle): string {
  const { gpus, busy, whyNotBusy, lacking } = use;
  if (busy === null) {
    const why = whyText(whyNotBusy, lacking, trans);
    return trans.__("How long GPUs were busy is not known: %1.", why);
  }
  return trans._n(
    "In it the GPU was busy for %2, whoever used it.",
    "In it %1 GPUs were busy for %2 together, whoever used them.",
    gpus,
    formatValue(busy, "s"),
  );
}

function peakText(use: GpuUse, trans: TranslationBundle): string {
  const { gpus, peak, whyNoPeak, lacking } = use;
  if (peak === null) {
    const why = whyText(whyNoPeak, lacking, trans);
    return trans.__("The peak of GPU memory is not known: %1.", why);
  }
  const bytes = formatValue(peak.bytes, "B");
  return gpus === 1
    ? trans.__("At most %1 of its memory were in use.", bytes)
    : trans.__("The most memory in use on one GPU: %1, on %2.", bytes, peak.label);
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
