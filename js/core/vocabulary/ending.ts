/** The words for a kernel that ended while its session was running. Pure. */

import { ENDINGS, type Ending } from "../source";

export function readEnding(value: unknown): Ending | null {
  return ENDINGS.find((ending) => ending === value) ?? null;
}

/** Of several signs the first is kept, unless a later one says more exactly what happened. */
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
