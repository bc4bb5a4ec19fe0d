/** Messages in the room there is for them. Pure. */

import { ActionError } from "../shared/monitors";

/** JupyterLab cuts what is longer. */
const MOST_CHARACTERS = 140;

/** `text` with `place` in it, which is cut in its middle where both are too long. */
export function toldOf(text: (place: string) => string, place: string): string {
  const over = text(place).length - MOST_CHARACTERS;
  if (over <= 0) return text(place);
  const kept = Math.max(place.length - over - 1, 2);
  const head = Math.ceil(kept / 2);
  return text(`${place.slice(0, head)}\u2026${place.slice(place.length - (kept - head))}`);
}

/** The problem, and what to do about it. */
export function sentencesOf(error: unknown): readonly string[] {
  const problem = error instanceof Error ? error.message : String(error);
  return [problem, error instanceof ActionError ? error.remedy : ""].filter(Boolean);
}
