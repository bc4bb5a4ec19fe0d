/** What the panel says in each condition, and what it offers that helps. */

import type { TranslationBundle } from "@jupyterlab/translation";
import type { Ending } from "../../core/source";
import type { Condition, Followed } from "../shared/monitors";
import { baseName } from "../shared/server-files";

/** What a button does. */
export type Offer =
  | "launcher"
  | "choose kernel"
  | "restart"
  | "retry"
  | "load"
  | "install"
  | "copy"
  | "start"
  | "open recording"
  | "show recording"
  | "follow";

export interface Said {
  /** Null where what is drawn says it all. */
  readonly sentence: string | null;
  /** More about it; "" for nothing. */
  readonly detail: string;
  /** A line that may be copied into a cell; "" for none. */
  readonly code: string;
  readonly offers: readonly Offer[];
}

const PLAIN = { detail: "", code: "", offers: [] } as const;

export function saidOf(followed: Followed, trans: TranslationBundle): Said {
  const { condition, store } = followed;
  const ending = store?.ended() ?? null;
  // What is drawn is of a kernel that has gone, whatever is in its place.
  if (ending !== null && (condition === "ended" || condition === "idle")) {
    return { ...PLAIN, sentence: endedWith(ending, trans), ...kept(followed, trans, ["start"]) };
  }
  return SENTENCES[condition](followed, trans);
}

function endedWith(ending: Ending, trans: TranslationBundle): string {
  return {
    restarted: trans.__("The kernel was restarted, and this monitor ended with it."),
    died: trans.__("The kernel died, and this monitor ended with it."),
    "shut down": trans.__("The kernel was shut down, and this monitor ended with it."),
    replaced: trans.__("The notebook has another kernel; this monitor ended with the one before."),
  }[ending];
}

const RECORDING = ["open recording", "show recording"] as const;

/** Where the monitor was recorded that is no more, and what can be done with that. */
function kept(
  followed: Followed,
  trans: TranslationBundle,
  offers: readonly Offer[],
): Pick<Said, "detail" | "offers"> {
  const path = recordingOf(followed);
  return path === null
    ? { detail: "", offers }
    : {
        detail: trans.__("Its recording: %1", baseName(path)),
        offers: [...offers, ...RECORDING],
      };
}

type Say = (followed: Followed, trans: TranslationBundle) => Said;

const SENTENCES: Readonly<Record<Condition, Say>> = {
  "no kernel": (followed, trans) =>
    followed.problem !== ""
      ? {
          ...PLAIN,
          sentence: followed.problem,
          ...kept(followed, trans, ["follow"]),
        }
      : noKernel(followed, trans),
  foreign: ({ kernel, problem }, trans) => ({
    ...PLAIN,
    sentence: trans.__("This kernel does not run Python: %1.", kernel || problem),
    detail: trans.__("Pulse monitors Python kernels. Choose one, or turn to another notebook."),
    offers: ["choose kernel"],
  }),
  starting: ({ problem, remedy }, trans) => ({
    ...PLAIN,
    sentence: problem || trans.__("Waiting for the kernel…"),
    detail: remedy,
  }),
  busy: ({ problem, remedy }, trans) => ({
    ...PLAIN,
    sentence: problem || trans.__("A cell is running, and this kernel answers between cells."),
    detail: remedy,
    offers: ["retry"],
  }),
  unloaded: ({ problem, remedy }) => ({
    ...PLAIN,
    sentence: problem,
    detail: remedy,
    offers: ["load"],
  }),
  absent: ({ problem, remedy }) => ({
    ...PLAIN,
    sentence: problem,
    code: remedy,
    offers: ["install", "copy", "retry"],
  }),
  mismatch: ({ problem, remedy }, trans) => ({
    sentence: problem,
    detail: remedy.startsWith("%")
      ? trans.__("Run this in a cell, then restart the kernel:")
      : trans.__("Run this where JupyterLab is installed, then reload the page:"),
    code: remedy,
    offers: ["copy", "retry"],
  }),
  unasked: (_, trans) => ({ ...PLAIN, sentence: trans.__("Asking the kernel…") }),
  idle: (_, trans) => ({
    ...PLAIN,
    sentence: trans.__("No monitor runs in this kernel."),
    detail: trans.__("A monitor shows and records its GPUs, its machine and your own metrics."),
    offers: ["start"],
  }),
  running: ({ store }, trans) => ({
    ...PLAIN,
    sentence: store ? null : trans.__("A monitor runs; waiting for what it measures…"),
  }),
  ended: (followed, trans) => {
    const { detail, offers } = kept(followed, trans, ["start"]);
    const isUnrecorded = detail === "" && followed.status?.session != null;
    return {
      ...PLAIN,
      sentence: trans.__("This monitor was stopped."),
      detail: isUnrecorded ? trans.__("Nothing was recorded.") : detail,
      offers,
    };
  },
  dead: (followed, trans) => ({
    ...PLAIN,
    sentence: trans.__("The kernel of %1 has ended.", followed.name),
    ...kept(followed, trans, ["restart"]),
  }),
  failed: ({ problem, remedy }, trans) => ({
    ...PLAIN,
    sentence: problem || trans.__("The kernel cannot be asked."),
    detail: remedy,
    offers: ["retry"],
  }),
};

function noKernel(followed: Followed, trans: TranslationBundle): Said {
  const { name, store } = followed;
  if (name === "") {
    return {
      ...PLAIN,
      sentence: trans.__("No notebook or console is open."),
      detail: trans.__("Open one: this panel shows what its kernel does."),
      offers: ["launcher"],
    };
  }
  const sentence = store?.ended()
    ? trans.__("%1 has no kernel any more: it was shut down.", name)
    : trans.__("%1 has no kernel.", name);
  return { ...PLAIN, sentence, ...kept(followed, trans, ["choose kernel"]) };
}

/** Where the session that is shown is recorded; null where it is not, or where that is unknown. */
export function recordingOf({ status, store }: Pick<Followed, "status" | "store">): string | null {
  return status?.session?.path ?? store?.state().recording.path ?? null;
}

export function titleOf(offer: Offer, condition: Condition, trans: TranslationBundle): string {
  switch (offer) {
    case "launcher":
      return trans.__("Open the launcher");
    case "choose kernel":
      return trans.__("Choose a kernel");
    case "restart":
      return trans.__("Restart the kernel");
    case "retry":
      return trans.__("Try again");
    case "load":
      return trans.__("Load it now");
    case "install":
      return trans.__("Install");
    case "copy":
      return trans.__("Copy");
    case "start":
      return condition === "ended" ? trans.__("Start another") : trans.__("Start a monitor");
    case "open recording":
      return trans.__("Open the recording");
    case "show recording":
      return trans.__("Show in file browser");
    case "follow":
      return trans.__("Follow the active notebook");
  }
}
