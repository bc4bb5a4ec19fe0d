/** Shows the Pulse outputs of notebooks in JupyterLab and Notebook 7, with and without a kernel. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { refreshOnSave } from "./refresh";
import { rendererFactory } from "./replay-output";

/** Before the widget itself, which stands at -10: it is blank until it has found its kernel. */
const RANK = -20;

function addTo(panel: NotebookPanel): void {
  const { sessionContext } = panel;
  const { rendermime } = panel.content;
  rendermime.addFactory(rendererFactory({ rendermime, sessionContext }), RANK);
  refreshOnSave(panel);
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: "pulse-widgets:outputs",
  description: "Shows a saved Pulse output at once, and the live monitor as soon as it exists.",
  autoStart: true,
  // Optional: Voila has no notebooks, and a plugin that lacks something is reported as an error.
  optional: [INotebookTracker],
  activate: (_: JupyterFrontEnd, notebooks: INotebookTracker | null) => {
    if (!notebooks) return;
    notebooks.forEach(addTo);
    notebooks.widgetAdded.connect((_tracker, panel) => addTo(panel));
  },
};

export default plugin;
