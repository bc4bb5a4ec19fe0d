/**
 * Ways between a dashboard and the notebook around it. Both are events on the page: whoever is
 * there may hear them, and where nobody is, nothing happens.
 */

import { isCell, type Mark, marksWithin } from "../charts/marks";
import { visibleBox } from "../charts/tip";
import type { Source } from "../source";
import type { AxisRange } from "../vocabulary/axis-range";
import { extentOf } from "./scenes";

/** Asks for the notebook to go to a cell. */
const GO_TO_CELL = "pulse:cell";
/** Asks the dashboards on a page to show a stretch; one that is in sight prevents its default. */
export const SHOW_STRETCH = "pulse:show";

/** What `GO_TO_CELL` says: the notebook's id of the cell, its execution count, its start. */
export interface CellDetail {
  readonly cell: string | null;
  readonly count: number | null;
  readonly time: number;
}

/** What `SHOW_STRETCH` says. Times are Unix seconds. */
export interface StretchDetail {
  readonly t0: number;
  readonly t1: number;
  /** The id of the kernel that ran it, where it is known, and the notebook's id of the cell. */
  readonly kernel?: string | null;
  readonly cell?: string | null;
}

/** Of a span what the notebook needs in order to find its cell; null where it is none. Pure. */
export function cellOf(mark: Mark): CellDetail | null {
  const { cell_id: id, count } = mark.facts ?? {};
  const cell = typeof id === "string" && id !== "" ? id : null;
  const number = typeof count === "number" ? count : null;
  if (!isCell(mark) || (cell === null && number === null)) return null;
  return { cell, count: number, time: mark.start };
}

export function goToCell(root: HTMLElement, mark: Mark): void {
  const detail = cellOf(mark);
  if (!detail) return;
  root.dispatchEvent(new CustomEvent(GO_TO_CELL, { bubbles: true, composed: true, detail }));
}

/** What a dashboard knows of itself. */
export interface Known {
  readonly source: Source;
  readonly marks: readonly Mark[];
}

/**
 * Whether a stretch is of a dashboard's kernel. A host says around a dashboard which kernel that
 * is; where it does not, a dashboard knows a cell by its id. Pure.
 */
export function concerns(detail: StretchDetail, kernel: string | null, known: Known): boolean {
  const { t0, t1 } = detail;
  if (!(Number.isFinite(t0) && t1 >= t0)) return false;
  const [first, last] = extentOf(known.source);
  if (!(t1 >= first && t0 <= last)) return false;
  if (!detail.kernel) return true;
  if (kernel !== null) return kernel === detail.kernel;
  const cells = marksWithin(known.marks, [t0, t1], 1000).filter(isCell);
  return cells.some(({ facts }) => detail.cell != null && facts?.["cell_id"] === detail.cell);
}

/** The result stops listening. `show` is told of the stretches that concern this dashboard. */
export function hearStretches(
  root: HTMLElement,
  know: () => Known,
  show: (stretch: AxisRange) => void,
): () => void {
  const hear = (event: Event) => {
    const detail = (event as CustomEvent<StretchDetail | null>).detail;
    const kernel = root.closest<HTMLElement>("[data-pulse-kernel]")?.dataset["pulseKernel"];
    if (!detail || !concerns(detail, kernel ?? null, know())) return;
    show([detail.t0, detail.t1]);
    if (isInSight(root)) event.preventDefault();
  };
  document.addEventListener(SHOW_STRETCH, hear);
  return () => document.removeEventListener(SHOW_STRETCH, hear);
}

function isInSight(root: HTMLElement): boolean {
  const [left, top, right, bottom] = visibleBox(root);
  return right > left && bottom > top;
}
