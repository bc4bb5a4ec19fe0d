/** A kernel that went away while its session was running: what to say of it. Pure. */

import type { Card } from "./cards";
import type { Source } from "./source";

/** How a kernel went, of which the session itself cannot tell. */
export type Ending = (typeof ENDINGS)[number];

const ENDINGS = ["restarted", "died", "shut down", "replaced"] as const;

export function readEnding(value: unknown): Ending | null {
  return ENDINGS.find((ending) => ending === value) ?? null;
}

/** Of several signs the first tells most, but for two that say a word too little. */
export function isMoreExact(how: Ending, before: Ending): boolean {
  return (
    (how === "died" && before === "restarted") || (how === "replaced" && before === "shut down")
  );
}

const WORDS: Readonly<Record<Ending, readonly [state: string, sentence: string]>> = {
  restarted: ["Kernel restarted", "The kernel was restarted"],
  died: ["Kernel died", "The kernel died"],
  "shut down": ["Kernel shut down", "The kernel was shut down"],
  replaced: ["Kernel replaced", "The notebook was given another kernel"],
};

/** The state of a view, in two or three words. */
export function endingWord(ending: Ending): string {
  return WORDS[ending][0];
}

export function endingSentence(ending: Ending): string {
  return WORDS[ending][1];
}

export function endingCards(source: Source): Card[] {
  const ending = source.ended?.() ?? null;
  if (ending === null) return [];
  const kept = source.state().recording.path !== null;
  const why = "The session ended with it. What is shown is the last that was heard of it.";
  const remedy = kept
    ? "Run the cell again for a new session. `pw.recordings()` finds the recording of this one; at a `record=` path, `pulse-widgets repair` finishes it."
    : "Run the cell again for a new session. This one was not recorded.";
  return [{ group: "", title: endingSentence(ending), why, remedy, fault: true }];
}
