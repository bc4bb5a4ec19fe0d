/** The dashboard: one element that shows any source, live or finished. */

import { buildGroups, type Group, type Panel } from "../charts/groups";
import { momentOf } from "../charts/moment";
import { USER_GROUP } from "../charts/panel-table";
import type { ChartEvents } from "../charts/panel-view";
import { followTheme, readTheme, type Theme } from "../charts/theme";
import type { Change, Source } from "../source";
import { Board } from "./board";
import { Cells } from "./cells";
import { Choices } from "./choices";
import { actionOf, panAction, steppedCursor } from "./commands";
import { Detail } from "./detail";
import { deviceSummaries } from "./device-summary";
import { Help } from "./help";
import { type Command, commandOf } from "./keyboard";
import { linesOfGpus, toggled } from "./legend-keys";
import { OutputPane, outputView } from "./output-pane";
import { Readings } from "./readings";
import { rootOf } from "./root";
import {
  axesNow,
  extentOf,
  hasSteps,
  isByStep,
  isYoung,
  rangeOf,
  type Scenes,
  sceneOf,
  scenesOf,
  stepSpan,
} from "./scenes";
import { Scheduler } from "./scheduler";
import { type Manner, Surroundings } from "./surroundings";
import { Timeline } from "./timeline";
import { Twins } from "./twins";
import { type Action, movesCharts, type ViewState } from "./view-state";

const SECOND = 1000;
const LONG_AGO = Number.NEGATIVE_INFINITY;
const READ_MS = 400;

/** Show `source` inside `el` and keep it up to date; the returned function takes it away again. */
export function mountDashboard(el: HTMLElement, source: Source, options: Manner): () => void {
  const dashboard = new Dashboard(el, source, options);
  return () => dashboard.destroy();
}

class Dashboard {
  readonly #source: Source;
  readonly #options: Manner;
  readonly #root: HTMLElement;
  readonly #choices: Choices;
  readonly #around: Surroundings;
  readonly #detail: Detail;
  readonly #board: Board;
  readonly #cells: Cells;
  readonly #timeline: Timeline;
  readonly #output: OutputPane;
  readonly #help: Help;
  readonly #scheduler: Scheduler;
  readonly #twins = new Twins();
  readonly #cleanup: (() => void)[] = [];
  #theme: Theme;
  #groups: Group[] = [];
  #index: Readings | null = null;
  #lines: ReadonlyMap<string, readonly string[]> = new Map();
  #lifted: string | null = null;
  #cursor: number | null = null;
  #cursorByStep = false;
  #heard = performance.now();
  #read = LONG_AGO;
  #summaryAt = LONG_AGO;
  #foldsAt = LONG_AGO;
  #layoutStale = true;
  /** The series are others than those of the groups. */
  #groupsStale = true;
  /** Some samples carry steps. */
  #stepped = false;
  /** Ids of the series that have a chart. */
  #shown: readonly number[] = [];

