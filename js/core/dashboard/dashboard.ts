/** The dashboard: one element that shows any source, live or finished. */

import { PLOT_STYLE } from "../charts/chart";
import { buildGroups, type Group, type Panel } from "../charts/groups";
import { type Mark, marksOf } from "../charts/marks";
import type { ChartEvents, Scene, View } from "../charts/panel-view";
import { followTheme, readTheme, type Theme } from "../charts/theme";
import { h } from "../dom";
import type { Change, Source } from "../source";
import { panned } from "../vocabulary/axis-range";
import { Board } from "./board";
import { endingCards, writeCards } from "./cards";
import { actionOf, steppedCursor } from "./commands";
import { deviceSummaries } from "./device-summary";
import { Footer } from "./footer";
import { Help } from "./help";
import { type Command, commandOf } from "./keyboard";
import { isHidden, linesOfGpus } from "./legend-keys";
import { Overview } from "./overview";
import { Readings } from "./readings";
import { Memory, NOTHING } from "./remembered";
import { extentOf, rangeOf, type Scenes, scenesOf, stepped, stepSpan, stillAt } from "./scenes";
import { Scheduler } from "./scheduler";
import { statusOf } from "./status";
import { Strip } from "./strip";
import { STYLE } from "./styles";
import { Timeline } from "./timeline";
import { Toolbar } from "./toolbar";
import { Twins } from "./twins";
import { type Action, initialState, reduce, type ViewState } from "./view-state";

interface DashboardOptions {
  readonly layout: "dashboard" | "strip" | "charts";
  /** Globs of metric names to show; null shows all. */
  readonly metrics: readonly string[] | null;
  readonly title: string;
  /** Whose choices the page remembers, beside those of each replayed recording: the notebook. */
  readonly page?: string;
}

