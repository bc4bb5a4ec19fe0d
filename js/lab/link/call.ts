/** One call to a kernel: a subshell where there are any, and a comm on it. */

import type { Kernel } from "@jupyterlab/services";
import { type Opening, TARGET } from "../shared/protocol";
import {
  type Answer,
  type CommEvents,
  createSubshell,
  deleteSubshell,
  evaluate,
  openComm,
} from "./wire";

/** Imports the package, unless that is done, and tells the kernel of our comm target. */
const REGISTER =
  "(__import__('importlib').invalidate_caches(), " +
  "__import__('pulse_widgets.link', fromlist=['register']).register())[1]";

export type Refused = Exclude<Answer, { kind: "value" }>;

export interface Call {
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
 * Open a comm, after the package is imported in the kernel.
 *
 * @returns what the kernel answered instead, and null when `signal` was aborted: then nothing of it
 * is left in the kernel.
 */
export async function call(
  kernel: Kernel.IKernelConnection,
  opening: Opening,
  events: CommEvents,
  signal: AbortSignal,
): Promise<Call | Refused | null> {
  const subshell = await createSubshell(kernel);
  const leave = () => {
    if (subshell !== null) deleteSubshell(kernel, subshell);
  };
  if (signal.aborted) {
    leave();
    return null;
  }
  let answer: Answer;
  try {
    answer = await evaluate(kernel, REGISTER, subshell);
  } catch (problem) {
    leave();
    throw problem;
  }
  const refused = answer.kind === "value" ? unable(answer.text) : answer;
  if (signal.aborted || refused) {
    leave();
    return signal.aborted ? null : refused;
  }
  const comm = openComm(kernel, TARGET, opening, subshell, events);
  return {
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
