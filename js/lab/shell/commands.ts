/** The commands: what each is called, and when it can be used. Pure. */

import type { TranslationBundle } from "@jupyterlab/translation";
import type { Condition } from "../shared/monitors";

export const COMMANDS = {
  openPanel: "pulse-widgets:open-panel",
  start: "pulse-widgets:start",
  stop: "pulse-widgets:stop",
  mark: "pulse-widgets:add-mark",
  save: "pulse-widgets:save",
  insertCell: "pulse-widgets:insert-cell",
  showCell: "pulse-widgets:show-cell",
  newNotebook: "pulse-widgets:new-notebook",
  openRecording: "pulse-widgets:open-recording",
  openSelected: "pulse-widgets:open-selected",
  toggleStatusLine: "pulse-widgets:toggle-status-line",
  toggleCellMarks: "pulse-widgets:toggle-cell-marks",
} as const;

export type Name = keyof typeof COMMANDS;

export interface Words {
  readonly label: string;
  readonly caption: string;
}

export function wordsOf(name: Name, trans: TranslationBundle): Words {
  const words: Readonly<Record<Name, readonly [label: string, caption: string]>> = {
    openPanel: [
      trans.__("Open Pulse Panel"),
      trans.__("Go to the Pulse panel; from there, close it"),
    ],
    start: [
      trans.__("Start Monitor"),
      trans.__("Monitor the kernel that the Pulse panel follows, without a cell"),
    ],
    stop: [
      trans.__("Stop Monitor"),
      trans.__("End the monitor in the followed kernel, and its recording"),
    ],
    mark: [
      trans.__("Add Mark\u2026"),
      trans.__("Mark this moment in the recording, with a few words"),
    ],
    save: [
      trans.__("Save Recording As\u2026"),
      trans.__("Copy the recording, as it is now, into a file"),
    ],
    insertCell: [
      trans.__("Insert Monitor Cell"),
      trans.__("Insert a cell with a monitor below the active cell, and run it"),
    ],
    showCell: [
      trans.__("Show This Cell in Pulse"),
      trans.__("The dashboards of its kernel show the time in which the active cell ran last"),
    ],
    newNotebook: [
      trans.__("Pulse Monitor"),
      trans.__("A new notebook whose first cell monitors the GPUs, the machine and the kernel"),
    ],
    openRecording: [
      trans.__("Open Recording\u2026"),
      trans.__("Choose a Pulse recording, and open it without a kernel"),
    ],
    openSelected: [
      trans.__("Open in Pulse"),
      trans.__("Open the selected recording without a kernel"),
    ],
    toggleStatusLine: [
      trans.__("Show Pulse Status Line"),
      trans.__("At the bottom of the window, while a monitor runs"),
    ],
    toggleCellMarks: [
      trans.__("Show Cell Marks"),
      trans.__("Beside each cell: how long its last run took, and what it used of the GPUs"),
    ],
  };
  const [label, caption] = words[name];
  return { label, caption };
}

/** Those that do something in the followed kernel, and how it must stand with it for that. */
const WHEN: Partial<Readonly<Record<Name, readonly Condition[]>>> = {
  start: ["unasked", "idle", "ended"],
  stop: ["running"],
  mark: ["running"],
  save: ["running", "ended"],
};

export function canIn(name: Name, condition: Condition): boolean {
  return WHEN[name]?.includes(condition) ?? true;
}

/** Whether a file or folder of the file browser is a recording that the viewer opens. */
export function isRecording(name: string, isFolder: boolean): boolean {
  if (isFolder) return /.\.pulse$/.test(name);
  return /.\.pulse\.parquet$/.test(name) || name === "run.pulse.json";
}

/** What is written into a monitor cell. */
export function cellCode(interval: number): string {
  return `import pulse_widgets as pw\npw.monitor(${interval === 1 ? "" : `interval=${interval}`})`;
}
