/** One call to a kernel: a subshell where there are any, and a comm on it. */

import type { Kernel } from "@jupyterlab/services";
import { type Opening, REGISTER, TARGET } from "../shared/protocol";
import {
  type Answer,
  type Comm,
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
  let comm: Comm | null = null;
  /** Say at once all that is to be said: the page or the connection ends. */
  const leave = () => {
    kernel.disposed.disconnect(leave);
    void comm?.close();
    if (subshell !== null && !isLeft) deleteSubshell(kernel, subshell);
    isLeft = true;
  };
  let isLeft = false;
  if (signal.aborted) {
    leave();
    return null;
  }
  kernel.disposed.connect(leave);
  // Both at once, to wait once: the kernel takes them in this order.
  const refused = register(kernel, subshell);
  comm = openComm(kernel, TARGET, opening, subshell, {
    message: events.message,
    // A comm that was not taken is closed, too.
    closed: () => void refused.then((answer) => answer ?? events.closed()),
  });
  const { send, close, drop } = comm;
  return {
    refused,
    send,
    leave,
    // A subshell that is deleted no longer hears that its comm was closed.
    hangUp: () => void close().then(leave),
    drop: () => {
      kernel.disposed.disconnect(leave);
      drop();
    },
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
