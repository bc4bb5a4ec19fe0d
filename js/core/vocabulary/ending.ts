/** A kernel that went away while its session was running: what to say of it. Pure. */

import { ENDINGS, type Ending } from "../source";

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
