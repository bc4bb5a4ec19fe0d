/** Registers the commands; each is there only if the part that it needs is. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import { InputDialog } from "@jupyterlab/apputils";
import { PageConfig } from "@jupyterlab/coreutils";
import type { IDocumentManager } from "@jupyterlab/docmanager";
import { FileDialog, type IFileBrowserFactory } from "@jupyterlab/filebrowser";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";
import type { ITranslator, TranslationBundle } from "@jupyterlab/translation";
import type { CommandRegistry } from "@lumino/commands";
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from "@lumino/coreutils";
import { formatValue } from "../../core/vocabulary/format";
import { pulseIcon } from "../shared/icon";
import type { IMonitors, IPanel, IViewer } from "../shared/monitors";
import { baseName, contentsPath, nameForCopy } from "../shared/server-files";
import type { ISettings } from "../shared/settings";
import { CellTimes } from "./cell-times";
import { COMMANDS, canIn, cellCode, isRecording, type Name, wordsOf } from "./commands";
import { showFailure, tell, tellLate } from "./messages";
import { sentencesOf, toldOf } from "./messages-text";
import { insertMonitorCell, isPython, newMonitorNotebook, pythonKernel } from "./monitor-cell";
import { showCell } from "./show-cell";

/** What there may be around us. */
export interface Around {
  readonly app: JupyterFrontEnd;
  readonly settings: ISettings;
  readonly translator: ITranslator;
  readonly trans: TranslationBundle;
  readonly monitors: IMonitors | null;
  readonly panel: IPanel | null;
  readonly viewer: IViewer | null;
  readonly notebooks: INotebookTracker | null;
  readonly documents: IDocumentManager | null;
  readonly files: IFileBrowserFactory | null;
  readonly hasStatusBar: boolean;
}

const REFRESH = "filebrowser:refresh";

/** A command as it is registered: what it does, besides its words. */
interface Doing {
  readonly execute: (args: ReadonlyPartialJSONObject) => unknown;
  readonly isEnabled?: () => boolean;
  readonly isVisible?: () => boolean;
  readonly isToggled?: () => boolean;
  /** The arguments, as a JSON schema. */
  readonly args?: ReadonlyJSONObject;
  readonly icon?: boolean;
}

const text = (description: string) => ({ type: "string", description });

/** Returns those that were registered. */
export function registerCommands(around: Around): readonly Name[] {
  const doings: Partial<Record<Name, Doing>> = {
    ...panelCommands(around),
    ...kernelCommands(around),
    ...notebookCommands(around),
    ...fileCommands(around),
    ...settingCommands(around),
  };
  const names = (Object.keys(COMMANDS) as Name[]).filter((name) => doings[name] !== undefined);
  for (const name of names) add(name, doings[name] as Doing, around);
  notifyOfChanges(names, around);
  return names;
}

function add(name: Name, doing: Doing, { app, trans }: Around): void {
  const { label, caption } = wordsOf(name, trans);
  const { args = {}, icon, execute, ...states } = doing;
  // A command of a registry says what failed to whoever called it; users see a dialog.
  const attempt = async (given: ReadonlyPartialJSONObject) => {
    try {
      return await execute(given);
    } catch (error) {
      await showFailure(label, error, trans);
      return undefined;
    }
  };
  const options: CommandRegistry.ICommandOptions = {
    label,
    caption,
    ...states,
    execute: attempt,
    describedBy: { args: { type: "object", properties: args } },
    ...(icon ? { icon: pulseIcon } : {}),
  };
  app.commands.addCommand(COMMANDS[name], options);
}

/** Menus and buttons ask again when a state has changed. */
function notifyOfChanges(names: readonly Name[], { app, monitors, settings }: Around): void {
  const notify = () => {
    for (const name of names) app.commands.notifyCommandChanged(COMMANDS[name]);
  };
  let condition = monitors?.followed.condition;
  monitors?.changed.connect(() => {
    if (condition === monitors.followed.condition) return;
    condition = monitors.followed.condition;
    notify();
  });
  settings.changed.connect(notify);
}

