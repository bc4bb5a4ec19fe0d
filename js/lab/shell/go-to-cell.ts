/** From a dashboard to a cell of a notebook: the one whose box was chosen. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { Cell } from "@jupyterlab/cells";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import type { TranslationBundle } from "@jupyterlab/translation";
import type { CellDetail } from "../../core/dashboard/cell-links";
import type { IMonitors } from "../shared/monitors";
import { tellProblem } from "./messages";
import { addStyles } from "./styles";

const EVENT = "pulse:cell";
/** As long as the animation in the styles; without motion it is as long. */
const FLASH_MS = 1600;
const FLASH = "pulse-shell-flash";

type Found = readonly [panel: NotebookPanel, place: number];

/** Where a dashboard stands that asks for a cell. */
interface Asking {
  /** The notebook that contains it, if one does. */
  readonly around: (panel: NotebookPanel) => boolean;
  /** The notebook whose kernel it follows. */
  readonly followed: (panel: NotebookPanel) => boolean;
}

/**
 * The cell that is meant: by its id first in the notebook around the dashboard, then in the one
 * whose kernel it follows, then in any that is open. A count alone says which cell only where it is
 * known which notebook is meant. Pure.
 */
export function findCell(
  panels: readonly NotebookPanel[],
  { cell, count }: CellDetail,
  { around, followed }: Asking,
): Found | null {
  const near = [...panels.filter(around), ...panels.filter(followed)];
  const all = cell === null ? near : [...near, ...panels];
  for (const panel of all) {
    const place = panel.content.widgets.findIndex(({ model }) =>
      cell === null ? countOf(model) === count && count !== null : model.id === cell,
    );
    if (place >= 0) return [panel, place];
  }
  return null;
}

function countOf(model: Cell["model"]): number | null {
  return (model as { readonly executionCount?: number | null }).executionCount ?? null;
}

/** Goes there for as long as the page lives. */
export function followCells(
  app: JupyterFrontEnd,
  notebooks: INotebookTracker,
  monitors: IMonitors | null,
  trans: TranslationBundle,
): void {
  document.addEventListener(EVENT, (event) => {
    const detail = (event as CustomEvent<CellDetail | null>).detail;
    if (!detail) return;
    const panels: NotebookPanel[] = [];
    notebooks.forEach((panel) => {
      panels.push(panel);
    });
    const target = event.target as Node | null;
    const session = isInPanel(target) ? (monitors?.followed.session ?? null) : null;
    const found = findCell(panels, detail, {
      around: ({ node }) => node.contains(target),
      followed: ({ sessionContext }) => session !== null && sessionContext.session?.id === session,
    });
    if (found) void goTo(app, found);
    else tellProblem(trans.__("The notebook of this cell is not open."));
  });
}

/** In the Pulse panel, which shows the monitor that is followed. */
function isInPanel(target: Node | null): boolean {
  return target instanceof Element && target.closest(".pulse-panel") !== null;
}

async function goTo(app: JupyterFrontEnd, [panel, place]: Found): Promise<void> {
  app.shell.activateById(panel.id);
  const { content } = panel;
  content.deselectAll();
  content.activeCellIndex = place;
  await content.scrollToItem(place, "auto");
  const cell = content.widgets[place];
  if (cell) flash(cell.node);
}

function flash(node: HTMLElement): void {
  addStyles();
  node.classList.remove(FLASH);
  // Anew, where it flashes still.
  void node.offsetWidth;
  node.classList.add(FLASH);
  setTimeout(() => node.classList.remove(FLASH), FLASH_MS);
}
