/** The dashboard: one element that shows any source, live or finished. */

import { PLOT_STYLE } from "../charts/chart";
import { buildGroups, type Group, type Panel } from "../charts/groups";
import { type Mark, marksOf } from "../charts/marks";
import { USER_GROUP } from "../charts/panel-table";
import type { ChartEvents, Scene, View } from "../charts/panel-view";
import { followTheme, readTheme, type Theme } from "../charts/theme";
import { h } from "../dom";
import { byStep, byTime } from "../history/grid";
import type { Change, Source } from "../source";
import { type AxisRange, panned } from "../vocabulary/axis-range";
import { Board, type BoardContent } from "./board";
import { endingCards, writeCards } from "./cards";
import { actionOf, steppedCursor } from "./commands";
import { deviceSummaries } from "./device-summary";
import { figuresOf, Newest } from "./figures";
import { Help } from "./help";
import { type Command, commandOf } from "./keyboard";
import { Memory } from "./remembered";
import { Scheduler } from "./scheduler";
import { statusOf } from "./status";
import { Strip } from "./strip";
import { STYLE } from "./styles";
import { Timeline } from "./timeline";
import { Toolbar } from "./toolbar";
import { type Action, initialState, reduce, type ViewState, visibleRange } from "./view-state";

interface DashboardOptions {
  readonly layout: "dashboard" | "strip" | "charts";
  /** Globs of metric names to show; null shows all. */
  readonly metrics: readonly string[] | null;
  readonly title: string;
}

/** The least time between drawings: a single chart may be drawn more often than many. */
const FEW_CHARTS = 4;
const FEW_MS = 100;
const MANY_MS = 200;
const SECOND = 1000;
/** Text twins are updated seldom: they are read slowly. */
const DESCRIBE_MS = 5000;
const DESCRIBE_MOST = 4;
const READ_MS = 400;
const REQUEST_MS = 300;
const REQUEST_POINTS = 1000;
/** Seconds of a running session shown at first. */
const LIVE_WINDOW = 300;

/**
 * Show `source` inside `el` and keep it up to date; the returned function takes it away again.
 * Styles go into `el` too, because a host may render in a shadow root.
 */
export function mountDashboard(
  el: HTMLElement,
  source: Source,
  options: DashboardOptions,
): () => void {
  const dashboard = new Dashboard(el, source, options);
  return () => dashboard.destroy();
}

class Dashboard {
  readonly #source: Source;
  readonly #options: DashboardOptions;
  readonly #root: HTMLElement;
  /** Cards shown in every layout: that the kernel has ended. */
  readonly #notices = h("div", { class: "pulse-cards pulse-ending" });
  readonly #strip = new Strip();
  readonly #toolbar: Toolbar;
  readonly #board: Board;
  readonly #timeline: Timeline;
  readonly #help: Help;
  readonly #scheduler: Scheduler;
  readonly #cleanup: (() => void)[] = [];
  #state: ViewState;
  #windowChosen = false;
  #theme: Theme;
  #groups: Group[] = [];
  /** The series are others than those of the groups. */
  #groupsStale = true;
  readonly #memory: Memory;
  #marks: Mark[] = [];
  /** Made when it is asked for: series may come one by one. */
  #newest: Newest | null = null;
  #cursor: number | null = null;
  #cursorByStep = false;
  #heard = performance.now();
  readonly #described = new WeakMap<View, number>();
  #read = 0;
  #summaryAt = 0;
  #layoutStale = true;
  /** Some samples carry steps. */
  #stepped = false;
  /** Ids of the series that have a chart. */
  #shown: readonly number[] = [];
  #request: ReturnType<typeof setTimeout> | undefined;

