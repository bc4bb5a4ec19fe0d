/** The plugins of the shell: settings, commands, status line, cell marks. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { IDocumentManager } from "@jupyterlab/docmanager";
import { IFileBrowserFactory } from "@jupyterlab/filebrowser";
import { ILauncher } from "@jupyterlab/launcher";
import { INotebookTracker } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { IStatusBar } from "@jupyterlab/statusbar";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { IMonitors, IPanel, IViewer } from "../shared/monitors";
import { ISettings } from "../shared/settings";
import { keepMarks } from "./cell-marks";
import { COMMANDS, type Name } from "./commands";
import { followCells } from "./go-to-cell";
import { registerCommands } from "./register";
import { SETTINGS_ID, Settings } from "./settings";
import { StatusItem } from "./status-item";
import { addStyles } from "./styles";

const DOMAIN = "pulse_widgets";

const settings: JupyterFrontEndPlugin<ISettings> = {
  id: SETTINGS_ID,
  description: "The settings of Pulse.",
  autoStart: true,
  provides: ISettings,
  optional: [ISettingRegistry],
  activate: (_: JupyterFrontEnd, registry: ISettingRegistry | null) => {
    const settings = new Settings();
    registry
      ?.load(SETTINGS_ID)
      .then((stored) => settings.follow(stored))
      .catch((problem) => {
        console.error("Pulse: its settings cannot be read, the defaults apply.", problem);
      });
    return settings;
  },
};

/** The defaults, where users have switched the settings off: what one plugin changes all see. */
let own: Settings | null = null;
const ownSettings = () => {
  own ??= new Settings();
  return own;
};

/** Not in the palette: they need to be told a place, which the launcher and the file browser know. */
const PLACED: readonly Name[] = ["newNotebook", "openSelected"];

const commands: JupyterFrontEndPlugin<void> = {
  id: "pulse-widgets:commands",
  description: "The commands of Pulse, in the palette, the launcher and the menus.",
  autoStart: true,
  optional: [
    ISettings,
    ITranslator,
    ICommandPalette,
    ILauncher,
    INotebookTracker,
    IDocumentManager,
    IFileBrowserFactory,
    IStatusBar,
    IMonitors,
    IPanel,
    IViewer,
  ],
  activate: (
    app: JupyterFrontEnd,
    stored: ISettings | null,
    given: ITranslator | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    notebooks: INotebookTracker | null,
    documents: IDocumentManager | null,
    files: IFileBrowserFactory | null,
    statusBar: IStatusBar | null,
    monitors: IMonitors | null,
    panel: IPanel | null,
    viewer: IViewer | null,
  ) => {
    const settings = stored ?? ownSettings();
    const translator = given ?? nullTranslator;
    const trans = translator.load(DOMAIN);
    const hasStatusBar = statusBar !== null;
    const around = { app, settings, translator, trans, monitors, panel, viewer };
    if (notebooks) followCells(app, notebooks, monitors, trans);
    const names = registerCommands({ ...around, notebooks, documents, files, hasStatusBar });
    for (const name of names.filter((name) => !PLACED.includes(name))) {
      palette?.addItem({ command: COMMANDS[name], category: trans.__("Pulse") });
    }
    if (launcher && names.includes("newNotebook")) {
      // The category is JupyterLab's own, whatever its language.
      const category = translator.load("jupyterlab").__("Other");
      launcher.add({ command: COMMANDS.newNotebook, category, rank: 10 });
    }
  },
};

const status: JupyterFrontEndPlugin<void> = {
  id: "pulse-widgets:status",
  description: "One line in the status bar: what the GPUs or the machine do.",
  autoStart: true,
  optional: [ISettings, IStatusBar, IMonitors, IPanel, ITranslator],
  activate: (
    _: JupyterFrontEnd,
    stored: ISettings | null,
    bar: IStatusBar | null,
    monitors: IMonitors | null,
    panel: IPanel | null,
    translator: ITranslator | null,
  ) => {
    if (!bar || !monitors) return;
    addStyles();
    const settings = stored ?? ownSettings();
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const item = new StatusItem(monitors, settings, trans, () => panel?.reveal());
    bar.registerStatusItem("pulse-widgets:status", {
      item,
      align: "left",
      rank: 100,
      priority: 1,
      isActive: () => item.isActive,
      activeStateChanged: item.activeChanged,
    });
  },
};

const marks: JupyterFrontEndPlugin<void> = {
  id: "pulse-widgets:cell-mark",
  description: "Beside each cell: how long its last run took, and what it used of the GPUs.",
  autoStart: true,
  optional: [ISettings, INotebookTracker, IMonitors, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    stored: ISettings | null,
    notebooks: INotebookTracker | null,
    monitors: IMonitors | null,
    translator: ITranslator | null,
  ) => {
    if (!notebooks) return;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const show = () => {
      if (app.commands.isEnabled(COMMANDS.showCell)) void app.commands.execute(COMMANDS.showCell);
    };
    keepMarks(stored ?? ownSettings(), notebooks, monitors, trans, show);
  },
};

export default [settings, commands, status, marks];
