// @vitest-environment happy-dom
import type { JupyterFrontEnd } from "@jupyterlab/application";
import { Widget } from "@lumino/widgets";
import { expect, test, vi } from "vitest";
import { sayNoRoom, showTab } from "./show-tab";
import { FakeServer } from "./testing";

const dialogs = vi.hoisted(() => [] as { title: string; body: { node: HTMLElement } }[]);
vi.mock("@jupyterlab/apputils", () => ({
  Dialog: { okButton: () => ({}) },
  showDialog: async (dialog: (typeof dialogs)[number]) => dialogs.push(dialog),
}));

/** A page with room in some of its areas. */
function shellWith(...areas: string[]) {
  const asked: string[] = [];
  const activated: string[] = [];
  const add = (tab: Widget, area: string) => {
    asked.push(area);
    if (areas.includes(area)) Widget.attach(tab, document.body);
  };
  const shell = { add, activateById: (id: string) => activated.push(id) };
  return { shell: shell as unknown as JupyterFrontEnd.IShell, asked, activated };
}

test.each([
  { areas: ["main"], isLab: true, asked: ["main"], isShown: true },
  // JupyterLab that is not restored yet adds later.
  { areas: [], isLab: true, asked: ["main"], isShown: true },
  { areas: ["main", "down"], isLab: false, asked: ["main"], isShown: true },
  { areas: ["down"], isLab: false, asked: ["main", "down"], isShown: true },
  { areas: [], isLab: false, asked: ["main", "down"], isShown: false },
])("with room in $areas, JupyterLab $isLab: $asked", ({ areas, isLab, asked, isShown }) => {
  const made = shellWith(...areas);
  const tab = Object.assign(new Widget(), { content: new Widget() });
  tab.id = "t";

  expect(showTab(made.shell, tab, isLab)).toBe(isShown);
  expect(made.asked).toEqual(asked);
  expect(made.activated).toEqual(isShown ? ["t"] : []);
  expect(tab.isDisposed).toBe(!isShown);
});

test("where there is no room, users get the line for a notebook", async () => {
  await sayNoRoom("/tmp/a.pulse", "a", new FakeServer().services.trans);

  expect(dialogs[0]?.title).toBe("a");
  expect(dialogs[0]?.body.node.querySelector("pre")?.textContent).toBe(
    'import pulse_widgets as pw\npw.replay("/tmp/a.pulse")',
  );
});
