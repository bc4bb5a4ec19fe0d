/** From a key's command to a change of the view. Pure. */

import { type AxisRange, panned, scaled } from "../vocabulary/axis-range";
import type { Command } from "./keyboard";
import type { Action, Axis, ViewState } from "./view-state";
import { WINDOWS } from "./windows";

export interface CommandContext {
  readonly state: ViewState;
  readonly range: AxisRange;
  readonly extent: AxisRange;
  readonly cursor: number | null;
  /** A live picture can be paused, a finished one cannot. */
  readonly running: boolean;
  /** The x axes there are. */
  readonly axes?: readonly Axis[];
}

/** The action of a command; null where it changes nothing, or only the cursor. */
export function actionOf(command: Command, context: CommandContext): Action | null {
  const { state, range, extent, cursor } = context;
  switch (command.do) {
    case "pause":
      if (!context.running) return null;
      return state.pausedAt === null ? { type: "pause", at: extent[1] } : { type: "resume" };
    case "window":
      return { type: "window", window: WINDOWS[command.place] ?? "all" };
    case "reset":
    case "show-all":
      return { type: command.do };
    case "pan":
      return { type: "range", range: panned(range, command.by, extent) };
    case "scale": {
      const anchor = cursor ?? (range[0] + range[1]) / 2;
      return { type: "range", range: scaled(range, command.factor, anchor, extent) };
    }
    case "all":
      return { type: "all", all: !state.all };
    case "axis":
      return { type: "axis", axis: after(state.axis, context.axes ?? ["time", "step"]) };
    case "help":
      return { type: "help", open: !state.help };
    case "step":
    case "search":
      return null;
  }
}

function after(axis: Axis, axes: readonly Axis[]): Axis {
  return axes[(axes.indexOf(axis) + 1) % axes.length] ?? "time";
}

/** The range moved by so much of the axis. */
export function panAction(by: number, range: AxisRange, extent: AxisRange): Action {
  return { type: "range", range: panned(range, by / (range[1] - range[0]), extent) };
}

/** The cursor moved by hundredths of the picture; it enters at the edge it moves away from. */
export function steppedCursor(cursor: number | null, by: number, range: AxisRange): number {
  const at = cursor ?? (by < 0 ? range[1] : range[0]);
  const next = at + (by * (range[1] - range[0])) / 100;
  return Math.min(Math.max(next, range[0]), range[1]);
}
