/** Follows the monitors in the kernels of this page. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin, LabShell } from "@jupyterlab/application";
import { type ConsolePanel, IConsoleTracker } from "@jupyterlab/console";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { IMonitors } from "../shared/monitors";
import { Monitors } from "./monitors";
import { Places } from "./places";

type Tracker<T> = Pick<INotebookTracker, "currentWidget"> & {
  readonly widgetAdded: { connect(slot: (_: unknown, widget: T) => void): unknown };
  readonly currentChanged: { connect(slot: (_: unknown, widget: T | null) => void): unknown };
  forEach(each: (widget: T) => void): void;
};

function follow(places: Places, tracker: Tracker<NotebookPanel | ConsolePanel> | null): void {
  tracker?.forEach((widget) => {
    places.add(widget);
  });
  tracker?.widgetAdded.connect((_, widget) => places.add(widget));
  tracker?.currentChanged.connect((_, widget) => places.activate(widget));
}

const plugin: JupyterFrontEndPlugin<IMonitors> = {
  id: "pulse-widgets:monitors",
  description: "Follows the monitors in the kernels of this page.",
  autoStart: true,
  provides: IMonitors,
  requires: [INotebookTracker],
  optional: [IConsoleTracker, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker,
    consoles: IConsoleTracker | null,
    translator: ITranslator | null,
  ) => {
    const words = translator ?? nullTranslator;
    const places = new Places(words);
    const monitors = new Monitors(places, app.serviceManager, words.load("pulse_widgets"));
    follow(places, notebooks as never);
    follow(places, consoles as never);
    // A widget that is current for its tracker need not be the one that the user turns to.
    const { currentChanged } = app.shell;
    currentChanged?.connect(() => places.activate((app.shell as LabShell).currentWidget));
    addEventListener("pagehide", () => monitors.leave());
    return monitors;
  },
};

export default plugin;
