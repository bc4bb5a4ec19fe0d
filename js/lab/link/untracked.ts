/** What a kernel says of the messages that make and delete subshells, passed over by the page. */

import { PageConfig } from "@jupyterlab/coreutils";

/** JupyterLab does not take the status of a kernel from what is said of these types of messages. */
const OPTION = "untracked_message_types";
/** Not those of comms: the widgets of others need them. */
const OURS = ["create_subshell_request", "delete_subshell_request"];

/**
 * A kernel says that it is idle when it has made a subshell, also while a cell runs. Have the page
 * not take that for the state of the kernel, if the page passes over any types at all.
 */
export function passOverSubshells(): void {
  const known = parsed(PageConfig.getOption(OPTION));
  if (known === null) return;
  const missing = OURS.filter((type) => !known.includes(type));
  if (missing.length > 0) PageConfig.setOption(OPTION, JSON.stringify([...known, ...missing]));
}

/** The types in an option; null where there is none that can be added to. */
function parsed(option: string): readonly unknown[] | null {
  if (option === "") return null;
  try {
    const types: unknown = JSON.parse(option);
    return Array.isArray(types) ? types : null;
  } catch {
    return null;
  }
}
