/**
 * What the viewer chose to see. Pure: no DOM, no data, so that pausing and zooming never depend on
 * the kernel.
 */

import { type AxisRange, FIRST_SECONDS, NARROWEST } from "../vocabulary/axis-range";
import type { Remembered } from "./remembered";
import type { Window } from "./windows";

/** The x axis of the user's own charts: steps where they carry any, or another metric, as `x:epoch`. */
export type Axis = "time" | "step" | `x:${string}`;

export interface ViewState {
  readonly window: Window;
  /** The stretch the viewer zoomed or panned to; null while the window decides. */
  readonly range: AxisRange | null;
  /** The end of the picture when it was paused; null while it follows the data. */
  readonly pausedAt: number | null;
  /** Keys of the lines that are hidden, on every chart that has them. */
  readonly hidden: ReadonlySet<string>;
  readonly axis: Axis;
  readonly stepRange: AxisRange | null;
  /** Sections that the viewer opened, and those that he folded; others stand as at first. */
  readonly opened: ReadonlySet<string>;
  readonly folded: ReadonlySet<string>;
  /** Sections that also show their less common charts. */
  readonly expanded: ReadonlySet<string>;
  /** All sections are open, with all of their charts. */
  readonly all: boolean;
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
  | { type: "hide-all"; keys: readonly string[]; hide: boolean }
  | { type: "only-these"; own: readonly string[]; others: readonly string[] }
  | { type: "show-all" }
  | { type: "axis"; axis: Axis }
  | { type: "step-range"; range: AxisRange | null }
  | { type: "open"; group: string; open: boolean }
  | { type: "all"; all: boolean }
  | { type: "remembered"; record: Remembered }
  | { type: "expand"; group: string }
  | { type: "help"; open: boolean };

/** Whether it changes which charts there are, or how they stand. */
export function movesCharts({ type }: Action): boolean {
  return ["open", "expand", "all", "axis"].includes(type);
}

export function initialState(window: Window): ViewState {
  return {
    window,
    range: null,
    pausedAt: null,
    hidden: new Set(),
    axis: "time",
    stepRange: null,
    opened: new Set(),
    folded: new Set(),
    expanded: new Set(),
    all: false,
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
      return { ...state, hidden: onlyThese(state.hidden, [action.key], without(action)) };
    case "hide-all":
      return { ...state, hidden: withKeys(state.hidden, action.keys, action.hide) };
    case "only-these":
      return { ...state, hidden: onlyThese(state.hidden, action.own, action.others) };
    case "show-all":
      return { ...state, hidden: new Set() };
    case "axis":
      // A range of steps is none of epochs.
      return { ...state, axis: action.axis, stepRange: null };
    case "step-range":
      return { ...state, stepRange: action.range };
    case "open": {
      const { group, open } = action;
      const [opened, folded] = [new Set(state.opened), new Set(state.folded)];
      (open ? opened : folded).add(group);
      (open ? folded : opened).delete(group);
      return { ...state, opened, folded };
    }
    case "all":
      return { ...state, all: action.all, folded: new Set() };
    case "remembered":
      return withRecord(state, action.record);
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

function without({ key, keys }: { key: string; keys: readonly string[] }): string[] {
  return keys.filter((other) => other !== key);
}

function withKeys(
  hidden: ReadonlySet<string>,
  keys: readonly string[],
  hide: boolean,
): ReadonlySet<string> {
  const next = new Set(hidden);
  for (const key of keys) {
    if (hide) next.add(key);
    else next.delete(key);
  }
  return next;
}

/** Hide all others; a second time brings them back. */
function onlyThese(
  hidden: ReadonlySet<string>,
  own: readonly string[],
  others: readonly string[],
): ReadonlySet<string> {
  const alone = others.every((key) => hidden.has(key)) && !own.some((key) => hidden.has(key));
  return withKeys(withKeys(hidden, own, false), others, !alone);
}

function withRecord(state: ViewState, record: Remembered): ViewState {
  return {
    ...state,
    window: record.window ?? state.window,
    hidden: new Set(record.hidden),
    opened: new Set(record.opened),
    folded: new Set(record.folded),
    expanded: new Set(record.expanded),
    all: record.all,
  };
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