function panelCommands({ panel }: Around): Partial<Record<Name, Doing>> {
  if (!panel) return {};
  return { openPanel: { execute: () => panel.toggle(), icon: true } };
}

function kernelCommands(around: Around): Partial<Record<Name, Doing>> {
  const { app, monitors, panel, settings, trans } = around;
  if (!monitors) return {};
  const when = (name: Name) => () => canIn(name, monitors.followed.condition);
  return {
    start: {
      isEnabled: when("start"),
      args: { title: text(trans.__("What the recording is called")) },
      execute: async ({ title }) => {
        const { interval } = settings.values;
        const { name } = monitors.followed;
        const titled = typeof title === "string" ? { title } : {};
        await monitors.act("start", { interval, ...titled }, tellLate);
        panel?.reveal();
        tell(toldOf((place) => trans.__("A monitor runs in the kernel of %1.", place), name));
      },
    },
    stop: {
      isEnabled: when("stop"),
      execute: async () => {
        const { path } = await monitors.act("stop", {}, tellLate);
        const said = (place: string) =>
          trans.__("The monitor has stopped. Its recording: %1", place);
        if (path === null) tell(trans.__("The monitor has stopped. It did not record."));
        else tell(toldOf(said, path), openButton(path, around));
      },
    },
    mark: {
      isEnabled: when("mark"),
      args: { label: text(trans.__("The words of the mark; asked for where there are none")) },
      execute: async ({ label }) => {
        const words = typeof label === "string" ? label : await askForMark(trans);
        if (words === null) return;
        await monitors.act("mark", { label: words }, tellLate);
        tell(toldOf((place) => trans.__("Marked: %1", place), words));
      },
    },
    save: {
      isEnabled: when("save"),
      args: { path: text(trans.__("The file; asked for where there is none")) },
      execute: async ({ path }) => {
        const { status, name } = monitors.followed;
        const title = status?.session?.title || name;
        const save = (to: string) => monitors.act("save", { path: to }, tellLate);
        const saved =
          typeof path === "string"
            ? await save(path)
            : await asking(nameForCopy(title, new Date()), save, trans);
        if (saved === null) return;
        const size = formatValue(saved.bytes, "B");
        const said = (place: string) => trans.__("Saved %1 as %2", size, place);
        tell(toldOf(said, saved.path), openButton(saved.path, around));
        // The kernel wrote it: the file browser would see it at its next look.
        if (app.commands.hasCommand(REFRESH)) await app.commands.execute(REFRESH);
      },
    },
  };
}

/** Opens a recording: as a file where the server has it, else where the kernel has it. */
function openButton(path: string, { viewer, trans }: Around) {
  if (!viewer) return null;
  const file = contentsPath(path, PageConfig.getOption("serverRoot"));
  const open = () =>
    file === null ? viewer.openInKernel(path, baseName(path)) : viewer.openFile(file);
  return { label: trans.__("Open"), callback: open };
}

async function askForMark(trans: TranslationBundle): Promise<string | null> {
  const { button, value } = await InputDialog.getText({
    title: trans.__("Add a mark"),
    label: trans.__("What happens at this moment"),
    okLabel: trans.__("Mark"),
  });
  return button.accept && value?.trim() ? value.trim() : null;
}

/** Asks for a path until something can be saved there; null where the user has left it. */
async function asking<T>(
  proposed: string,
  save: (path: string) => Promise<T>,
  trans: TranslationBundle,
): Promise<T | null> {
  let problem = "";
  for (let path: string | null = proposed; ; ) {
    path = await askForPath(path, problem, trans);
    if (path === null) return null;
    try {
      return await save(path);
    } catch (error) {
      problem = sentencesOf(error)
        .map((one) => (/[.!?]$/.test(one) ? one : `${one}.`))
        .join(" ");
    }
  }
}

