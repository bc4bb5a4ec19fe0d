/** One call to a kernel: a subshell where there are any, and a comm on it. */

import type { Kernel } from "@jupyterlab/services";
import { type Opening, REGISTER, TARGET } from "../shared/protocol";
import {
  type Answer,
  type CommEvents,
  createSubshell,
  deleteSubshell,
  evaluate,
  openComm,
} from "./wire";

export type Refused = Exclude<Answer, { kind: "value" }>;

export interface Call {
  /** What the kernel answered instead of taking it; null when it has taken it. */
  readonly refused: Promise<Refused | null>;
  /** Whether it could be sent. */
  send(data: unknown): boolean;
  hangUp(): void;
  /** As `hangUp`, where there is no time to wait for anything: the page or the connection ends. */
  leave(): void;
  /** The kernel has gone, and everything with it: tell it nothing. */
  drop(): void;
}

/** What `register` says where there is no way to serve us; null where there is. */
function unable(text: string): Refused | null {
  const state = /"state": *"([^"]*)"/.exec(text)?.[1] ?? "ready";
  return state === "ready" ? null : { kind: "error", name: "pulse_widgets.link", text: state };
}

/**
 * Open a comm, for which the package is imported in the kernel.
 *
 * @returns null when `signal` was aborted: then nothing of it is left in the kernel.
 */
export async function call(
  kernel: Kernel.IKernelConnection,
  opening: Opening,
  events: CommEvents,
  signal: AbortSignal,
): Promise<Call | null> {
  const subshell = await createSubshell(kernel);
  const leave = () => {
    if (subshell !== null) deleteSubshell(kernel, subshell);
  };
  if (signal.aborted) {
    leave();
    return null;
  }
  // Both at once, to wait once: the kernel takes them in this order.
  const refused = register(kernel, subshell);
  const comm = openComm(kernel, TARGET, opening, subshell, {
    message: events.message,
    // A comm that was not taken is closed, too.
    closed: () => void refused.then((answer) => answer ?? events.closed()),
  });
  return {
    refused,
    send: comm.send,
    // A subshell that is deleted no longer hears that its comm was closed.
    hangUp: () => void comm.close().then(leave),
    leave: () => {
      void comm.close();
      leave();
    },
    drop: comm.drop,
  };
}

async function register(
  kernel: Kernel.IKernelConnection,
  subshell: string | null,
): Promise<Refused | null> {
  try {
    const answer = await evaluate(kernel, REGISTER, subshell);
    return answer.kind === "value" ? unable(answer.text) : answer;
  } catch {
    // The connection has cancelled it, as it does when the kernel restarts.
    return { kind: "aborted" };
  }
}
