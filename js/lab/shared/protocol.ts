/**
 * What the JupyterLab extension and a kernel say to each other on a comm of the target `TARGET`;
 * `pulse_widgets/link/` is the other end.
 *
 * The target exists once `pulse_widgets.link` was imported in the kernel and its `register` called.
 * A comm carries one stream: of the session that runs, whichever that is, or of one recording.
 * Its data messages are these; packets travel as the first buffer. The requests of a page
 * (`hello`, `seen`, `range`, `lines`, `printed`) are those of `core/history/channel.ts`, as they are.
 */

import type { Request } from "../../core/history/channel";

export const TARGET = "pulse_widgets";
export const LINK_VERSION = 1;

/**
 * Once `REGISTER` was evaluated, or the package used in any way, the kernel lists a comm of this
 * target in its `comm_info_reply`; nobody opens or closes it. A page asks for that on the control
 * channel, which disturbs nothing, and needs `REGISTER` only where there is none.
 */
export const HERE = "pulse_widgets.here";

/** As `HERE`, of a comm that is listed while a session runs. */
export const RUNNING = "pulse_widgets.running";

/**
 * Evaluated as a user expression, with empty code and silently: it leaves nothing in the user's
 * namespace. On a subshell it would disturb a cell that runs all the same: IPython takes it for the
 * end of a cell, and figures of Matplotlib that are being drawn are shown elsewhere and closed. So
 * it goes to the main shell, where it waits for the end of that cell, unless the user wants more.
 * The `text/plain` of its value is the JSON of `Registered`; in a kernel without the package it is
 * an error whose name is `ModuleNotFoundError`.
 */
export const REGISTER = "__import__('pulse_widgets.link', fromlist=['register']).register()";

/** What became of `REGISTER`. */
export interface Registered {
  /** "no kernel" is one that takes no comms; "failed" says why in the log of the kernel. */
  readonly state: "ready" | "no kernel" | "failed";
  readonly version: number;
  readonly package: string;
}

/** The data of `comm_open`. */
export interface Opening {
  readonly version: number;
  /** A recording's name or path; null for the session that runs. */
  readonly replay: string | null;
}

/** What the kernel says of itself; sent after the opening, and whenever it changes. */
export interface LinkStatus {
  readonly kind: "status";
  readonly version: number;
  /** The version of the package. */
  readonly package: string;
  /** `PULSE_DISABLED` is set. */
  readonly disabled: boolean;
  /** The session that runs, or the last one; null before the first, and for a replay. */
  readonly session: SessionStatus | null;
}

export interface SessionStatus {
  readonly running: boolean;
  readonly title: string;
  /** Unix seconds. */
  readonly t0: number;
  /** Where it records; null where it does not. */
  readonly path: string | null;
  /** The model id of its feed: a cell shows it, or has shown it. Null where none does. */
  readonly feed: string | null;
}

/** What an action may be: its name, and what goes in and comes out. */
export interface Actions {
  /** `pw.monitor(...)` without a view. */
  start: { options: { title?: string; interval?: number; gpus?: string }; result: null };
  stop: { options: Record<string, never>; result: { path: string | null } };
  /** `time` is Unix seconds of the session's time; without it, the mark is of now. */
  mark: { options: { label: string; time?: number }; result: null };
  /** Copies the recording of the session, as it is now, to a path; relative to the kernel's folder. */
  save: { options: { path: string }; result: { path: string; bytes: number } };
  recordings: { options: Record<string, never>; result: { recordings: readonly Listed[] } };
  rename: { options: { path: string; name: string }; result: { path: string } };
  delete: { options: { path: string }; result: null };
}

export type Action = keyof Actions;

/** A line of `pw.recordings()`. */
export interface Listed {
  readonly name: string;
  readonly path: string;
  /** Unix seconds; null where it is not known, as are the numbers below. */
  readonly start: number | null;
  readonly seconds: number | null;
  readonly bytes: number | null;
  readonly series: number | null;
  readonly rows: number | null;
  readonly state: "running" | "unfinished" | "finished" | "unreadable";
  readonly title: string;
  readonly problem: string;
}

/**
 * From the page to the kernel, once the first status was heard: a kernel complains of a comm that it
 * has not opened yet.
 *
 * Packets flow from the opening on, and begin with a keyframe. `rest` says that nobody looks: none
 * is sent until the next `hello` or `seen`, which is answered by a keyframe. A page that has said
 * nothing for a minute, though it could, is taken to rest. A status is sent all the same.
 *
 * What a page says is answered while a cell runs if it has opened the comm on a subshell. That
 * subshell is to live as long as the comm: the kernel hears the comm there alone.
 */
export type ToKernel =
  | Request
  | { kind: "rest" }
  | { kind: "do"; id: number; action: Action; options: unknown };

/** From the kernel to the page. */
export type ToPage =
  | LinkStatus
  /** `stream` counts sessions of this comm: a new number is a new session, with a new history. */
  | { readonly kind: "packet"; readonly stream: number }
  | { readonly kind: "done"; readonly id: number; readonly result: unknown }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly problem: string;
      readonly remedy: string;
    }
  /** The recording of a replay cannot be opened. */
  | { readonly kind: "refused"; readonly problem: string; readonly remedy: string };
