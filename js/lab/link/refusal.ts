/** Why a kernel does not do what it is asked for, in words. */

import type { Kernel } from "@jupyterlab/services";
import type { TranslationBundle } from "@jupyterlab/translation";
import type { Condition } from "../shared/monitors";
import { LINK_VERSION, type LinkStatus } from "../shared/protocol";
import type { Refused } from "./call";

export interface Refusal {
  readonly condition: Condition;
  readonly problem: string;
  readonly remedy: string;
}

export const INSTALL = "%pip install pulse_widgets";
export const UPGRADE = "%pip install --upgrade pulse_widgets";

/** What it means that the package could not be imported. */
export function refusalOf(answer: Refused, trans: TranslationBundle): Refusal {
  if (answer.kind === "aborted") {
    return {
      condition: "failed",
      problem: trans.__("The kernel was interrupted before it could answer."),
      remedy: trans.__("Try again."),
    };
  }
  const { name, text } = answer;
  if (/No module named '?pulse_widgets'?$/.test(text)) {
    return {
      condition: "absent",
      problem: trans.__("The package pulse_widgets is not installed in this kernel."),
      remedy: INSTALL,
    };
  }
  if (/No module named '?pulse_widgets\.link/.test(text) || /'register'/.test(text)) {
    return {
      condition: "mismatch",
      problem: trans.__("The package pulse_widgets in this kernel is older than this extension."),
      remedy: UPGRADE,
    };
  }
  return {
    condition: "failed",
    problem: trans.__("The package could not be imported: %1", `${name}: ${text}`),
    remedy: trans.__("Run this in a cell to see all of the error: %1", "import pulse_widgets.link"),
  };
}

/** The kernel has not said yet what it can do, as after a reload; it goes on by itself. */
export function connecting(status: Kernel.Status, trans: TranslationBundle): Refusal {
  return status === "starting"
    ? { condition: "starting", problem: trans.__("Waiting for the kernel…"), remedy: "" }
    : {
        condition: "starting",
        problem: trans.__("Connecting to the kernel, in which a cell runs…"),
        remedy: trans.__("With ipykernel older than 7 it answers when the cell has ended."),
      };
}

/** It is not loaded beside a cell that runs, unless the user wants it. */
export function unloaded(trans: TranslationBundle): Refusal {
  return {
    condition: "unloaded",
    problem: trans.__("A cell is running, and Pulse is not loaded in this kernel yet."),
    remedy: trans.__(
      "It loads when the cell has ended. Loaded now, figures that the cell draws with Matplotlib may be shown unfinished.",
    ),
  };
}

/** Without subshells a kernel hears nobody while a cell runs. */
export function betweenCells(trans: TranslationBundle): Omit<Refusal, "condition"> {
  return {
    problem: trans.__("A cell is running, and this kernel answers between cells."),
    remedy: trans.__("With ipykernel 7 or newer it answers at once."),
  };
}

/** What in a status says that there is no way to go on; null for nothing. */
export function refusalOfStatus(status: LinkStatus, trans: TranslationBundle): Refusal | null {
  if (status.version !== LINK_VERSION) {
    const older = status.version < LINK_VERSION;
    return {
      condition: "mismatch",
      problem: older
        ? trans.__("pulse_widgets %1 in this kernel is older than this extension.", status.package)
        : trans.__("pulse_widgets %1 in this kernel is newer than this extension.", status.package),
      remedy: older ? UPGRADE : "pip install --upgrade pulse_widgets",
    };
  }
  if (!status.disabled) return null;
  return {
    condition: "failed",
    problem: trans.__("Monitoring is switched off in this kernel: PULSE_DISABLED is set."),
    remedy: trans.__("Remove that variable and restart the kernel."),
  };
}

/** The kernel has said what runs there. */
export function isKnown(condition: Condition): boolean {
  return ["idle", "running", "ended"].includes(condition);
}

/** It will not say it, as things stand. */
export function isRefused(condition: Condition): boolean {
  return ["unloaded", "absent", "mismatch", "failed", "dead"].includes(condition);
}
