/** Adds the Pulse panel to a sidebar. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { IDefaultFileBrowser } from "@jupyterlab/filebrowser";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { offerSidebar } from "../../core/sidebar";
import { pulseIcon } from "../shared/icon";
import { IMonitors, IPanel, IViewer } from "../shared/monitors";
import { ISettings } from "../shared/settings";
import { labHost } from "./lab-host";
import { PulsePanel } from "./panel";
import { type Shell, Toggle } from "./toggle";

const ID = "pulse-panel";
/** Behind the panels of JupyterLab itself. */
const RANK = 900;

const plugin: JupyterFrontEndPlugin<IPanel> = {
  id: "pulse-widgets:panel",
  description: "Shows the monitor of the kernel in use in a sidebar.",
  autoStart: true,
  provides: IPanel,
  requires: [IMonitors],
  optional: [IDefaultFileBrowser, IViewer, ILayoutRestorer, ITranslator, ISettings],
  activate: (
    app: JupyterFrontEnd,
    monitors: IMonitors,
    browser: IDefaultFileBrowser | null,
    viewer: IViewer | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    settings: ISettings | null,
  ) => {
    const trans = (translator ?? nullTranslator).load("pulse_widgets");
    const reveal = () => app.shell.activateById(ID);
    const host = labHost(app, browser, viewer, trans);
    const panel = new PulsePanel({ monitors, host, trans, settings, reveal });
    panel.id = ID;
    panel.title.icon = pulseIcon;
    panel.title.caption = trans.__("Pulse: what the kernel and its machine are doing");
    panel.node.setAttribute("role", "region");
    panel.node.setAttribute("aria-label", trans.__("Pulse"));
    app.shell.add(panel, "right", { rank: RANK });
    restorer?.add(panel, ID);
    offerSidebar(panel.moved);
    const toggle = new Toggle(app.shell as Shell, panel, { reveal, enter: () => panel.enter() });
    return { reveal, toggle: () => toggle.press() };
  },
};

export default plugin;
