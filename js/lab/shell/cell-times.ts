/** When the cells of each notebook ran last, for as long as the page knows it. */

import type { ICellModel, ICodeCellModel } from "@jupyterlab/cells";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import type { SpanWire } from "../../core/source";
import type { IMonitors } from "../shared/monitors";
import { CellRuns, recordedRun } from "./cell-runs";

/** Unix seconds; a cell that runs has no end. */
export interface Stretch {
  readonly start: number;
  readonly end: number | null;
}

export class CellTimes {
  readonly #monitors: IMonitors | null;
  readonly #known = new Map<NotebookPanel, Map<string, Stretch>>();

  constructor(notebooks: INotebookTracker, monitors: IMonitors | null) {
    this.#monitors = monitors;
    notebooks.forEach((panel) => {
      this.#listen(panel);
    });
    notebooks.widgetAdded.connect((_, panel) => this.#listen(panel));
  }

  /** When a cell ran; null where that is not known. */
  of(panel: NotebookPanel, model: ICellModel): Stretch | null {
    const heard = this.#known.get(panel)?.get(model.id);
    return heard ?? this.#told(panel, model) ?? recorded(model);
  }

  #listen(panel: NotebookPanel): void {
    const known = new Map<string, Stretch>();
    this.#known.set(panel, known);
    const runs = new CellRuns(panel.sessionContext, {
      began: () => undefined,
      started: (cell, start) => known.set(cell, { start, end: null }),
      ended: (cell, { start, end }) => known.set(cell, { start, end }),
      // What ran in a kernel that has ended can still be looked at.
      forgotten: () => {
        for (const [cell, { end }] of known) if (end === null) known.delete(cell);
      },
    });
    panel.disposed.connect(() => {
      runs.dispose();
      this.#known.delete(panel);
    });
  }

  /** The last run of which the monitor knows. */
  #told(panel: NotebookPanel, { id }: ICellModel): Stretch | null {
    const { session, store } = this.#monitors?.followed ?? { session: null, store: null };
    if (!store || session === null || session !== panel.sessionContext.session?.id) return null;
    return newestOf(store.spans(), id);
  }
}

/** The last run of a cell among the spans of a session. Pure. */
export function newestOf(spans: readonly SpanWire[], cell: string): Stretch | null {
  const own = spans.findLast(({ metric, facts }) => metric === "cell" && facts["cell_id"] === cell);
  return own ? { start: own.start, end: own.end } : null;
}

/** What the notebook itself recorded. */
function recorded(model: ICellModel): Stretch | null {
  if (model.type !== "code") return null;
  const { executionCount, sharedModel } = model as ICodeCellModel;
  if (executionCount === null) return null;
  const run = recordedRun(model.getMetadata("execution"), sharedModel.getOutputs?.() as never);
  return run && { start: run.start, end: run.end };
}
