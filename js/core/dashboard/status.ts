/** The status in the toolbar: live, paused, late, or finished. Pure. */

import type { Source } from "../source";
import type { State } from "../state.gen";
import { endingWord } from "../vocabulary/ending";
import { clockText, elapsedText, stretchText } from "../vocabulary/time-text";
import type { Status } from "./toolbar";
import type { ViewState } from "./view-state";

/** A source counts as late after this many intervals, and at least this many seconds. */
const LATE_READINGS = 4;
const LATE_SECONDS = 5;

/** Whether a session that runs should have told something by now. */
export function isLate({ interval }: Pick<State, "interval">, silent: number): boolean {
  return silent > Math.max(LATE_SECONDS, LATE_READINGS * interval);
}

/** `silent` is how long ago the source last changed, in seconds. */
export function statusOf(
  source: Source,
  view: ViewState,
  silent: number,
  title: string,
): Omit<Status, "sections"> {
  const state = source.state();
  const [first, last] = source.extent();
  const known = Number.isFinite(first);
  const stale = source.stale?.() ?? false;
  const shared = {
    stale,
    length: known ? last - first : Number.NaN,
    simulated: state.simulated,
    title: title || state.title,
    running: state.phase === "running",
    waiting: view.range !== null && (source.pending?.() ?? false),
  };
  const ended = source.ended?.() ?? null;
  if (ended !== null) {
    const detail = known ? stretchText(first, last) : "no readings";
    return { ...shared, tone: "late", word: endingWord(ended), detail };
  }
  if (!(source.heard?.() ?? true)) {
    return { ...shared, tone: "held", word: "Connecting", detail: "" };
  }
  if (state.phase !== "running") {
    const detail = known ? stretchText(first, last) : "no readings";
    const word = state.phase === "replay" ? "Replay" : "Stopped";
    const asOf = state.as_of ?? null;
    if (asOf !== null) {
      const snapshot = `as of ${clockText(asOf)}, the session was running`;
      return { ...shared, tone: "past", word, detail: snapshot };
    }
    return { ...shared, tone: "past", word, detail };
  }
  if (stale) {
    const asOf = source.asOf?.() ?? last;
    const at = Number.isFinite(asOf) ? `as of ${clockText(asOf)}` : "";
    return { ...shared, tone: "held", word: "Catching up", detail: at };
  }
  const detail = known ? elapsedText(last - state.t0) : "";
  if (isLate(state, silent)) {
    const late = `nothing new for ${elapsedText(silent)}`;
    return { ...shared, tone: "late", word: "Waiting", detail: late };
  }
  if (view.pausedAt !== null) {
    return { ...shared, tone: "held", word: "Paused", detail: "readings go on" };
  }
  if (view.range) return { ...shared, tone: "held", word: "Zoomed", detail: `live, ${detail}` };
  return { ...shared, tone: "live", word: "Live", detail };
}
