/** Follows the monitors in the kernels of this page. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IConsoleTracker } from "@jupyterlab/console";
import { INotebookTracker } from "@jupyterlab/notebook";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import type { Widget } from "@lumino/widgets";
import { IMonitors } from "../shared/monitors";
import { type Document, DocumentPlace } from "./document-place";
import { Monitors } from "./monitors";
import { Places } from "./places";
import { passOverSubshells } from "./untracked";

/** The part of both trackers that matters here. */
interface Tracker {
  readonly widgetAdded: { connect(slot: (_: unknown, widget: Document) => void): unknown };
  readonly currentChanged: {
    connect(slot: (_: unknown, widget: Document | null) => void): unknown;
  };
  forEach(each: (widget: Document) => void): void;
}

function follow(
  places: Places,
  tracker: Tracker,
  current: () => Widget | null,
  translator: ITranslator,
): void {
  const add = (widget: Document) => {
    if (!places.has(widget)) places.add(widget, new DocumentPlace(widget, translator));
    // It may have become the current one before it was known here.
    places.activate(current());
  };
  tracker.forEach(add);
  tracker.widgetAdded.connect((_, widget) => add(widget));
  tracker.currentChanged.connect((_, widget) => places.activate(widget));
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
    passOverSubshells();
    const words = translator ?? nullTranslator;
    const places = new Places();
    const monitors = new Monitors(places, app.serviceManager, words.load("pulse_widgets"));
    const { shell } = app;
    const current = () => shell.currentWidget;
    follow(places, notebooks as unknown as Tracker, current, words);
    if (consoles) follow(places, consoles as unknown as Tracker, current, words);
    // Of two documents each may be the current one of its tracker.
    shell.currentChanged?.connect(() => places.activate(current()));
    addEventListener("pagehide", () => monitors.leave());
    return monitors;
  },
};

export default plugin;
