/** Puts a cell with a monitor into a notebook. */

import { NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import type { CommandRegistry } from "@lumino/commands";

type Kernels = {
  readonly default: string;
  readonly kernelspecs: { readonly [name: string]: { readonly language: string } | undefined };
};

/** Whether its code is Python, as far as is known. */
export function isPython(panel: NotebookPanel): boolean {
  const language = panel.content.model?.defaultKernelLanguage ?? "";
  return /^(i?python\d?)?$/i.test(language);
}

/** Below the active cell. */
export async function insertMonitorCell(panel: NotebookPanel, code: string): Promise<void> {
  // Before, there are no cells, and what is put between them is lost.
  await panel.context.ready;
  await panel.revealed;
  NotebookActions.insertBelow(panel.content);
  await fillAndRun(panel, code);
}

/** The kernel for a new notebook: the default one if it speaks Python, else any that does. */
export function pythonKernel(kernels: Kernels | null): string | null {
  if (!kernels) return null;
  const names = [kernels.default, ...Object.keys(kernels.kernelspecs)];
  const speaks = (name: string) => kernels.kernelspecs[name]?.language.toLowerCase() === "python";
  return names.find(speaks) ?? null;
}

/** A new notebook whose first cell is a monitor that runs; null where the host opened it elsewhere. */
export async function newMonitorNotebook(
  commands: CommandRegistry,
  where: { readonly cwd: string; readonly kernelName: string },
  code: string,
): Promise<NotebookPanel | null> {
  const panel: NotebookPanel | undefined = await commands.execute("notebook:create-new", where);
  if (!panel?.content || !panel.context) return null;
  await panel.context.ready;
  await panel.revealed;
  await fillAndRun(panel, code);
  return panel;
}

async function fillAndRun(panel: NotebookPanel, code: string): Promise<void> {
  const { content, sessionContext } = panel;
  content.activeCell?.model.sharedModel.setSource(code);
  // A kernel that comes up would not be asked, and nothing be run.
  await sessionContext.ready;
  await NotebookActions.run(content, sessionContext);
}
