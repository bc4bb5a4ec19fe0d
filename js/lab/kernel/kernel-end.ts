/** Notices when the kernel of a notebook has ended, which the kernel itself does not report. */

import type { Kernel, KernelMessage, Session } from "@jupyterlab/services";
import type { Ending } from "../../core/source";

const ENDINGS: Partial<Record<Kernel.Status, Ending>> = {
  restarting: "restarted",
  starting: "restarted",
  autorestarting: "died",
  dead: "died",
  terminating: "shut down",
};

interface Sign<T> {
  connect(slot: (sender: unknown, value: T) => void): unknown;
  disconnect(slot: (sender: unknown, value: T) => void): unknown;
}

/** What tells of a kernel: the context of a session, or a connection to the kernel alone. */
interface Signs {
  readonly statusChanged: Sign<Kernel.Status>;
  readonly iopubMessage: Sign<KernelMessage.IMessage>;
  readonly kernelChanged?: Sign<Session.ISessionConnection.IKernelChangedArgs>;
}

/** Call `end` with every sign that the kernel has gone; the result stops that. */
export function onKernelEnd(session: Signs, end: (how: Ending) => void): () => void {
  const status = (_: unknown, now: Kernel.Status) => {
    const how = ENDINGS[now];
    if (how) end(how);
  };
  const changed = (_: unknown, change: Session.ISessionConnection.IKernelChangedArgs) => {
    const { oldValue, newValue } = change;
    // A restarted kernel comes back under its old id.
    if (!oldValue || oldValue.id === newValue?.id) return;
    end(newValue ? "replaced" : "shut down");
  };
  // The only sign there may be when another page or program ended the kernel.
  const message = (_: unknown, { header, content }: KernelMessage.IMessage) => {
    if ((header.msg_type as string) !== "shutdown_reply") return;
    const { restart } = content as { readonly restart?: boolean };
    end(restart ? "restarted" : "shut down");
  };
  session.statusChanged.connect(status);
  session.iopubMessage.connect(message);
  session.kernelChanged?.connect(changed);
  return () => {
    session.statusChanged.disconnect(status);
    session.iopubMessage.disconnect(message);
    session.kernelChanged?.disconnect(changed);
  };
}
