/** What the charts draw: the range of time and of steps in view, and what is lifted or hidden. Pure. */

import type { Group, Panel } from "../charts/groups";
import { begunBy } from "../charts/mark-index";
import type { Mark } from "../charts/marks";
import { USER_GROUP } from "../charts/panel-table";
import type { Scene, View } from "../charts/panel-view";
import type { Theme } from "../charts/theme";
import { axesOf, metricOf, steppedSource } from "../history/along-source";
import { byStep, byTime, type Fetch } from "../history/grid";
import type { SeriesWire, Source } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import type { Remembered } from "./remembered";
import { type Axis, type ViewState, visibleRange } from "./view-state";

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
  const stepped = steppedSource(source, state.axis);
  return {
    time: {
      ...shared,
      fetch: pausedAt === null ? fetch : upTo(fetch, pausedAt),
      range: rangeOf(source, state),
    },
    step: {
      ...shared,
      source: stepped,
      fetch: byStep(stepped),
      range: stepSpan(source, state, shown),
      along: metricOf(state.axis),
    },
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
  const stepped = steppedSource(source, state.axis);
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const id of shown) {
    const [from, to] = stepped.stepExtent?.(id) ?? [first, last];
    [first, last] = [Math.min(first, from), Math.max(last, to)];
  }
  if (first > last) return [0, 1];
  return first < last ? [first, last] : [first, first + 1];
}

export function hasSteps(source: Source, id: number): boolean {
  return (source.stepExtent?.(id) ?? null) !== null;
}

const defined = new WeakMap<readonly Group[], readonly Axis[]>();

/** The axes that the user's own charts may have; `stepped`: some of them carry steps. */
export function axesNow(groups: readonly Group[], stepped: boolean): Axis[] {
  const panels = () => groups.filter(({ title }) => title === USER_GROUP).flatMap((g) => g.panels);
  // Asked for often, and there may be thousands.
  const known = defined.get(groups) ?? axesOf(panels().flatMap(seriesOf));
  defined.set(groups, known);
  return ["time", ...(stepped ? ["step" as const] : []), ...known];
}

function seriesOf({ lines }: Panel): SeriesWire[] {
  return lines.map(({ series }) => series);
}

/** Whether a panel is drawn over steps now, or over another metric. */
export function isByStep({ lines }: Panel, source: Source, { axis }: ViewState): boolean {
  if (axis === "time") return false;
  const stepped = steppedSource(source, axis);
  return lines.some(({ id }) => hasSteps(stepped, id));
}
