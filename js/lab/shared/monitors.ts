/** What the parts of the JupyterLab extension know of the monitors in kernels. */

import { Token } from "@lumino/coreutils";
import type { IDisposable } from "@lumino/disposable";
import type { ISignal } from "@lumino/signaling";
import type { LiveStore } from "../../core/history/live-store";
import type { Action, Actions, LinkStatus } from "./protocol";

/** How it stands with the kernel that is followed. */
export type Condition =
  /** No notebook or console is open, or it has no kernel. */
  | "no kernel"
  /** Its language is not Python. */
  | "foreign"
  /** A kernel starts or restarts, or an answer is awaited. */
  | "starting"
  /** Without subshells it answers when its cell has ended. */
  | "busy"
  /** A cell runs, and the package is not loaded: it will be when the cell has ended. */
  | "unloaded"
  /** The package is not installed there. */
  | "absent"
  /** The package there is too old or too new for this extension. */
  | "mismatch"
  /** Nobody has looked: nothing is asked of a kernel before. */
  | "unasked"
  /** No monitor runs. */
  | "idle"
  /** A monitor runs. Where nobody looks its packets were heard in passing; `status` is null then. */
  | "running"
  /** A session has ended; it is still shown. */
  | "ended"
  | "dead"
  /** Something else; `problem` says what. */
  | "failed";

export interface Followed {
  /** The name of the notebook or console; "" without one. */
  readonly name: string;
  /** The id of the Jupyter session; null without one. */
  readonly session: string | null;
  /** What the kernel is called; "" without one. */
  readonly kernel: string;
  readonly condition: Condition;
  readonly problem: string;
  readonly remedy: string;
  readonly status: LinkStatus | null;
  /** What is known of the session that runs or has ended; null where none was heard of. */
  readonly store: LiveStore | null;
}

/** A kernel that may be followed instead of that of the active document. */
export interface Choice {
  readonly session: string;
  readonly name: string;
  readonly kernel: string;
  /** Whether a monitor runs there; null where nobody has asked. */
  readonly running: boolean | null;
}

/** What may help where a kernel does not answer. */
export type Help =
  /** Ask again. */
  | "retry"
  /** Load the package now, beside the running cell, though that may disturb it. */
  | "load"
  /** Install the package in the kernel, where the user sees it, and ask again. */
  | "install"
  | "choose kernel"
  | "restart";

/** Hears, in a sentence or two, why it takes long. */
export type Waits = (why: string) => void;

export interface IMonitors {
  readonly followed: Followed;
  /** `followed` is another, or something of it. */
  readonly changed: ISignal<IMonitors, void>;
  /** Some of `choices` may be others. */
  readonly choicesChanged: ISignal<IMonitors, void>;
  /** The kernels that run, that of the active document first. */
  choices(): Promise<readonly Choice[]>;
  /** Find out of each of these kernels whether a monitor runs there; nothing is loaded in them. */
  askChoices(): Promise<void>;
  /** Follow one kernel, whatever document is active; null follows the active document again. */
  choose(session: string | null): void;
  readonly chosen: string | null;
  /**
   * Somebody looks: the package is imported in the kernel if it must be, and the stream flows.
   * Without anybody looking no frame is sent for us.
   */
  watch(): IDisposable;
  /**
   * `waits` is called if the kernel takes no orders for now, as an older one while a cell runs: it
   * is done later.
   *
   * @throws ActionError with a sentence and a remedy.
   */
  act<A extends Action>(
    action: A,
    options: Actions[A]["options"],
    waits?: Waits,
  ): Promise<Actions[A]["result"]>;
  /**
   * Open a recording that only the kernel can read: a store that the caller disposes. `waits` is
   * called as that of `act`.
   */
  replay(path: string, waits?: Waits): Promise<{ store: LiveStore; dispose(): void }>;
  help(how: Help): Promise<void>;
}

export const IMonitors = new Token<IMonitors>(
  "pulse-widgets:IMonitors",
  "The monitors in the kernels of this JupyterLab.",
);

/** The panel in the sidebar. */
export interface IPanel {
  /** Bring it to the front. */
  reveal(): void;
  /** Go into it with the keyboard; close it, if the keyboard is there. */
  toggle(): void;
}

export const IPanel = new Token<IPanel>("pulse-widgets:IPanel", "The Pulse panel in the sidebar.");

/** Opens recordings in the main area. */
export interface IViewer {
  /** Open a file or directory of the contents API without a kernel. */
  openFile(path: string): void;
  /** Open a recording that only a kernel can read; of `IMonitors` that one which is followed. */
  openInKernel(path: string, title: string): void;
}

export const IViewer = new Token<IViewer>(
  "pulse-widgets:IViewer",
  "Opens Pulse recordings in the main area.",
);

export class ActionError extends Error {
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(problem);
    this.name = "ActionError";
    this.remedy = remedy;
  }
}