async function askForPath(
  proposed: string,
  problem: string,
  trans: TranslationBundle,
): Promise<string | null> {
  const label = trans.__("File, relative to the folder of the kernel");
  const { button, value } = await InputDialog.getText({
    title: trans.__("Save the recording"),
    label: problem === "" ? label : `${problem}\n${label}`,
    text: proposed,
    selectionRange: proposed.indexOf("."),
    okLabel: trans.__("Save"),
  });
  return button.accept && value?.trim() ? value.trim() : null;
}

function notebookCommands(around: Around): Partial<Record<Name, Doing>> {
  const { app, notebooks, settings, trans, monitors, panel } = around;
  if (!notebooks) return {};
  const times = new CellTimes(notebooks, monitors);
  const active = (): NotebookPanel | null => {
    const found = notebooks.currentWidget;
    return found && found === app.shell.currentWidget ? found : null;
  };
  return {
    insertCell: {
      icon: true,
      isEnabled: () => {
        const panel = active();
        return panel !== null && panel.content.model?.readOnly === false && isPython(panel);
      },
      execute: async () => {
        const panel = active();
        if (!panel) return;
        const code = cellCode(settings.values.interval);
        await insertMonitorCell(panel, code);
      },
    },
    showCell: {
      icon: true,
      isEnabled: () => active()?.content.activeCell?.model.type === "code",
      execute: async () => {
        const notebook = active();
        const cell = notebook?.content.activeCell;
        const around = { app, notebooks, monitors, panel, trans };
        if (notebook && cell) await showCell(around, times, notebook, cell);
      },
    },
    newNotebook: {
      icon: true,
      isVisible: () => app.commands.hasCommand("notebook:create-new"),
      args: { cwd: text(trans.__("The folder of the notebook")) },
      execute: async ({ cwd }) => {
        await app.serviceManager.kernelspecs.ready;
        const kernelName = pythonKernel(app.serviceManager.kernelspecs.specs as never);
        if (kernelName === null) throw new Error(trans.__("There is no Python kernel here."));
        const where = { cwd: typeof cwd === "string" ? cwd : "", kernelName };
        return newMonitorNotebook(app.commands, where, cellCode(settings.values.interval));
      },
    },
  };
}

function fileCommands(around: Around): Partial<Record<Name, Doing>> {
  const { viewer, files, documents, trans } = around;
  if (!viewer) return {};
  const selected = () => {
    const items = [...(files?.tracker.currentWidget?.selectedItems() ?? [])];
    return items.filter(({ name, type }) => isRecording(name, type === "directory"));
  };
  return {
    openRecording: {
      icon: true,
      isVisible: () => documents !== null,
      args: { path: text(trans.__("A recording; asked for where there is none")) },
      execute: async ({ path }) => {
        const paths = typeof path === "string" ? [path] : await askForRecordings(around);
        for (const one of paths) viewer.openFile(one);
      },
    },
    openSelected: {
      icon: true,
      isVisible: () => selected().length > 0,
      execute: () => {
        for (const { path } of selected()) viewer.openFile(path);
      },
    },
  };
}

async function askForRecordings({ documents, translator, trans }: Around) {
  if (!documents) return [];
  const { button, value } = await FileDialog.getOpenFiles({
    manager: documents,
    translator,
    title: trans.__("Open a recording"),
    label: trans.__("A file NAME.pulse.parquet, or the run.pulse.json in a folder NAME.pulse"),
    filter: ({ name, type }) => (type === "directory" || isRecording(name, false) ? {} : null),
  });
  if (!button.accept) return [];
  return (value ?? []).filter(({ type }) => type !== "directory").map(({ path }) => path);
}

function settingCommands({ settings, hasStatusBar, notebooks }: Around) {
  const toggle = (name: "statusLine" | "cellMarks"): Doing => ({
    isToggled: () => settings.values[name],
    execute: () => settings.set(name, !settings.values[name]),
  });
  return {
    ...(hasStatusBar ? { toggleStatusLine: toggle("statusLine") } : {}),
    ...(notebooks ? { toggleCellMarks: toggle("cellMarks") } : {}),
  };
}
