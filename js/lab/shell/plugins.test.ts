import { expect, test, vi } from "vitest";
import type { ISettings } from "../shared/settings";

/** The settings that each part was given. */
const given = vi.hoisted(() => new Map<string, unknown>());

vi.mock("@jupyterlab/apputils", () => ({ ICommandPalette: { name: "palette" } }));
vi.mock("@jupyterlab/docmanager", () => ({ IDocumentManager: { name: "documents" } }));
vi.mock("@jupyterlab/filebrowser", () => ({ IFileBrowserFactory: { name: "files" } }));
vi.mock("@jupyterlab/launcher", () => ({ ILauncher: { name: "launcher" } }));
vi.mock("@jupyterlab/notebook", () => ({ INotebookTracker: { name: "notebooks" } }));
vi.mock("@jupyterlab/settingregistry", () => ({ ISettingRegistry: { name: "registry" } }));
vi.mock("@jupyterlab/statusbar", () => ({ IStatusBar: { name: "status bar" } }));
vi.mock("@jupyterlab/translation", () => ({
  ITranslator: { name: "translator" },
  nullTranslator: { load: () => ({ __: (text: string) => text }) },
}));
vi.mock("./styles", () => ({ addStyles: () => undefined }));
vi.mock("./register", () => ({
  registerCommands: ({ settings }: { settings: unknown }) => {
    given.set("pulse-widgets:commands", settings);
    return [];
  },
}));
vi.mock("./go-to-cell", () => ({ followCells: () => undefined }));
vi.mock("./status-item", () => ({
  StatusItem: class {
    constructor(_: unknown, settings: unknown) {
      given.set("pulse-widgets:status", settings);
    }
  },
}));
vi.mock("./cell-marks", () => ({
  keepMarks: (settings: unknown) => given.set("pulse-widgets:cell-mark", settings),
}));

const { default: plugins } = await import("./plugins");
const PARTS = ["pulse-widgets:commands", "pulse-widgets:status", "pulse-widgets:cell-mark"];

type Token = { readonly name: string };
const names = (tokens: unknown) => ((tokens ?? []) as Token[]).map(({ name }) => name);

/** Starts a plugin as JupyterLab does, with what there is. */
function start(id: string, services: ReadonlyMap<string, unknown>): void {
  const { requires, optional, activate } = plugins.find((one) => one.id === id) as never as {
    requires: unknown;
    optional: unknown;
    activate: (...args: unknown[]) => void;
  };
  const all = [...names(requires), ...names(optional)];
  activate({}, ...all.map((name) => services.get(name) ?? null));
}

test("every plugin starts without any other of ours", () => {
  for (const { id, requires } of plugins) expect([id, names(requires)]).toEqual([id, []]);
});

const AROUND = ["status bar", "notebooks", "pulse-widgets:IMonitors"].map((name) => {
  const registerStatusItem = () => undefined;
  return [name, { registerStatusItem }] as const;
});

test("where the settings are switched off, all parts share the defaults", async () => {
  given.clear();
  for (const id of PARTS) start(id, new Map(AROUND));

  expect([...given.keys()]).toEqual(PARTS);
  const [first, ...others] = [...given.values()] as ISettings[];
  for (const other of others) expect(other).toBe(first);
  await first?.set("cellMarks", true);
  expect((others[1] as ISettings).values.cellMarks).toBe(true);
});

test("the settings that there are count", () => {
  given.clear();
  const settings = {};
  for (const id of PARTS) {
    start(id, new Map<string, unknown>([...AROUND, ["pulse-widgets:ISettings", settings]]));
  }

  expect([...given.values()].map((one) => one === settings)).toEqual([true, true, true]);
});

test.each(PARTS)("%s starts where there is nothing else", (id) => {
  expect(() => start(id, new Map())).not.toThrow();
});
