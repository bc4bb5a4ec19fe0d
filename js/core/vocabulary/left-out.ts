/**
 * The sentence of a saved output about series that it had no room for. The twin of
 * `pulse_widgets/exchange/left_out.py`. Pure.
 */

import type { SourceState, State } from "../state.gen";

/** Bytes to keep free for the sentence; as a paragraph it takes fewer. */
export const LEFT_OUT_BYTES = 150;

const NAME = "saved output";

/** The source by which a state says that `count` series were left out. */
export function leftOutSource(count: number, recorded: boolean): SourceState {
  const said = `${count} series ${count === 1 ? "is" : "are"} left out of this saved view`;
  const problem = `${said}${recorded ? "; pw.replay(...) of the recording shows all" : ""}.`;
  return { name: NAME, state: "ok", problem, remedy: "", missing: [] };
}

/** The sentence about series that were left out; empty where all are there. */
export function leftOutSentence({ sources }: Pick<State, "sources">): string {
  return sources.find(({ name }) => name === NAME)?.problem ?? "";
}
