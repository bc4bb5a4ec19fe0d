/** One call to a kernel: a subshell where there are any, and a comm on it. */

import type { Kernel } from "@jupyterlab/services";
import { HERE, type Opening, REGISTER, TARGET } from "../shared/protocol";
import {
  type Answer,
  type Comm,
  type CommEvents,
  createSubshell,
  deleteSubshell,
  evaluate,
  hasComm,
  openComm,
} from "./wire";

export type Refused = Exclude<Answer, { kind: "value" }>;

export interface Call {
  /** What the kernel answered instead of taking it; null when it has taken it. */
  readonly refused: Promise<Refused | null>;
  /** The package is not loaded in the kernel, and it is to be when the cells that run have ended. */
  readonly waits: boolean;
  /** Whether the kernel hears the comm while a cell runs. */
  readonly isAside: boolean;
  /** Whether it could be sent. */
  send(data: unknown): boolean;
  hangUp(): void;
  /** As `hangUp`, where there is no time to wait for anything: the page or the connection ends. */
  leave(): void;
  /** The kernel has gone, and everything with it: tell it nothing. */
  drop(): void;
}

export interface Manner {
  /** When it is aborted, the call is not made. */
  readonly signal: AbortSignal;
  /** Load the package beside a running cell, though that may disturb it: the user wants it. */
  readonly disturbs: boolean;
}

/** What `register` says where there is no way to serve us; null where there is. */
function unable(text: string): Refused | null {
  const state = /"state": *"([^"]*)"/.exec(text)?.[1] ?? "ready";
  return state === "ready" ? null : { kind: "error", name: "pulse_widgets.link", text: state };
}

/**
 * Open a comm, for which the package is imported in the kernel if it must be.
 *
 * @returns null when it was aborted: then nothing of it is left in the kernel.
 */
export async function call(
  kernel: Kernel.IKernelConnection,
  opening: Opening,
  events: CommEvents,
  { signal, disturbs }: Manner,
): Promise<Call | null> {
  const [subshell, isHere] = await Promise.all([createSubshell(kernel), hasComm(kernel, HERE)]);
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
  // By itself it is evaluated where cells are, and so never beside one.
  const where = disturbs ? subshell : null;
  let waits = !isHere && where !== subshell;
  const began = () => {
    waits = false;
  };
  const refused = isHere ? Promise.resolve(null) : register(kernel, where, began);
  const open = () => {
    comm = openComm(kernel, TARGET, opening, subshell, {
      message: events.message,
      // A comm that was not taken is closed, too.
      closed: () => void refused.then((answer) => answer ?? events.closed()),
    });
  };
  // JupyterLab complains of a comm that a kernel without the package closes: first it answers. Only
  // behind a cell both are sent at once, to wait once; the kernel takes them in this order.
  const isBehind = subshell === null && kernel.status === "busy";
  if (isHere || isBehind) open();
  else void refused.then((answer) => answer ?? (isLeft || open()));
  return {
    refused,
    get waits() {
      return waits;
    },
    isAside: subshell !== null,
    send: (data) => comm?.send(data) ?? false,
    leave,
    // A subshell that is deleted no longer hears that its comm was closed.
    hangUp: () => void (comm?.close() ?? Promise.resolve()).then(leave),
    drop: () => {
      kernel.disposed.disconnect(leave);
      isLeft = true;
      comm?.drop();
    },
  };
}

async function register(
  kernel: Kernel.IKernelConnection,
  subshell: string | null,
  began: () => void,
): Promise<Refused | null> {
  try {
    const answer = await evaluate(kernel, REGISTER, subshell, began);
    return answer.kind === "value" ? unable(answer.text) : answer;
  } catch {
    // The connection has cancelled it, as it does when the kernel restarts.
    return { kind: "aborted" };
  }
}