  constructor(el: HTMLElement, source: Source, options: DashboardOptions) {
    this.#source = source;
    this.#options = options;
    this.#state = initialState("all");
    this.#followPresent();
    this.#memory = new Memory("");
    const events = this.#chartEvents();
    this.#toolbar = new Toolbar({
      dispatch: (a) => this.#dispatch(a),
      pause: () => this.#run({ do: "pause" }),
    });
    this.#timeline = new Timeline(events);
    this.#help = new Help(() => this.#dispatch({ type: "help", open: false }));
    this.#board = new Board(
      {
        ...events,
        fold: (group) => this.#dispatch({ type: "fold", group }),
        expand: (group) => this.#dispatch({ type: "expand", group }),
        appeared: () => this.#scheduler.now(),
      },
      {
        source,
        memory: this.#memory,
        axis: {
          now: () => this.#state.axis,
          choose: (axis) => this.#dispatch({ type: "axis", axis }),
          stepped: () => this.#stepped,
        },
        changed: () => this.#choseAgain(),
      },
    );
    this.#scheduler = new Scheduler(
      () => this.#draw(),
      () => (this.#board.views.length > FEW_CHARTS ? MANY_MS : FEW_MS),
    );
    this.#root = this.#build(el);
    this.#theme = readTheme(this.#root);
    this.#start();
  }

  destroy(): void {
    for (const clean of this.#cleanup) clean();
    clearTimeout(this.#request);
    this.#scheduler.destroy();
    this.#board.destroy();
    this.#timeline.destroy();
    this.#root.remove();
  }

  #build(el: HTMLElement): HTMLElement {
    const root = h("div", {
      class: `pulse pulse-layout-${this.#options.layout}`,
      tabindex: "0",
      role: "region",
      "aria-label": "Pulse monitor",
      // JupyterLab would take single letters for its own while focus is in here.
      "data-lm-suppress-shortcuts": "true",
    });
    const { layout } = this.#options;
    root.append(h("style", {}, PLOT_STYLE, STYLE), this.#toolbar.el, this.#notices);
    if (layout !== "charts") root.append(this.#strip.el);
    if (layout !== "strip") root.append(this.#timeline.el, this.#board.el);
    root.append(this.#help.el);
    el.append(root);
    return root;
  }

  #start(): void {
    this.#board.watch(this.#timeline);
    this.#root.addEventListener("keydown", (event) => this.#key(event));
    const second = setInterval(() => this.#everySecond(), SECOND);
    this.#cleanup.push(
      followTheme(this.#root, (theme) => this.#setTheme(theme)),
      this.#source.subscribe((change) => this.#changed(change)),
      () => clearInterval(second),
    );
    this.#marks = marksOf(this.#source);
    this.#layout();
    this.#tell();
    this.#scheduler.now();
  }

  /** A running session is shown by its last minutes, unless the viewer chose otherwise. */
  #followPresent(): void {
    if (this.#windowChosen || this.#source.state().phase !== "running") return;
    this.#state = { ...this.#state, window: LIVE_WINDOW };
  }

  #changed(change: Change): void {
    this.#heard = performance.now();
    if (change.state) this.#followPresent();
    if (change.series || change.entities || change.state) this.#layoutStale = true;
    if (change.series || change.entities) [this.#newest, this.#groupsStale] = [null, true];
    if (change.events || change.series || change.entities) this.#marks = marksOf(this.#source);
    const over = this.#source.state().phase !== "running";
    // A session that is over cannot be resumed: end the pause.
    if (over && this.#state.pausedAt !== null) this.#dispatch({ type: "resume" });
    // While paused the charts stay, but values and status are updated.
    this.#scheduler.later();
  }

  #dispatch(action: Action): void {
    this.#windowChosen ||= action.type === "window";
    this.#state = reduce(this.#state, action);
    if (["fold", "expand", "axis"].includes(action.type)) this.#layoutStale = true;
    if (action.type === "help") this.#help.show(action.open, this.#root);
    if (action.type === "range" || action.type === "reset") this.#requestDetail();
    for (const view of this.#board.views) view.stale = true;
    this.#summaryAt = 0;
    this.#read = 0;
    this.#scheduler.now();
  }

  #layout(): void {
    this.#layoutStale = false;
    const { metrics, layout } = this.#options;
    if (layout === "strip") return;
    if (this.#groupsStale) {
      this.#groups = buildGroups(this.#source.catalog(), this.#source.entities(), metrics);
      this.#groupsStale = false;
    }
    const content: BoardContent = {
      groups: this.#groups,
      state: this.#source.state(),
      heard: this.#source.heard?.() ?? true,
      notes: deviceSummaries(this.#source),
      byStep: (panel) => this.#isByStep(panel),
      metrics,
      chartsOnly: layout === "charts",
    };
    this.#board.update(content, this.#state);
    // Only of what is shown: there may be thousands of others.
    this.#shown = this.#board.shownIds;
    const has = (id: number) => (this.#source.stepExtent?.(id) ?? null) !== null;
    if (this.#stepped || !this.#shown.some(has)) return;
    this.#stepped = true;
    this.#board.update(content, this.#state);
  }

  /** The tools of a section have changed what is shown, or how. */
  #choseAgain(): void {
    this.#layoutStale = true;
    for (const view of this.#board.views) view.stale = true;
    this.#scheduler.now();
  }

  #isByStep(panel: Panel): boolean {
    const has = ({ id }: { id: number }) => (this.#source.stepExtent?.(id) ?? null) !== null;
    return this.#state.axis === "step" && panel.lines.some(has);
  }

  #extent(): AxisRange {
    const [first, last] = this.#source.extent();
    const { t0, t1 } = this.#source.state();
    return Number.isFinite(first) ? [first, last] : [t0, t1 ?? t0];
  }

  #range(): AxisRange {
    const live = this.#source.state().phase === "running";
    return visibleRange(this.#state, this.#extent(), live);
  }

  #stepSpan(): AxisRange {
    if (this.#state.stepRange) return this.#state.stepRange;
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    if (this.#state.axis === "time") return [0, 1];
    for (const id of this.#shown) {
      const [from, to] = this.#source.stepExtent?.(id) ?? [first, last];
      [first, last] = [Math.min(first, from), Math.max(last, to)];
    }
    if (first > last) return [0, 1];
    return first < last ? [first, last] : [first, first + 1];
  }

  #scenes(): { time: Scene; step: Scene } {
    const shared = {
      source: this.#source,
      hidden: this.#state.hidden,
      theme: this.#theme,
      marks: this.#marks,
      now: this.#extent()[1],
      lifted: null,
      smooth: this.#memory.record.smooth,
      log: this.#memory.record.log,
      still: this.#state.pausedAt !== null || this.#state.range !== null,
    };
    return {
      time: { ...shared, fetch: byTime(this.#source), range: this.#range() },
      step: { ...shared, fetch: byStep(this.#source), range: this.#stepSpan() },
    };
  }

  #draw(): void {
    if (this.#layoutStale) this.#layout();
    const scenes = this.#scenes();
    this.#timeline.el.hidden = this.#marks.length === 0;
    const { views } = this.#board;
    const fresh = views.some((view) => view.stale) || this.#cursor !== null;
    this.#board.ageUnseen();
    for (const view of views) view.draw(this.#sceneOf(view, scenes));
    const now = performance.now();
    // Numbers that change five times a second cannot be read.
    if (fresh || now - this.#read > READ_MS) this.#pointAll();
    if (now - this.#summaryAt > SECOND / 2) this.#tell();
    this.#describe(now, scenes, 1);
  }

  /** Update the text twins that waited longest; updating all at once would be noticeable. */
  #describe(now: number, scenes: { time: Scene; step: Scene }, most: number): void {
    const due = this.#board.views
      .map((view) => ({ view, since: this.#described.get(view) ?? Number.NEGATIVE_INFINITY }))
      .filter(({ since }) => now - since > DESCRIBE_MS)
      .sort((a, b) => a.since - b.since);
    for (const { view } of due.slice(0, most)) {
      this.#described.set(view, now);
      view.describe(this.#sceneOf(view, scenes));
    }
  }

  #sceneOf(view: View, scenes: { time: Scene; step: Scene }): Scene {
    return view.byStep ? scenes.step : scenes.time;
  }

  /** Write the values at the cursor, or the newest ones, on every chart. */
  #pointAll(): void {
    this.#read = performance.now();
    const scenes = this.#scenes();
    for (const view of this.#board.views) {
      const own = view.byStep === this.#cursorByStep;
      view.point(own ? this.#cursor : null, this.#sceneOf(view, scenes));
    }
  }

  #everySecond(): void {
    if (document.hidden) return;
    this.#tell();
    const now = performance.now();
    if (now - this.#read > READ_MS) this.#pointAll();
    this.#describe(now, this.#scenes(), DESCRIBE_MOST);
  }

  /** Write the summary and the status; text only, at most a few times a second. */
  #tell(): void {
    this.#summaryAt = performance.now();
    if (this.#options.layout !== "charts") {
      this.#newest ??= new Newest(this.#source);
      this.#strip.update(figuresOf(this.#source, this.#newest));
    }
    writeCards(this.#notices, endingCards(this.#source));
    const silent = (performance.now() - this.#heard) / 1000;
    const status = statusOf(this.#source, this.#state, silent, this.#options.title);
    this.#toolbar.update(status, this.#state);
  }

  #setTheme(theme: Theme): void {
    this.#theme = theme;
    for (const view of [this.#timeline, ...this.#board.views]) view.setTheme(theme);
    this.#scheduler.now();
  }

  #chartEvents(): ChartEvents {
    return {
      cursor: (x) => this.#moveCursor(x, false),
      zoom: (range) => this.#dispatch({ type: "range", range }),
      reset: () => this.#dispatch({ type: "reset" }),
      pan: (by) => {
        const range = this.#range();
        const share = by / (range[1] - range[0]);
        this.#dispatch({ type: "range", range: panned(range, share, this.#extent()) });
      },
      toggle: (key, only, keys) =>
        this.#dispatch(only ? { type: "only", key, keys } : { type: "hide", key }),
      step: {
        cursor: (x) => this.#moveCursor(x, true),
        zoom: (range) => this.#dispatch({ type: "step-range", range }),
        pan: (by) => {
          const [from, to] = this.#stepSpan();
          this.#dispatch({ type: "step-range", range: [from + by, to + by] });
        },
      },
    };
  }

  #moveCursor(x: number | null, byStep: boolean): void {
    this.#cursor = x;
    this.#cursorByStep = byStep;
    this.#pointAll();
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.#state.help) {
      this.#dispatch({ type: "help", open: false });
    } else {
      const command = commandOf(event);
      if (!command) return;
      this.#run(command);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #run(command: Command): void {
    const range = this.#range();
    if (command.do === "search") {
      this.#board.focus(USER_GROUP);
      return;
    }
    if (command.do === "step") {
      this.#moveCursor(steppedCursor(this.#cursor, command.by, range), false);
      return;
    }
    const action = actionOf(command, {
      state: this.#state,
      range,
      extent: this.#extent(),
      cursor: this.#cursor,
      running: this.#source.state().phase === "running",
    });
    if (action) this.#dispatch(action);
  }

  /** Ask for exact rows of what the viewer zoomed to, once the zooming has come to rest. */
  #requestDetail(): void {
    clearTimeout(this.#request);
    this.#request = setTimeout(() => {
      const range = this.#state.range;
      if (!range || !this.#source.request) return;
      const ids = this.#shown;
      if (ids.length > 0) this.#source.request(ids, range[0], range[1], REQUEST_POINTS);
    }, REQUEST_MS);
  }
}
