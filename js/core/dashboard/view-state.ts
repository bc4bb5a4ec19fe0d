/**
 * What the viewer chose to see. Pure: no DOM, no data, so that pausing and zooming never depend on
 * the kernel.
 */

import { type AxisRange, FIRST_SECONDS, NARROWEST } from "../vocabulary/axis-range";

/** A preset length of history in seconds, or all there is. */
export type Window = 30 | 300 | 3600 | "all";

export const WINDOWS: readonly Window[] = [30, 300, 3600, "all"];

export interface ViewState {
  readonly window: Window;
  /** The stretch the viewer zoomed or panned to; null while the window decides. */
  readonly range: AxisRange | null;
  /** The end of the picture when it was paused; null while it follows the data. */
  readonly pausedAt: number | null;
  /** Keys of the lines that are hidden, on every chart that has them. */
  readonly hidden: ReadonlySet<string>;
  /** The x axis of charts whose series carry steps. */
  readonly axis: "time" | "step";
  readonly stepRange: AxisRange | null;
  /** Groups that are folded away. */
  readonly folded: ReadonlySet<string>;
  /** Groups that also show their less common charts. */
  readonly expanded: ReadonlySet<string>;
  readonly help: boolean;
}

export type Action =
  | { type: "window"; window: Window }
  | { type: "range"; range: AxisRange }
  | { type: "reset" }
  | { type: "pause"; at: number }
  | { type: "resume" }
  | { type: "hide"; key: string }
  | { type: "only"; key: string; keys: readonly string[] }
  | { type: "show-all" }
  | { type: "axis"; axis: "time" | "step" }
  | { type: "step-range"; range: AxisRange | null }
  | { type: "fold"; group: string }
  | { type: "expand"; group: string }
  | { type: "help"; open: boolean };

export function initialState(window: Window): ViewState {
  return {
    window,
    range: null,
    pausedAt: null,
    hidden: new Set(),
    axis: "time",
    stepRange: null,
    folded: new Set(),
    expanded: new Set(),
    help: false,
  };
}

export function reduce(state: ViewState, action: Action): ViewState {
  switch (action.type) {
    case "window":
      return { ...state, window: action.window, range: null };
    case "range":
      return { ...state, range: action.range };
    case "reset":
      return { ...state, range: null, stepRange: null };
    case "pause":
      return { ...state, pausedAt: action.at };
    case "resume":
      // Whoever resumes wants to see the present, not the range looked at meanwhile.
      return { ...state, pausedAt: null, range: null };
    case "hide":
      return { ...state, hidden: toggled(state.hidden, action.key) };
    case "only":
      return { ...state, hidden: onlyShown(state.hidden, action.key, action.keys) };
    case "show-all":
      return { ...state, hidden: new Set() };
    case "axis":
      return { ...state, axis: action.axis };
    case "step-range":
      return { ...state, stepRange: action.range };
    case "fold":
      return { ...state, folded: toggled(state.folded, action.group) };
    case "expand":
      return { ...state, expanded: toggled(state.expanded, action.group) };
    case "help":
      return { ...state, help: action.open };
  }
}

function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}

/** Show `key` alone among `keys`; a second time brings the others back. */
function onlyShown(
  hidden: ReadonlySet<string>,
  key: string,
  keys: readonly string[],
): ReadonlySet<string> {
  const others = keys.filter((other) => other !== key);
  const alone = !hidden.has(key) && others.every((other) => hidden.has(other));
  const next = new Set(hidden);
  next.delete(key);
  for (const other of others) {
    if (alone) next.delete(other);
    else next.add(other);
  }
  return next;
}

/**
 * The range of time to draw.
 *
 * A running session follows its newest sample; it starts `FIRST_SECONDS` wide, widens with the
 * data up to the window, and only then scrolls. A finished one shows the end of what there is.
 */
export function visibleRange(state: ViewState, extent: AxisRange, live: boolean): AxisRange {
  if (state.range) return state.range;
  const [first, last] = extent;
  const end = state.pausedAt ?? last;
  const start = state.window === "all" ? first : Math.max(first, end - state.window);
  const least = live ? FIRST_SECONDS : NARROWEST;
  return end - start < least ? [start, start + least] : [start, end];
}
