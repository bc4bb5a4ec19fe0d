/** Shows a tab where a page has room for one; says so where it has none. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import { Dialog, showDialog } from "@jupyterlab/apputils";
import type { TranslationBundle } from "@jupyterlab/translation";
import { Widget } from "@lumino/widgets";
import { h } from "../../core/dom";
import { replayLine } from "./names";

interface Tab extends Widget {
  readonly content: Widget;
}

/** Returns whether there is room; else the tab is disposed of. */
export function showTab(shell: JupyterFrontEnd.IShell, tab: Tab, isLab: boolean): boolean {
  shell.add(tab, "main");
  // The main area of Notebook 7 holds one document. JupyterLab may add only once it is restored.
  if (!isLab && !tab.isAttached) {
    // There a tab gets no more height than it needs.
    tab.content.node.style.minHeight = "45vh";
    shell.add(tab, "down");
  }
  const isShown = isLab || tab.isAttached;
  if (isShown) shell.activateById(tab.id);
  else tab.dispose();
  return isShown;
}

export async function sayNoRoom(path: string, title: string, trans: TranslationBundle) {
  const sentence = trans.__("This page has no room for another tab. In a notebook this shows it:");
  const body = new Widget({
    node: h("div", {}, h("p", {}, sentence), h("pre", {}, replayLine(path))),
  });
  await showDialog({ title, body, buttons: [Dialog.okButton({ label: trans.__("OK") })] });
}
