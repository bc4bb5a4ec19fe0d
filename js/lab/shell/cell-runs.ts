/** When the cells of a notebook ran, by what its kernel says: each run by the message that asked. */

import type { ISessionContext } from "@jupyterlab/apputils";
import type { Kernel, KernelMessage } from "@jupyterlab/services";

export interface Run {
  /** Unix seconds, by the clock of the kernel, as are its readings. */
  readonly start: number;
  readonly end: number;
  readonly outcome: Outcome;
}

/** How a run ended; "" is as it should. */
export type Outcome = "" | "failed" | "interrupted";

export interface RunListener {
  began(cell: string): void;
  /** The kernel has come to it. */
  started?(cell: string, start: number): void;
  /** `code` is what was sent. */
  ended(cell: string, run: Run, code: string): void;
  /** The kernel is another, or has begun anew. */
  forgotten(): void;
}

interface Asked {
  readonly cell: string;
  readonly code: string;
  start: number;
}

export class CellRuns {
  readonly #session: ISessionContext;
  readonly #listener: RunListener;
  readonly #asked = new Map<string, Asked>();
  #kernel: Kernel.IKernelConnection | null = null;

  constructor(session: ISessionContext, listener: RunListener) {
    this.#session = session;
    this.#listener = listener;
    session.kernelChanged.connect(this.#hook, this);
    session.sessionChanged.connect(this.#hook, this);
    session.statusChanged.connect(this.#status, this);
    this.#hook();
  }

  dispose(): void {
    this.#session.kernelChanged.disconnect(this.#hook, this);
    this.#session.sessionChanged.disconnect(this.#hook, this);
    this.#session.statusChanged.disconnect(this.#status, this);
    this.#kernel?.anyMessage.disconnect(this.#message, this);
    this.#kernel = null;
  }

  #hook(): void {
    const kernel = this.#session.session?.kernel ?? null;
    if (kernel === this.#kernel) return;
    this.#kernel?.anyMessage.disconnect(this.#message, this);
    if (this.#kernel) this.#forget();
    this.#kernel = kernel;
    kernel?.anyMessage.connect(this.#message, this);
  }

  #status(_: unknown, status: Kernel.Status): void {
    if (status === "restarting" || status === "autorestarting" || status === "dead") this.#forget();
  }

  #forget(): void {
    this.#asked.clear();
    this.#listener.forgotten();
  }

  #message(_: unknown, { msg, direction }: Kernel.IAnyMessageArgs): void {
    const type = msg.header.msg_type as string;
    if (direction === "send") {
      const cell = msg.metadata["cellId"];
      if (type !== "execute_request" || typeof cell !== "string") return;
      const { code } = msg.content as KernelMessage.IExecuteRequestMsg["content"];
      this.#asked.set(msg.header.msg_id, { cell, code: String(code), start: Number.NaN });
      this.#listener.began(cell);
      return;
    }
    if (type !== "execute_input" && type !== "execute_reply") return;
    const id = (msg.parent_header as Partial<KernelMessage.IHeader>).msg_id ?? "";
    const asked = this.#asked.get(id);
    if (!asked) return;
    const time = secondsOf(msg.header.date);
    if (type === "execute_input") {
      asked.start = time;
      this.#listener.started?.(asked.cell, time);
      return;
    }
    this.#asked.delete(id);
    // One that was aborted, because a cell before it failed, never began.
    const { cell, code, start } = asked;
    const { status, ename } = (msg.content ?? {}) as { status?: unknown; ename?: unknown };
    const outcome = status === "error" ? outcomeOf(ename) : "";
    if (time >= start) this.#listener.ended(cell, { start, end: time, outcome }, code);
  }
}

/** Unix seconds of a date of a message; NaN where there is none. */
function secondsOf(date: unknown): number {
  return typeof date === "string" ? Date.parse(date) / 1000 : Number.NaN;
}

function outcomeOf(ename: unknown): Outcome {
  return ename === "KeyboardInterrupt" ? "interrupted" : "failed";
}

/** The last run that a cell itself knows of, where the notebook records times; with its outputs. */
export function recordedRun(
  execution: unknown,
  outputs: readonly { readonly output_type: string; readonly ename?: unknown }[] = [],
): Run | null {
  const times = (execution ?? {}) as Readonly<Record<string, unknown>>;
  const start = secondsOf(times["iopub.execute_input"]);
  const end = secondsOf(times["shell.execute_reply"]);
  const error = outputs.find(({ output_type }) => output_type === "error");
  return end >= start ? { start, end, outcome: error ? outcomeOf(error.ename) : "" } : null;
}
