/** Which section shows which charts, and what is open at first. Pure. */

import type { Group, Panel } from "../charts/groups";
import { CPU_GROUP, GPU_GROUP, headingsWith, USER_GROUP } from "../charts/panel-table";
import type { ViewState } from "./view-state";

/** A group with the panels that its extras chose. */
export interface Chosen extends Group {
  /** It has nothing yet, only a hint how to fill it. */
  readonly hinted: boolean;
}

export interface Section extends Chosen {
  /** What its heading says; the title is its name. */
  readonly heading: string;
  readonly open: boolean;
  /** Charts of the first row come first. */
  readonly panels: readonly Panel[];
  /** So many of them are shown. */
  readonly shown: number;
  /** More than a first row was asked for. */
  readonly expanded: boolean;
  /** Its own button showed more than the first row, and takes it back. */
  readonly more: boolean;
  /** Places in the first row that are kept for what has not been read yet. */
  readonly waiting: readonly number[];
}

export interface SectionsContext {
  /** The viewer chose the metrics: all of them are shown. */
  readonly asked: boolean;
  /** Charts beside one another. */
  readonly columns: number;
  /** There are GPUs: they have the first row. */
  readonly gpus: boolean;
  /** The session has just begun: what belongs into the first row is on its way. */
  readonly young?: boolean;
}

/** The row under the cards: what matters first, from whichever group it is. */
const FIRST_OF_GPUS = ["gpu.utilization", "gpu.memory.used", "gpu.power"];
const FIRST_OF_MACHINE = ["cpu.utilization", "memory.used", "process.cpu"];
/** Charts of a first row. */
const ROW = 3;
const MACHINE_HEADING = "CPU, memory, kernel";
/** Charts of one section that are drawn without being asked for by its own button. */
const MOST_AT_ONCE = 48;

/** The sections of groups of charts, in order. */
export function sectionsOf(
  groups: readonly Chosen[],
  state: ViewState,
  context: SectionsContext,
): Section[] {
  const moved = context.asked ? groups : withFirstRow(groups, context);
  return moved.map((group) => sectionOf(group, state, context));
}

function sectionOf(group: Chosen, state: ViewState, context: SectionsContext): Section {
  const { title, hinted } = group;
  const own = title === USER_GROUP;
  // The user's own stand in the order in which they were chosen.
  const panels = own ? group.panels : mainFirst(group.panels);
  const first = title === (context.gpus ? GPU_GROUP : CPU_GROUP);
  const byDefault = context.asked || first || own;
  const expanded = state.expanded.has(title) || state.all;
  const mains = own ? 0 : panels.filter((panel) => panel.main).length;
  const row = context.columns * Math.ceil(ROW / context.columns);
  const least = first || own ? row : Math.max(mains, row);
  const most = state.expanded.has(title) ? panels.length : MOST_AT_ONCE;
  const shown = context.asked ? panels.length : expanded ? most : least;
  const heading = first && !context.gpus && !context.asked ? MACHINE_HEADING : title;
  const open = isOpen(state, title, byDefault);
  const waiting = first && context.young && !context.asked ? missing(group, context.gpus) : [];
  return {
    title,
    heading,
    hinted,
    open,
    panels,
    shown,
    expanded: expanded || context.asked,
    more: state.expanded.has(title) && !state.all && panels.length > least,
    waiting,
  };
}

/** Places of the first row that no panel has. */
function missing({ panels }: Group, gpus: boolean): number[] {
  const wanted = gpus ? FIRST_OF_GPUS : FIRST_OF_MACHINE;
  return wanted.flatMap((metric, place) =>
    panels.some((panel) => isFirst(panel, metric)) ? [] : [place],
  );
}

function mainFirst(panels: readonly Panel[]): Panel[] {
  return [...panels].sort((a, b) => Number(b.main) - Number(a.main));
}

export function isOpen(
  state: Pick<ViewState, "folded" | "opened" | "all">,
  title: string,
  byDefault: boolean,
): boolean {
  if (state.folded.has(title)) return false;
  return state.all || byDefault || state.opened.has(title);
}

/** The panels of the first row are taken from their groups into the one that is open at first. */
function withFirstRow(groups: readonly Chosen[], { gpus }: SectionsContext): Chosen[] {
  const wanted = gpus ? FIRST_OF_GPUS : FIRST_OF_MACHINE;
  const title = gpus ? GPU_GROUP : CPU_GROUP;
  const all = groups.flatMap(({ panels }) => panels);
  const first = wanted
    .map((metric) => all.find((panel) => isFirst(panel, metric)))
    .filter((panel) => panel !== undefined);
  if (first.length === 0) return [...groups];
  const taken = new Set(first.map(({ key }) => key));
  const rest = groups.map((group) => ({
    ...group,
    panels: group.panels.filter(({ key }) => !taken.has(key)),
  }));
  const own = rest.find((group) => group.title === title)?.panels ?? [];
  const lead: Chosen = { title, hinted: false, panels: [...first, ...own] };
  const titles = headingsWith([title, ...groups.map((group) => group.title)]);
  return titles.flatMap((one) => {
    const group = one === title ? lead : rest.find((each) => each.title === one);
    const kept = group && (group.panels.length > 0 || one === USER_GROUP);
    return kept ? [group] : [];
  });
}

/** Of whole things: a metric may be of their parts, too. */
function isFirst({ lines, entityClass }: Panel, metric: string): boolean {
  return lines[0]?.series.metric === metric && ["gpu", "host", "kernel"].includes(entityClass);
}

/**
 * Whether each of `count` charts, `columns` a row, has the labels of its axis: of those that stand
 * above one another over the same axis only the lowest. Pure.
 */
export function axesOf(byStep: readonly boolean[], columns: number): boolean[] {
  return byStep.map((own, place) => byStep[place + columns] !== own);
}
