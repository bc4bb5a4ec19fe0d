/** What the output pane says where there are no lines, or not all. Pure. */

import { isOver, type Source } from "../source";

/** What is in view. */
interface Shown {
  readonly count: number;
  /** Nothing of the range is missing. */
  readonly isAll: boolean;
  /** The range is only a part of what there is. */
  readonly isPart: boolean;
  /** Lines from this time on. */
  readonly from: number;
}

/** Stands in place of lines that are not here. */
export function gapWord(source: Source): string {
  const awaited = source.printed?.awaited() ?? "unreachable";
  const isGone = awaited !== "awaited" && awaited !== "none";
  return isGone ? "\u2026 these lines are not available" : "\u2026";
}

/** A sentence below the list; empty where the lines speak for themselves. */
export function sayingOf(source: Source, { count, isAll, isPart, from }: Shown): string {
  if (isAll && (source.printed?.gone?.() ?? -Infinity) >= from) return goneText(source);
  if (isAll) return count > 0 ? "" : nothingText(source, isPart);
  const { kernel } = source.state();
  const isEnded = (source.ended?.() ?? null) !== null;
  switch (source.printed?.awaited() ?? "unreachable") {
    case "none":
      return "";
    case "awaited":
      return kernel.busy
        ? "The missing lines come when the running cell has ended."
        : "Loading\u2026";
    case "overdue":
      return "No answer so far: a kernel with an older version of pulse_widgets gives none.";
    case "refused":
      return "Some lines cannot be read: they are damaged, or not there any more.";
    case "unreachable":
      return `Older lines are not available: ${isEnded ? "the kernel has gone" : "nobody can be asked for them now"}.`;
  }
}

function goneText(source: Source): string {
  const words = "Earlier lines are no longer kept here";
  return source.state().recording.path ? `${words}. They are in the recording.` : `${words}.`;
}

function nothingText(source: Source, isPart: boolean): string {
  const off = source.state().sources.find(({ name, state }) => name === "output" && state !== "ok");
  if (off?.problem) return `${off.problem} ${off.remedy}`.trim();
  if (isPart) return "Nothing was printed in this stretch.";
  return isOver(source) ? "Nothing was printed." : "Nothing was printed yet.";
}
