/** Notices when the kernel of a notebook has ended, which the kernel itself does not report. */

import type { ISessionContext } from "@jupyterlab/apputils";
import type { Kernel } from "@jupyterlab/services";
import type { Ending } from "../../core/source";

const ENDINGS: Partial<Record<Kernel.Status, Ending>> = {
  restarting: "restarted",
  starting: "restarted",
  autorestarting: "died",
  dead: "died",
  terminating: "shut down",
};

type Slot<Signal extends "statusChanged" | "kernelChanged" | "iopubMessage"> = Parameters<
  ISessionContext[Signal]["connect"]
>[0];

/** Call `end` with every sign that the kernel has gone; the result stops that. */
export function onKernelEnd(session: ISessionContext, end: (how: Ending) => void): () => void {
  const status: Slot<"statusChanged"> = (_, now) => {
    const how = ENDINGS[now];
    if (how) end(how);
  };
  const changed: Slot<"kernelChanged"> = (_, change) => {
    const { oldValue, newValue } = change;
    // A restarted kernel comes back under its old id.
    if (!oldValue || oldValue.id === newValue?.id) return;
    end(newValue ? "replaced" : "shut down");
  };
  // The only sign there may be when another page or program ended the kernel.
  const message: Slot<"iopubMessage"> = (_, { header, content }) => {
    if ((header.msg_type as string) !== "shutdown_reply") return;
    const { restart } = content as { readonly restart?: boolean };
    end(restart ? "restarted" : "shut down");
  };
  session.statusChanged.connect(status);
  session.iopubMessage.connect(message);
  session.kernelChanged.connect(changed);
  return () => {
    session.statusChanged.disconnect(status);
    session.iopubMessage.disconnect(message);
    session.kernelChanged.disconnect(changed);
  };
}
