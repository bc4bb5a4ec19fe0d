/** Preset lengths of history in view. */

/** In seconds, or all there is. */
export type Window = 30 | 300 | 3600 | "all";

export const WINDOWS: readonly Window[] = [30, 300, 3600, "all"];
