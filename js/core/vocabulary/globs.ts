/**
 * Patterns of names, as users write them; `pulse_widgets/metrics/globs.py` has the same rule.
 *
 * `*` stands for any run of characters, also none, and `?` for exactly one. Everything else is
 * itself, brackets too; upper and lower case differ. `tests/data/globs.json` holds both languages
 * to it.
 */

/** Whether a name is named by one of `globs`; without any, all names are. */
export function globTest(globs: readonly string[] | null): (name: string) => boolean {
  if (!globs || globs.length === 0) return () => true;
  // Characters, not halves of one: "?" is a whole emoji.
  const patterns = globs.map((glob) => [...glob]);
  return (name) => {
    const letters = [...name];
    return patterns.some((pattern) => matches(letters, pattern));
  };
}

/**
 * No regular expression: a pattern with many stars would take one for ever, and a notebook from
 * elsewhere brings its own patterns.
 */
function matches(name: readonly string[], pattern: readonly string[]): boolean {
  let [at, place] = [0, 0];
  let [star, taken] = [-1, 0];
  while (at < name.length) {
    if (pattern[place] === "*") {
      [star, taken] = [place, at];
      place++;
    } else if (pattern[place] === "?" || pattern[place] === name[at]) {
      at++;
      place++;
    } else if (star >= 0) {
      // The last star takes one character more.
      taken++;
      [at, place] = [taken, star + 1];
    } else {
      return false;
    }
  }
  return pattern.slice(place).every((letter) => letter === "*");
}
