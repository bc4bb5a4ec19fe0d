/** From a cell of a notebook to the dashboards: they show the time in which it ran. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { Cell } from "@jupyterlab/cells";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import type { TranslationBundle } from "@jupyterlab/translation";
import { SHOW_STRETCH, type StretchDetail } from "../../core/dashboard/cell-links";
import type { IMonitors, IPanel } from "../shared/monitors";
import type { CellTimes } from "./cell-times";
import { tellProblem } from "./messages";

interface Around {
  readonly app: JupyterFrontEnd;
  readonly notebooks: INotebookTracker;
  readonly monitors: IMonitors | null;
  readonly panel: IPanel | null;
  readonly trans: TranslationBundle;
}

/** So long a panel that was opened may take until it draws, and so often it is asked. */
const [PATIENCE_MS, AGAIN_MS] = [6000, 150];

export async function showCell(
  around: Around,
  times: CellTimes,
  notebook: NotebookPanel,
  cell: Cell,
): Promise<void> {
  const { trans, panel, monitors } = around;
  const ran = times.of(notebook, cell.model);
  if (!ran) {
    tellProblem(trans.__("It is not known when this cell ran."));
    return;
  }
  const detail: StretchDetail = {
    t0: ran.start,
    t1: ran.end ?? Date.now() / 1000,
    kernel: notebook.sessionContext.session?.kernel?.id ?? null,
    cell: cell.model.id,
  };
  if (show(detail, around)) return;
  if (panel && monitors) {
    const session = notebook.sessionContext.session?.id ?? null;
    // The panel is to follow this notebook, whatever was chosen there before.
    if (monitors.followed.session !== session) monitors.choose(session);
    panel.reveal();
    if (await shownSoon(detail, around)) return;
  }
  tellProblem(trans.__("Pulse knows nothing of the time in which this cell ran."));
}

async function shownSoon(detail: StretchDetail, around: Around): Promise<boolean> {
  for (let waited = 0; waited < PATIENCE_MS; waited += AGAIN_MS) {
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    if (show(detail, around)) return true;
  }
  return false;
}

/** Whether a dashboard in sight shows it now. */
function show(detail: StretchDetail, around: Around): boolean {
  nameKernels(around);
  const event = new CustomEvent(SHOW_STRETCH, { detail, cancelable: true });
  return !document.dispatchEvent(event);
}

/** Say on the page whose kernel the dashboards of each notebook, and of the panel, show. */
function nameKernels({ app, notebooks, monitors }: Around): void {
  const name = (node: Element | null, kernel: string | null | undefined) => {
    if (!(node instanceof HTMLElement)) return;
    if (kernel) node.dataset["pulseKernel"] = kernel;
    else delete node.dataset["pulseKernel"];
  };
  notebooks.forEach(({ node, sessionContext }) => {
    name(node, sessionContext.session?.kernel?.id);
  });
  const session = monitors?.followed.session ?? null;
  const running = [...app.serviceManager.sessions.running()];
  const followed = running.find(({ id }) => id === session)?.kernel?.id;
  name(document.querySelector(".pulse-panel"), followed);
}
