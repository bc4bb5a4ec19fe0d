import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { INotebookTracker } from "@jupyterlab/notebook";

const plugin: JupyterFrontEndPlugin<void> = {
  id: "pulse-widgets:plugin",
  description: "Shows a saved Pulse output at once, and the live monitor as soon as it exists.",
  autoStart: true,
  requires: [INotebookTracker],
  activate: () => undefined,
};

export default plugin;
