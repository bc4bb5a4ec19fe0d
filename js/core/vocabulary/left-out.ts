/**
 * The sentences of a saved output about what it had no room for. The twin of
 * `pulse_widgets/exchange/left_out.py`. Pure.
 */

import type { SourceState, State } from "../state.gen";

/** Bytes to keep free for the sentences; as a paragraph they take fewer. */
export const LEFT_OUT_BYTES = 300;

/** Of the sources that say what was left out. */
export const LEFT_OUT_NAME = "saved output";

/** The source by which a state says that `count` series were left out. */
export function leftOutSource(count: number, recorded: boolean): SourceState {
  return source(`${count} series ${count === 1 ? "is" : "are"} left out`, recorded);
}

/** The source by which a state says that the oldest events were left out. */
export function leftOutEvents(recorded: boolean): SourceState {
  return source("The oldest cells and marks are left out", recorded);
}

function source(what: string, recorded: boolean): SourceState {
  const said = `${what} of this saved view`;
  const problem = `${said}${recorded ? "; pw.replay(...) of the recording shows all" : ""}.`;
  return { name: LEFT_OUT_NAME, state: "ok", problem, remedy: "", missing: [] };
}

/** What is said of what was left out; empty where all is there. */
export function leftOutSentence({ sources }: Pick<State, "sources">): string {
  const said = sources.filter(({ name }) => name === LEFT_OUT_NAME).map(({ problem }) => problem);
  return said.filter(Boolean).join(" ");
}