/** The least time between drawings: a single chart may be drawn more often than many. */
const FEW_CHARTS = 4;
const FEW_MS = 100;
const MANY_MS = 200;
const SECOND = 1000;
const LONG_AGO = Number.NEGATIVE_INFINITY;
/** Text twins that are updated in one go. */
const DESCRIBE_MOST = 4;
const READ_MS = 400;
const REQUEST_MS = 300;
const REQUEST_POINTS = 1000;
/** Seconds of a running session shown at first. */
const LIVE_WINDOW = 300;
/** What changes which charts there are, or how they stand. */
const LAYOUT_ACTIONS: readonly string[] = ["open", "expand", "all", "axis", "remembered"];

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
  readonly #overview: Overview;
  readonly #footer = new Footer();
  readonly #toolbar: Toolbar;
  readonly #board: Board;
  readonly #timeline: Timeline;
  readonly #help: Help;
  readonly #scheduler: Scheduler;
  readonly #twins = new Twins();
  readonly #cleanup: (() => void)[] = [];
  #memory: Memory | null = null;
  #state: ViewState;
  #windowChosen = false;
  #theme: Theme;
  #groups: Group[] = [];
  #marks: Mark[] = [];
  #readings: Readings;
  #lines: ReadonlyMap<string, readonly string[]> = new Map();
  #lifted: string | null = null;
  #cursor: number | null = null;
  #cursorByStep = false;
  #heard = performance.now();
  #read = LONG_AGO;
  #summaryAt = LONG_AGO;
  #foldsAt = LONG_AGO;
  #layoutStale = true;
  /** Series whose samples carry steps. */
  #steps: ReadonlySet<number> = new Set();
  #request: ReturnType<typeof setTimeout> | undefined;

  constructor(el: HTMLElement, source: Source, options: DashboardOptions) {
    this.#source = source;
    this.#options = options;
    this.#state = initialState("all");
    this.#followPresent();
    this.#readings = new Readings(source);
    const events = this.#chartEvents();
    this.#toolbar = new Toolbar({
      dispatch: (a) => this.#dispatch(a),
      pause: () => this.#run({ do: "pause" }),
    });
    this.#overview = new Overview({
      toggle: (key, only) => this.#toggleGpu(key, only),
      lift: (key) => this.#lift(key),
    });
    this.#timeline = new Timeline(events);
    this.#help = new Help(() => this.#dispatch({ type: "help", open: false }));
    this.#board = new Board(
      {
        ...events,
        open: (group, open) => this.#dispatch({ type: "open", group, open }),
        expand: (group) => this.#dispatch({ type: "expand", group }),
        appeared: () => this.#scheduler.now(),
        reflow: () => this.#relayout(),
      },
      { source, memory: () => this.#remember(), changed: () => this.#relayout() },
      this.#timeline.el,
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
    if (layout === "strip") root.append(this.#strip.el);
    if (layout === "dashboard") root.append(this.#overview.el);
    if (layout !== "strip") root.append(this.#board.el);
    if (layout === "dashboard") root.append(this.#footer.el);
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

  /** The choices made here before; they are looked up once it is known what is shown. */
  #remember(): Memory {
    if (this.#memory) return this.#memory;
    const { layout, metrics, page } = this.#options;
    const { phase, recording } = this.#source.state();
    const what = phase === "replay" ? recording.path : page;
    const key = what ? [what, layout, ...(metrics ?? [])].join(" ") : "";
    if (!(this.#source.heard?.() ?? true)) return new Memory("");
    this.#memory = new Memory(key);
    const { record } = this.#memory;
    if (record !== NOTHING) this.#dispatch({ type: "remembered", record });
    this.#windowChosen ||= record.window !== null;
    return this.#memory;
  }

  #changed(change: Change): void {
    this.#heard = performance.now();
    if (change.state) this.#followPresent();
    if (change.series || change.entities || change.state) this.#layoutStale = true;
    if (change.series || change.entities) this.#readings = new Readings(this.#source);
    if (change.events || change.series || change.entities) this.#marks = marksOf(this.#source);
    const over = this.#source.state().phase !== "running";
    // A session that is over cannot be resumed: end the pause.
    if (over && this.#state.pausedAt !== null) this.#dispatch({ type: "resume" });
    // While paused the picture stays, but the status goes on.
    this.#scheduler.later();
  }

  #dispatch(action: Action): void {
    this.#windowChosen ||= action.type === "window";
    this.#state = reduce(this.#state, action);
    if (LAYOUT_ACTIONS.includes(action.type)) this.#layoutStale = true;
    if (action.type === "help") this.#help.show(action.open, this.#root);
    if (action.type === "range" || action.type === "reset") this.#requestDetail();
    if (action.type !== "remembered") this.#keep();
    for (const view of this.#board.views) view.stale = true;
    this.#summaryAt = LONG_AGO;
    this.#foldsAt = LONG_AGO;
    this.#read = LONG_AGO;
    this.#scheduler.now();
  }

  #keep(): void {
    const { hidden, opened, folded, expanded, all, window } = this.#state;
    this.#memory?.change({
      window: this.#windowChosen ? window : null,
      hidden: [...hidden],
      opened: [...opened],
      folded: [...folded],
      expanded: [...expanded],
      all,
    });
  }

  #relayout(): void {
    this.#layoutStale = true;
    for (const view of this.#board.views) view.stale = true;
    this.#scheduler.now();
  }

  #layout(): void {
    this.#remember();
    this.#layoutStale = false;
    this.#foldsAt = LONG_AGO;
    this.#steps = stepped(this.#source);
    const { metrics, layout } = this.#options;
    this.#groups = buildGroups(this.#source.catalog(), this.#source.entities(), metrics);
    this.#lines = linesOfGpus(this.#groups, this.#readings.gpus);
    if (layout === "strip") return;
    const content = {
      groups: this.#groups,
      state: this.#source.state(),
      heard: this.#source.heard?.() ?? true,
      gpus: this.#readings.gpus.length > 0,
      notes: deviceSummaries(this.#source),
      byStep: (panel: Panel) => this.#isByStep(panel),
      metrics,
      chartsOnly: layout === "charts",
    };
    this.#footer.setAbsences(this.#board.update(content, this.#state));
  }

  #isByStep(panel: Panel): boolean {
    return this.#state.axis === "step" && panel.lines.some((line) => this.#steps.has(line.id));
  }

  #scenes(): Scenes {
    return scenesOf({
      source: this.#source,
      state: this.#state,
      theme: this.#theme,
      marks: this.#marks,
      steps: this.#steps,
      lifted: this.#lifted,
      record: this.#memory?.record ?? NOTHING,
    });
  }

  #draw(): void {
    if (this.#layoutStale) this.#layout();
    const scenes = this.#scenes();
    const running = this.#source.state().phase === "running";
    this.#timeline.el.hidden = this.#marks.length === 0 && !running;
    const { views } = this.#board;
    const fresh = views.some((view) => view.stale) || this.#cursor !== null;
    this.#board.ageUnseen();
    for (const view of views) view.draw(sceneOf(view, scenes));
    const now = performance.now();
    // Numbers that change five times a second cannot be read.
    if (fresh || now - this.#read > READ_MS) this.#pointAll();
    if (now - this.#summaryAt > SECOND / 2) this.#tell();
    this.#twins.write(views, (view) => sceneOf(view, scenes), 1);
  }

  /** Write the values at the cursor, or the newest ones, on every chart. */
  #pointAll(): void {
    this.#read = performance.now();
    const scenes = this.#scenes();
    for (const view of this.#board.views) {
      const own = view.byStep === this.#cursorByStep;
      view.point(own ? this.#cursor : null, sceneOf(view, scenes));
    }
  }

  #everySecond(): void {
    if (document.hidden) return;
    this.#tell();
    const scenes = this.#scenes();
    if (performance.now() - this.#read > READ_MS) this.#pointAll();
    this.#twins.write(this.#board.views, (view) => sceneOf(view, scenes), DESCRIBE_MOST);
  }

  /** Write the summary and the status; text only, at most a few times a second. */
  #tell(): void {
    this.#summaryAt = performance.now();
    this.#tellValues();
    writeCards(this.#notices, endingCards(this.#source));
    this.#footer.update(this.#source);
    const silent = (performance.now() - this.#heard) / 1000;
    const status = statusOf(this.#source, this.#state, silent, this.#options.title);
    const sections = this.#options.layout === "dashboard" && !this.#options.metrics?.length;
    this.#toolbar.update({ ...status, stepped: this.#steps.size > 0, sections }, this.#state);
    this.#root.classList.toggle("pulse-stale", status.stale);
  }

  /** The cards follow the cursor; without one they show now, or the moment of the pause. */
  #tellValues(): void {
    const { layout, metrics } = this.#options;
    if (!(this.#source.heard?.() ?? true)) return;
    const cursor = this.#cursorByStep ? null : this.#cursor;
    const readings = this.#readings.at(cursor ?? stillAt(this.#source, this.#state));
    const { ground, accent } = this.#theme;
    const range = rangeOf(this.#source, this.#state);
    if (layout === "strip" && metrics?.length) {
      this.#strip.updateChosen(this.#groups, readings, range, ground);
    } else if (layout === "strip") this.#strip.update(readings, ground);
    if (layout !== "dashboard") return;
    const { hidden } = this.#state;
    this.#overview.update(readings, (gpu) => isHidden(gpu, hidden, this.#lines), ground);
    const now = performance.now();
    if (now - this.#foldsAt < SECOND) return;
    this.#foldsAt = now;
    this.#board.tell(readings, range, accent);
  }

  #setTheme(theme: Theme): void {
    this.#theme = theme;
    for (const view of [this.#timeline, ...this.#board.views]) view.setTheme(theme);
    this.#foldsAt = LONG_AGO;
    this.#tell();
    this.#scheduler.now();
  }

  /** Hide or show all lines of a GPU, or of all others. */
  #toggleGpu(gpu: string, only: boolean): void {
    const own = this.#lines.get(gpu) ?? [gpu];
    if (!only) {
      const hide = !isHidden({ key: gpu }, this.#state.hidden, this.#lines);
      this.#dispatch({ type: "hide-all", keys: own, hide });
      return;
    }
    const others = [...this.#lines].filter(([key]) => key !== gpu).flatMap(([, keys]) => keys);
    this.#dispatch({ type: "only-these", own, others });
  }

  #lift(key: string | null): void {
    if (key === this.#lifted) return;
    this.#lifted = key;
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
        const share = by / (range[1] - range[0]);
        const next = panned(range, share, extentOf(this.#source));
        this.#dispatch({ type: "range", range: next });
      },
      toggle: (key, only, keys) =>
        this.#dispatch(only ? { type: "only", key, keys } : { type: "hide", key }),
      step: {
        cursor: (x) => this.#moveCursor(x, true),
        zoom: (range) => this.#dispatch({ type: "step-range", range }),
        pan: (by) => {
          const [from, to] = stepSpan(this.#source, this.#state, this.#steps);
          this.#dispatch({ type: "step-range", range: [from + by, to + by] });
        },
      },
    };
  }

  #moveCursor(x: number | null, byStep: boolean): void {
    this.#cursor = x;
    this.#cursorByStep = byStep;
    this.#pointAll();
    this.#tellValues();
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.#state.help) {
      this.#dispatch({ type: "help", open: false });
    } else {
      const command = commandOf(event);
      // What is typed into a field is text.
      if (!command || event.target instanceof HTMLInputElement) return;
      this.#run(command);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #run(command: Command): void {
    const range = rangeOf(this.#source, this.#state);
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
    });
    if (action) this.#dispatch(action);
  }

  /** Ask for exact rows of what the viewer zoomed to, once the zooming has come to rest. */
  #requestDetail(): void {
    clearTimeout(this.#request);
    this.#request = setTimeout(() => {
      const range = this.#state.range;
      if (!range || !this.#source.request) return;
      const ids = this.#groups.flatMap((g) => g.panels.flatMap((p) => p.lines.map((l) => l.id)));
      if (ids.length > 0) this.#source.request(ids, range[0], range[1], REQUEST_POINTS);
    }, REQUEST_MS);
  }
}

function sceneOf(view: View, scenes: Scenes): Scene {
  return view.byStep ? scenes.step : scenes.time;
}