  constructor(el: HTMLElement, source: Source, options: Manner) {
    this.#source = source;
    this.#options = options;
    this.#choices = new Choices(source, options);
    this.#detail = new Detail(source);
    const events = this.#chartEvents();
    this.#around = new Surroundings(options, {
      dispatch: (a) => this.#dispatch(a),
      pause: () => this.#run({ do: "pause" }),
      toggle: (key, only) => {
        this.#dispatch(toggled(key, only, this.#state.hidden, this.#lines));
      },
      lift: (key) => this.#lift(key),
    });
    this.#cells = new Cells(source, {
      root: () => this.#root,
      range: () => rangeOf(source, this.#state),
      show: (range) => this.#dispatch({ type: "range", range }),
      redraw: () => this.#redraw(),
    });
    this.#timeline = new Timeline(events, this.#cells);
    const act = { dispatch: (action: Action) => this.#dispatch(action), cursor: events.cursor };
    this.#output = new OutputPane(source, act);
    this.#help = new Help(() => this.#dispatch({ type: "help", open: false }));
    this.#board = new Board(
      {
        ...events,
        open: (group, open) => this.#dispatch({ type: "open", group, open }),
        expand: (group) => this.#dispatch({ type: "expand", group }),
        appeared: () => this.#scheduler.now(),
        reflow: () => this.#relayout(),
        sighted: () => this.#tellValues(true),
      },
      {
        source,
        memory: this.#choices.memory,
        axis: {
          now: () => this.#state.axis,
          choose: (axis) => this.#dispatch({ type: "axis", axis }),
          all: () => axesNow(this.#groups, this.#stepped),
        },
        changed: () => this.#relayout(),
      },
      this.#timeline.el,
    );
    this.#scheduler = new Scheduler(
      () => this.#draw(),
      () => this.#board.views.length,
    );
    const { above, below } = this.#around;
    const charts = options.layout === "strip" ? [] : [this.#board.el];
    const whole = options.layout === "dashboard" && !options.metrics?.length;
    const output = whole ? [this.#output.el] : [];
    this.#root = rootOf(options.layout, ...above, ...charts, ...output, ...below, this.#help.el);
    el.append(this.#root);
    this.#theme = readTheme(this.#root);
    this.#start();
  }

  destroy(): void {
    for (const clean of this.#cleanup) clean();
    this.#around.destroy();
    this.#detail.destroy();
    this.#scheduler.destroy();
    this.#board.destroy();
    this.#timeline.destroy();
    this.#output.destroy();
    this.#root.remove();
  }

  #start(): void {
    this.#board.watch(this.#timeline);
    this.#root.addEventListener("keydown", (event) => this.#key(event));
    const second = setInterval(() => this.#everySecond(), SECOND);
    this.#cleanup.push(
      followTheme(this.#root, (theme) => this.#setTheme(theme)),
      this.#source.subscribe((change) => this.#changed(change)),
      () => clearInterval(second),
      this.#cells.hear(),
    );
    this.#layout();
    this.#tell();
    this.#tellValues();
    this.#scheduler.now();
  }

  #changed(change: Change): void {
    this.#heard = performance.now();
    if (change.state) this.#choices.followPresent();
    if (change.series || change.entities || change.state) this.#layoutStale = true;
    if (change.series || change.entities) [this.#index, this.#groupsStale] = [null, true];
    if (change.events || change.series || change.entities) this.#cells.forget();
    const over = this.#source.state().phase !== "running";
    // A session that is over cannot be resumed: end the pause.
    if (over && this.#state.pausedAt !== null) this.#dispatch({ type: "resume" });
    // While paused the picture stays, but the status goes on.
    this.#scheduler.later();
  }

  #dispatch(action: Action): void {
    this.#choices.apply(action);
    if (movesCharts(action)) this.#layoutStale = true;
    if (action.type === "help") this.#help.show(action.open, this.#root);
    if (action.type === "range" || action.type === "reset") {
      this.#detail.ask(() => ({ range: this.#state.range, ids: this.#shown }));
    }
    this.#summaryAt = this.#foldsAt = this.#read = LONG_AGO;
    this.#redraw();
  }

  get #state(): ViewState {
    return this.#choices.state;
  }

  #relayout(): void {
    this.#layoutStale = true;
    this.#redraw();
  }

  #layout(): void {
    this.#choices.remember();
    this.#layoutStale = false;
    this.#foldsAt = LONG_AGO;
    const { metrics, layout } = this.#options;
    if (this.#groupsStale) {
      this.#groupsStale = false;
      this.#groups = buildGroups(this.#source.catalog(), this.#source.entities(), metrics);
      this.#lines = linesOfGpus(this.#groups, this.#readings.gpus);
      this.#output.know();
    }
    if (layout === "strip") return;
    const content = {
      groups: this.#groups,
      state: this.#source.state(),
      heard: this.#source.heard?.() ?? true,
      gpus: this.#readings.gpus.length > 0,
      young: isYoung(this.#source),
      notes: deviceSummaries(this.#source),
      byStep: (panel: Panel) => isByStep(panel, this.#source, this.#state),
      metrics,
      chartsOnly: layout === "charts",
    };
    this.#around.footer.setAbsences(this.#board.update(content, this.#state));
    // Only of what is shown: there may be thousands of others.
    this.#shown = this.#board.shownIds;
    if (this.#stepped || !this.#shown.some((id) => hasSteps(this.#source, id))) return;
    this.#stepped = true;
    this.#board.update(content, this.#state);
  }

  /** Made when it is asked for: series may come one by one. */
  get #readings(): Readings {
    this.#index ??= new Readings(this.#source);
    return this.#index;
  }

  #scenes(): Scenes {
    return scenesOf({
      source: this.#source,
      state: this.#state,
      theme: this.#theme,
      marks: this.#cells.marks,
      shown: this.#shown,
      lifted: this.#lifted,
      band: this.#cells.band,
      record: this.#choices.memory.record,
    });
  }

  #draw(): void {
    if (this.#layoutStale) this.#layout();
    const scenes = this.#scenes();
    const awaited = this.#options.settled === true && isYoung(this.#source);
    this.#timeline.el.hidden = this.#cells.marks.length === 0 && !awaited;
    const { views } = this.#board;
    const fresh = views.some((view) => view.stale) || this.#cursor !== null;
    this.#board.ageUnseen();
    for (const view of views) view.draw(sceneOf(view, scenes));
    this.#output.draw(outputView(this.#state));
    const now = performance.now();
    // Numbers that change five times a second cannot be read.
    if (fresh || now - this.#read > READ_MS) this.#pointAll(scenes);
    if (now - this.#summaryAt > SECOND / 2) this.#tell();
    this.#twins.write(views, (view) => sceneOf(view, scenes), 1);
  }

  /** Write the values at the cursor, or the newest ones, on every chart. */
  #pointAll(scenes = this.#scenes()): void {
    this.#read = performance.now();
    for (const view of this.#board.views) {
      const own = view.byStep === this.#cursorByStep;
      view.point(own ? this.#cursor : null, sceneOf(view, scenes));
    }
    this.#output.point(this.#cursorByStep ? null : this.#cursor);
    // At once, so that a card and the chart beside it never differ.
    this.#tellValues(false, scenes);
  }

  #everySecond(): void {
    if (document.hidden) return;
    this.#tell();
    const scenes = this.#scenes();
    if (performance.now() - this.#read > READ_MS) this.#pointAll(scenes);
    this.#twins.write(this.#board.views, (view) => sceneOf(view, scenes));
  }

  /** Write the summary and the status; text only, at most a few times a second. */
  #tell(): void {
    this.#summaryAt = performance.now();
    const silent = (performance.now() - this.#heard) / 1000;
    const stale = this.#around.tell(this.#source, this.#state, silent);
    this.#root.classList.toggle("pulse-stale", stale);
  }

  /** The cards follow the cursor; without one they show now, or the moment of the pause. */
  #tellValues(folds = false, scenes = this.#scenes()): void {
    if (!(this.#source.heard?.() ?? true)) return;
    const cursor = this.#cursorByStep ? null : this.#cursor;
    const readings = this.#readings.at(momentOf(cursor, scenes.time, false));
    const { ground, accent } = this.#theme;
    const { range } = scenes.time;
    const [groups, lines, { hidden }] = [this.#groups, this.#lines, this.#state];
    this.#around.tellValues({ readings, groups, hidden, lines, range, ground });
    const now = performance.now();
    // Their words with the cards, at the same moment; curves change more slowly.
    const curves = folds || now - this.#foldsAt >= SECOND;
    if (curves) this.#foldsAt = now;
    this.#board.tell(readings, range, curves ? accent : null);
  }

  #setTheme(theme: Theme): void {
    this.#theme = theme;
    for (const view of [this.#timeline, ...this.#board.views]) view.setTheme(theme);
    this.#foldsAt = LONG_AGO;
    this.#tellValues();
    this.#scheduler.now();
  }

  #lift(key: string | null): void {
    if (key === this.#lifted) return;
    this.#lifted = key;
    this.#redraw();
  }

  #redraw(): void {
    for (const view of this.#board.views) view.stale = true;
    this.#scheduler.now();
  }

  #chartEvents(): ChartEvents {
    return {
      cursor: (x) => this.#moveCursor(x, false),
      zoom: (range) => this.#dispatch({ type: "range", range }),
      reset: () => this.#dispatch({ type: "reset" }),
      pan: (by) => {
        const range = rangeOf(this.#source, this.#state);
        this.#dispatch(panAction(by, range, extentOf(this.#source)));
      },
      toggle: (key, only, keys) =>
        this.#dispatch(only ? { type: "only", key, keys } : { type: "hide", key }),
      step: {
        cursor: (x) => this.#moveCursor(x, true),
        zoom: (range) => this.#dispatch({ type: "step-range", range }),
        pan: (by) => {
          const [from, to] = stepSpan(this.#source, this.#state, this.#shown);
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
    const { help, range } = this.#state;
    if (event.key === "Escape" && (help || range)) {
      this.#dispatch(help ? { type: "help", open: false } : { type: "reset" });
    } else {
      const command = commandOf(event);
      if (!command) return;
      this.#run(command);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #run(command: Command): void {
    const range = rangeOf(this.#source, this.#state);
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
      extent: extentOf(this.#source),
      cursor: this.#cursor,
      running: this.#source.state().phase === "running",
      axes: axesNow(this.#groups, this.#stepped),
    });
    if (action) this.#dispatch(action);
  }
}
