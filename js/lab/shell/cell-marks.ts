/**
 * The marks beside the prompts of one notebook. They live on the page alone: nothing is written
 * into the notebook. A mark belongs to a cell's id, so it goes where the cell goes.
 */

import type { Cell, ICellModel, ICodeCellModel } from "@jupyterlab/cells";
import type { CellList, INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import type { TranslationBundle } from "@jupyterlab/translation";
import { setAttribute } from "../../core/dom";
import type { LiveStore } from "../../core/history/live-store";
import type { IMonitors } from "../shared/monitors";
import type { ISettings } from "../shared/settings";
import { CellRuns, type Run, recordedRun } from "./cell-runs";
import { type GpuUse, gpuUse, reaches } from "./cell-use";
import { markText } from "./mark-text";
import { addStyles } from "./styles";
import { Watch } from "./watch";

const ATTRIBUTE = "data-pulse-mark";

/** So long readings of the end of a run are waited for. */
const PATIENCE_S = 5;

interface Mark {
  readonly run: Run;
  /** The code that ran; null where only the times of the run are known. */
  readonly code: string | null;
  use: GpuUse | null;
  /** Readings of its end may still come. */
  open: boolean;
}

export class CellMarks {
  readonly #panel: NotebookPanel;
  readonly #monitors: IMonitors | null;
  readonly #trans: TranslationBundle;
  readonly #runs: CellRuns;
  readonly #marks = new Map<string, Mark>();
  readonly #heard = new WeakSet<ICellModel>();
  #cells: CellList | null = null;
  #store: LiveStore | null = null;
  #unsubscribe: () => void = () => undefined;
  #drawing = false;
  #disposed = false;

  constructor(panel: NotebookPanel, monitors: IMonitors | null, trans: TranslationBundle) {
    this.#panel = panel;
    this.#monitors = monitors;
    this.#trans = trans;
    this.#runs = new CellRuns(panel.sessionContext, {
      began: (cell) => this.#remove(cell),
      ended: (cell, run, code) => this.#add(cell, { run, code, use: null, open: true }),
      forgotten: () => this.#forget(),
    });
    panel.content.modelChanged.connect(this.#begin, this);
    panel.disposed.connect(this.dispose, this);
    monitors?.changed.connect(this.#follow, this);
    this.#begin();
    this.#follow();
    void panel.context.ready.then(() => this.#recall());
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#runs.dispose();
    this.#panel.disposed.disconnect(this.dispose, this);
    this.#panel.content?.modelChanged.disconnect(this.#begin, this);
    this.#cells?.changed.disconnect(this.#draw, this);
    this.#monitors?.changed.disconnect(this.#follow, this);
    this.#unsubscribe();
    this.#marks.clear();
    for (const cell of this.#panel.content?.widgets ?? []) erase(cell);
  }

  #begin(): void {
    if (this.#disposed) return;
    const cells = this.#panel.content.model?.cells ?? null;
    if (cells === this.#cells) return;
    this.#cells?.changed.disconnect(this.#draw, this);
    this.#cells = cells;
    cells?.changed.connect(this.#draw, this);
    this.#forget();
  }

  #forget(): void {
    this.#marks.clear();
    this.#recall();
  }

  /** The marks of runs that the cells themselves know of, where there are no others. */
  #recall(): void {
    if (this.#disposed) return;
    for (const { model } of this.#panel.content.widgets) {
      const run = isCode(model)
        ? recordedRun(model.getMetadata("execution"), model.sharedModel.getOutputs?.() as never)
        : null;
      const isFree = !this.#marks.has(model.id);
      if (run && isFree && (model as ICodeCellModel).executionCount !== null) {
        this.#marks.set(model.id, { run, code: null, use: null, open: true });
      }
    }
    this.#settle();
    this.#draw();
  }

  #add(cell: string, mark: Mark): void {
    this.#marks.set(cell, mark);
    this.#settle();
    this.#draw();
  }

  #remove(cell: string): void {
    if (this.#marks.delete(cell)) this.#draw();
  }

  /** Of the kernel of this notebook alone. */
  #follow(): void {
    const { session, store } = this.#monitors?.followed ?? { session: null, store: null };
    const own = session !== null && session === this.#panel.sessionContext.session?.id;
    const next = own ? store : null;
    if (next === this.#store) return;
    this.#unsubscribe();
    this.#store = next;
    this.#unsubscribe = next?.subscribe(() => this.#settle() && this.#draw()) ?? (() => undefined);
    if (this.#settle()) this.#draw();
  }

  /** Look up what is known by now of the runs that have ended; whether anything was. */
  #settle(): boolean {
    const store = this.#store;
    if (!store) return false;
    const { phase } = store.state();
    const [first, last] = store.extent();
    const isOver = phase !== "running" || store.ended() !== null;
    let found = false;
    for (const mark of this.#marks.values()) {
      if (!mark.open || !(last >= mark.run.end || isOver)) continue;
      const isLate = last >= mark.run.end + PATIENCE_S;
      if (!isOver && !isLate && !reaches(store, mark.run.end)) continue;
      mark.open = false;
      // Of a time outside of the session it knows nothing, which is no gap in it.
      const isOutside = mark.run.end < first || mark.run.start > last;
      mark.use = isOutside ? null : gpuUse(store, mark.run.start, mark.run.end);
      found = true;
    }
    return found;
  }

  /** After what JupyterLab does in this turn: its widgets are then those of the model. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      if (this.#disposed || this.#panel.isDisposed) return;
      for (const cell of this.#panel.content.widgets) this.#drawCell(cell);
    });
  }

  #drawCell(cell: Cell): void {
    const mark = this.#marks.get(cell.model.id);
    if (!mark || !isCode(cell.model)) {
      erase(cell);
      return;
    }
    this.#listen(cell.model);
    if (cell.promptNode) write(cell.promptNode, cell.model, mark, this.#trans);
    // A cell out of sight has no prompt yet.
    else void cell.ready.then(() => cell.promptNode && this.#draw());
  }

  /** Outputs that were cleared take the mark with them, and an edit is said. */
  #listen(model: ICodeCellModel): void {
    if (this.#heard.has(model)) return;
    this.#heard.add(model);
    model.stateChanged.connect((_, { name, newValue }) => {
      if (name === "executionCount" && newValue === null) this.#remove(model.id);
    });
    model.contentChanged.connect(() => {
      if (this.#disposed) return;
      const cell = this.#panel.content.widgets.find((one) => one.model === model);
      if (cell) this.#drawCell(cell);
    });
  }
}

function isCode(model: ICellModel): model is ICodeCellModel {
  return model.type === "code";
}

/** As attributes: JupyterLab replaces whatever is in a prompt. */
function write(prompt: HTMLElement, model: ICodeCellModel, mark: Mark, trans: TranslationBundle) {
  const edited = mark.code !== null && model.sharedModel.getSource() !== mark.code;
  const { line, title } = markText(mark.run, mark.use, edited, trans);
  setAttribute(prompt, ATTRIBUTE, line);
  setAttribute(prompt, "title", title);
  prompt.classList.toggle("pulse-shell-edited", edited);
  prompt.classList.toggle("pulse-shell-failed", mark.run.outcome !== "");
}

function erase({ promptNode }: Cell): void {
  if (!promptNode?.hasAttribute(ATTRIBUTE)) return;
  promptNode.removeAttribute(ATTRIBUTE);
  promptNode.removeAttribute("title");
  promptNode.classList.remove("pulse-shell-edited", "pulse-shell-failed");
}

/** CSS pixels from the top of a prompt at which its mark begins, as in the styles. */
const MARK_TOP = 20;

/** Whether a click is on a mark: marks are no elements, JupyterLab replaces what is in a prompt. */
function isOnMark({ target, clientY }: MouseEvent): boolean {
  const prompt = target instanceof Element ? target.closest(`[${ATTRIBUTE}]`) : null;
  return prompt !== null && clientY >= prompt.getBoundingClientRect().top + MARK_TOP;
}

/** Marks in every notebook, as long as the settings ask for them. */
export function keepMarks(
  settings: ISettings,
  notebooks: INotebookTracker,
  monitors: IMonitors | null,
  trans: TranslationBundle,
  /** Show the active cell: its mark was clicked. */
  show: () => void = () => undefined,
): void {
  const clicked = (event: MouseEvent) => {
    if (isOnMark(event)) show();
  };
  const all = new Map<NotebookPanel, CellMarks>();
  // Readings of a run come only to whoever looks while it runs.
  const watch = monitors && new Watch(monitors, () => settings.values.cellMarks && all.size > 0);
  const forget = (panel: NotebookPanel) => {
    all.delete(panel);
    watch?.update();
  };
  const add = (panel: NotebookPanel) => {
    if (!settings.values.cellMarks || all.has(panel)) return;
    all.set(panel, new CellMarks(panel, monitors, trans));
    // Once, however often it is added.
    panel.node.addEventListener("click", clicked);
    panel.disposed.connect(forget);
  };
  const update = () => {
    if (settings.values.cellMarks) {
      addStyles();
      notebooks.forEach(add);
    } else {
      for (const marks of all.values()) marks.dispose();
      all.clear();
    }
    watch?.update();
  };
  settings.changed.connect(update);
  monitors?.changed.connect(() => watch?.update());
  notebooks.widgetAdded.connect(update);
  update();
}
