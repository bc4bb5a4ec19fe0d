/** Messages in the room there is for them. Pure. */

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
