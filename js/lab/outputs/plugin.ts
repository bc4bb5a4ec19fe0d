/** Shows saved Pulse outputs in JupyterLab and Notebook 7, with and without a kernel. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { REPLAY_MIME } from "../../core/still/saved";
import type { Host } from "./live-view";
import { refreshOnSave } from "./refresh";
import { ReplayOutput } from "./replay-output";

/** Before the widget itself, which stands at -10: it is blank until it has found its kernel. */
const RANK = -20;

function factory(host: Host | null) {
  return {
    safe: true,
    mimeTypes: [REPLAY_MIME],
    createRenderer: () => new ReplayOutput(host),
  };
}

function addTo(panel: NotebookPanel): void {
  const { sessionContext } = panel;
  const { rendermime } = panel.content;
  rendermime.addFactory(factory({ rendermime, sessionContext }), RANK);
  refreshOnSave(panel);
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: "pulse-widgets:outputs",
  description: "Shows a saved Pulse output at once, and the live monitor as soon as it exists.",
  autoStart: true,
  requires: [INotebookTracker, IRenderMimeRegistry],
  activate: (_: JupyterFrontEnd, notebooks: INotebookTracker, rendermime: IRenderMimeRegistry) => {
    rendermime.addFactory(factory(null), 0);
    notebooks.forEach(addTo);
    notebooks.widgetAdded.connect((_tracker, panel) => addTo(panel));
  },
};

export default plugin;
