/** What the charts draw: the range of time and of steps in view, and what is lifted or hidden. Pure. */

import type { Panel } from "../charts/groups";
import { begunBy } from "../charts/mark-index";
import type { Mark } from "../charts/marks";
import type { Scene, View } from "../charts/panel-view";
import type { Theme } from "../charts/theme";
import { byStep, byTime, type Fetch } from "../history/grid";
import type { Source } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import type { Remembered } from "./remembered";
import { type ViewState, visibleRange } from "./view-state";

export interface Scenes {
  readonly time: Scene;
  readonly step: Scene;
}

export interface SceneContext {
  readonly source: Source;
  readonly state: ViewState;
  readonly theme: Theme;
  readonly marks: readonly Mark[];
  /** Ids of the series that have a chart. */
  readonly shown: readonly number[];
  readonly lifted: string | null;
  readonly band?: AxisRange | null;
  readonly record: Remembered;
}

export function scenesOf(context: SceneContext): Scenes {
  const { source, state, theme, marks, shown, lifted, band, record } = context;
  const { pausedAt } = state;
  const shared = {
    source,
    hidden: state.hidden,
    theme,
    marks: pausedAt === null ? marks : begunBy(marks, pausedAt),
    now: pausedAt ?? extentOf(source)[1],
    lifted,
    band: band ?? null,
    smooth: record.smooth,
    log: record.log,
    still: pausedAt !== null || state.range !== null,
  };
  const fetch = byTime(source);
  return {
    time: {
      ...shared,
      fetch: pausedAt === null ? fetch : upTo(fetch, pausedAt),
      range: rangeOf(source, state),
    },
    step: { ...shared, fetch: byStep(source), range: stepSpan(source, state, shown) },
  };
}

/** The picture of a pause has nothing of what came after it. */
function upTo(fetch: Fetch, end: number): Fetch {
  return (id, from, to, points, out) => {
    fetch(id, from, to, points, out);
    while (out.length > 0 && (out.time[out.length - 1] as number) > end) out.length--;
  };
}

/** Whether over time or over steps. */
export function sceneOf(view: View, scenes: Scenes): Scene {
  return view.byStep ? scenes.step : scenes.time;
}

export function extentOf(source: Source): AxisRange {
  const [first, last] = source.extent();
  const { t0, t1 } = source.state();
  return Number.isFinite(first) ? [first, last] : [t0, t1 ?? t0];
}

/** Seconds in which the readings of a session come for the first time. */
const BEGINNING = 5;

/** A session runs and has just begun. */
export function isYoung(source: Source): boolean {
  const [first, last] = source.extent();
  return source.state().phase === "running" && !(last - first > BEGINNING);
}

export function rangeOf(source: Source, state: ViewState): AxisRange {
  return visibleRange(state, extentOf(source), source.state().phase === "running");
}

export function stepSpan(source: Source, state: ViewState, shown: readonly number[]): AxisRange {
  if (state.stepRange) return state.stepRange;
  if (state.axis === "time") return [0, 1];
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const id of shown) {
    const [from, to] = source.stepExtent?.(id) ?? [first, last];
    [first, last] = [Math.min(first, from), Math.max(last, to)];
  }
  if (first > last) return [0, 1];
  return first < last ? [first, last] : [first, first + 1];
}

export function hasSteps(source: Source, id: number): boolean {
  return (source.stepExtent?.(id) ?? null) !== null;
}

/** Whether a panel is drawn over steps now. */
export function isByStep({ lines }: Panel, source: Source, state: ViewState): boolean {
  return state.axis === "step" && lines.some(({ id }) => hasSteps(source, id));
}
