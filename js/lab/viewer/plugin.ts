/** Opens recordings in the main area, without a kernel. */

import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { MainAreaWidget, WidgetTracker } from "@jupyterlab/apputils";
import { IDocumentManager } from "@jupyterlab/docmanager";
import type { DocumentRegistry, DocumentWidget } from "@jupyterlab/docregistry";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { pulseIcon } from "../shared/icon";
import { IMonitors, IViewer } from "../shared/monitors";
import { addRecordings, FACTORY } from "./documents";
import { RUN, SUFFIX } from "./names";
import { sayNoRoom, showTab } from "./show-tab";
import { RecordingView } from "./view";

const plugin: JupyterFrontEndPlugin<IViewer> = {
  id: "pulse-widgets:viewer",
  description: "Opens recordings (*.pulse.parquet, run.pulse.json) in a tab, without a kernel.",
  autoStart: true,
  requires: [IDocumentManager],
  optional: [ILayoutRestorer, ITranslator, IMonitors, ILabShell],
  provides: IViewer,
  activate: (
    app: JupyterFrontEnd,
    documents: IDocumentManager,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    monitors: IMonitors | null,
    lab: ILabShell | null,
  ): IViewer => {
    const trans = (translator ?? nullTranslator).load("pulse_widgets");
    const openFile = (path: string, options?: DocumentRegistry.IOpenOptions) => {
      const meant = path.endsWith(SUFFIX) ? `${path}/${RUN}` : path;
      documents.openOrReveal(meant, FACTORY, undefined, options);
    };
    const services = {
      contents: documents.services.contents,
      settings: app.serviceManager.serverSettings,
      trans,
    };
    const factory = addRecordings(app.docRegistry, {
      services,
      restored: app.restored,
      open: (path, place) => {
        if ("beside" in place) return openFile(path, { mode: "split-right" });
        if (lab) openFile(path, { mode: "tab-after", ref: place.instead.id });
        place.instead.dispose();
        // A page of Notebook 7 has room for one document; else it opens another tab of the browser.
        if (!lab) openFile(path, { ref: "_noref" });
      },
    });
    const tracker = new WidgetTracker<DocumentWidget>({ namespace: "pulse-recordings" });
    factory.widgetCreated.connect((_, widget) => {
      widget.context.pathChanged.connect(() => void tracker.save(widget));
      void tracker.add(widget);
    });
    void restorer?.restore(tracker, {
      command: "docmanager:open",
      args: ({ context }) => ({ path: context.path, factory: FACTORY }),
      name: ({ context }) => context.path,
    });
    const openInKernel = (path: string, title: string) => {
      const content = new RecordingView(trans, async (el) => {
        const { KernelTab } = await import("./kernel-tab");
        return new KernelTab(el, path, monitors, trans);
      });
      const tab = new MainAreaWidget({ content });
      tab.title.label = title;
      tab.title.caption = path;
      tab.title.icon = pulseIcon;
      tab.title.closable = true;
      tab.toolbar.hide();
      if (!showTab(app.shell, tab, lab !== null)) void sayNoRoom(path, title, trans);
    };
    return { openFile: (path) => openFile(path), openInKernel };
  },
};

export default plugin;
