/** Labels of the x axis that have no room are left out rather than cut or written over others. */

/** CSS pixels of half a letter, and how far a label may reach below the labels of the y axis. */
const HALF_LETTER = 3.2;
const REACH = 4;

/**
 * The labels as they are, empty where one would reach under the labels of the y axis, which stand
 * left of 0, or beyond `right`. `places` are CSS pixels from the left edge of the plot. Pure.
 */
export function clearLabels(
  texts: readonly string[],
  places: readonly number[],
  right: number,
): string[] {
  return texts.map((text, i) => {
    const [at, half] = [places[i] as number, text.length * HALF_LETTER];
    return at - half < -REACH || at + half > right ? "" : text;
  });
}
