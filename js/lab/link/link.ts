/** The link to one kernel, shared by all who look: what runs there, and its stream. */

import type { Kernel } from "@jupyterlab/services";
import type { TranslationBundle } from "@jupyterlab/translation";
import { DisposableDelegate, type IDisposable } from "@lumino/disposable";
import { type ISignal, Signal } from "@lumino/signaling";
import type { Ending } from "../../core/source";
import { onKernelEnd } from "../kernel/kernel-end";
import { ActionError, type Condition, type Followed, type Waits } from "../shared/monitors";
import {
  type Action,
  type Actions,
  LINK_VERSION,
  type LinkStatus,
  type ToPage,
} from "../shared/protocol";
import { type Call, call, type Manner, type Refused } from "./call";
import { Errands } from "./errands";
import {
  betweenCells,
  connecting,
  isKnown,
  isRefused,
  type Refusal,
  refusalOf,
  refusalOfStatus,
  unloaded,
} from "./refusal";
import { Tuner } from "./tuner";

/** A kernel that has not answered within so many ms is said to be busy. */
const PATIENCE_MS = 700;
/** How often a call is made again that a failing cell or an interrupt has cancelled. */
const MOST_TRIES = 5;
/** Then there is no kernel to ask. One that says it is starting is there. */
const GOING: readonly Kernel.Status[] = ["restarting", "autorestarting", "terminating"];
const THERE: readonly Kernel.Status[] = ["starting", "idle", "busy"];

export type LinkState = Pick<Followed, "condition" | "problem" | "remedy" | "status" | "store">;

export class Link {
  readonly #trans: TranslationBundle;
  readonly #changed = new Signal<this, void>(this);
  #kernel: Kernel.IKernelConnection;
  #release: () => void = () => undefined;
  /** The kernel has said what it can do. */
  #introduced = false;
  #condition: Condition = "unasked";
  #problem = "";
  #remedy = "";
  #status: LinkStatus | null = null;
  readonly #tuner = new Tuner();
  #watchers = 0;
  /** Ends the attempt or call that is under way. */
  #attempt: AbortController | null = null;
  #call: Call | null = null;
  #tries = 0;
  /** The kernel has let us wait for its answer. */
  #isLate = false;
  readonly #errands = new Errands();
  /** Ends the waiting of those who need an answer before they can ask for what they want. */
  readonly #hoping = new Set<(problem: Error) => void>();
  #isDisposed = false;

  constructor(kernel: Kernel.IKernelConnection, trans: TranslationBundle) {
    this.#trans = trans;
    this.#kernel = kernel;
    this.#hook(kernel);
  }

  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  get kernel(): Kernel.IKernelConnection {
    return this.#kernel;
  }

  get state(): LinkState {
    return {
      condition: this.#condition,
      problem: this.#problem,
      remedy: this.#remedy,
      status: this.#status,
      store: this.#tuner.store,
    };
  }

  /** Somebody looks until the result is disposed. */
  watch(): IDisposable {
    if (++this.#watchers === 1) this.#begin();
    return new DisposableDelegate(() => {
      if (--this.#watchers > 0) return;
      this.#hangUp();
      if (this.#condition !== "dead") this.#say("unasked");
    });
  }

  /**
   * Begin anew: something has changed in the kernel, or the user wants the package to be loaded
   * even beside a running cell.
   */
  retry(disturbs = false): void {
    this.#tries = 0;
    if (this.#watchers === 0) return;
    if (this.#kernel.connectionStatus === "disconnected") {
      this.#kernel.reconnect().catch(() => undefined);
    }
    this.#begin(disturbs);
  }

  /** The connection used so far is about to go; another leads to the same kernel. */
  use(kernel: Kernel.IKernelConnection): void {
    if (kernel === this.#kernel) return;
    if (this.#kernel.isDisposed) this.#drop();
    else this.#hangUp();
    this.#release();
    this.#kernel = kernel;
    this.#hook(kernel);
    if (this.#watchers > 0) this.#begin();
  }

  /** @throws ActionError with a sentence and a remedy. */
  async act<A extends Action>(
    action: A,
    options: Actions[A]["options"],
    waits?: Waits,
  ): Promise<Actions[A]["result"]> {
    const now = Date.now() / 1000;
    const look = this.watch();
    const timer = setTimeout(() => {
      const { problem = "", remedy = "" } = this.#isHeldUp ? this.#whyBusy() : {};
      if (problem) waits?.([problem, remedy].filter(Boolean).join(" "));
    }, PATIENCE_MS);
    try {
      await this.#answered();
      // It hears us when its cell has ended.
      const isLate = action === "mark" && this.#call?.isAside === false;
      const sent = isLate ? { time: now, ...options } : options;
      const asked = this.#errands.send(this.#call, action, sent, this.#lost());
      return (await asked) as Actions[A]["result"];
    } finally {
      clearTimeout(timer);
      look.dispose();
    }
  }

  /** What is asked waits for the end of a cell. */
  get #isHeldUp(): boolean {
    if (this.#condition === "busy") return true;
    return this.#call?.isAside === false && this.#kernel.status === "busy";
  }

  /** The page ends: take out of the kernel what we put there. */
  leave(): void {
    this.#attempt?.abort();
    this.#call?.leave();
    this.#settle();
  }

  /** The kernel is gone for good, or this page leaves it. */
  end(how: Ending): void {
    this.leave();
    this.#status = null;
    this.#tuner.store?.end(how);
    this.#say("dead");
  }

  /** Nobody will ask for what is known; no more than a new beginning is lost. */
  forget(): void {
    if (this.#watchers === 0) this.#tuner.forget();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#hangUp();
    this.#release();
    for (const end of [...this.#hoping]) end(this.#lost());
    Signal.clearData(this);
  }

  #hook(kernel: Kernel.IKernelConnection): void {
    const { statusChanged, iopubMessage } = kernel;
    const stop = onKernelEnd({ statusChanged, iopubMessage }, (how) => this.#goes(how));
    const onStatus = () => this.#look();
    const onConnection = (_: unknown, now: Kernel.ConnectionStatus) => this.#connection(now);
    this.#introduced = false;
    const introduced = () => {
      this.#introduced ||= kernel === this.#kernel;
    };
    kernel.info.then(introduced, () => undefined);
    kernel.statusChanged.connect(onStatus);
    kernel.connectionStatusChanged.connect(onConnection);
    this.#release = () => {
      stop();
      kernel.statusChanged.disconnect(onStatus);
      kernel.connectionStatusChanged.disconnect(onConnection);
    };
  }

  /** A sign that the kernel goes, or that it comes up again. */
  #goes(how: Ending): void {
    this.#lose(how);
    this.#say(this.#kernel.status === "dead" || how === "shut down" ? "dead" : "starting");
  }

  /** The status is another: a kernel that has come back is asked anew, if somebody looks. */
  #look(): void {
    const { status } = this.#kernel;
    // Not of every status: what is asked here changes it, too.
    const awaited = this.#condition === "starting" && this.#attempt === null;
    if (!awaited || !THERE.includes(status)) return;
    if (this.#watchers > 0) this.#begin();
    else this.#say("unasked");
  }

  #connection(now: Kernel.ConnectionStatus): void {
    if (this.#watchers === 0) return;
    // What was sent meanwhile is lost, and perhaps the kernel is another.
    if (now === "connected") this.#begin();
    else if (this.#kernel.status !== "dead") this.#disconnected();
  }

  #disconnected(): void {
    const trans = this.#trans;
    const problem = trans.__("The connection to the kernel is lost.");
    if (this.#kernel.connectionStatus !== "disconnected") {
      this.#say("starting", { problem });
      return;
    }
    // JupyterLab has tried for some time, and given up: nothing that was asked is answered.
    this.#hangUp();
    this.#say("failed", { problem, remedy: trans.__("Try again when it is back.") });
  }

  #begin(disturbs = false): void {
    this.#hangUp();
    this.#isLate = false;
    const { status, connectionStatus } = this.#kernel;
    this.#say(status === "dead" ? "dead" : "starting");
    if (connectionStatus === "disconnected" && status !== "dead") this.#disconnected();
    if (status === "dead" || GOING.includes(status) || connectionStatus !== "connected") return;
    const attempt = new AbortController();
    this.#attempt = attempt;
    const timer = setTimeout(() => this.#wait(), PATIENCE_MS);
    const { signal } = attempt;
    signal.addEventListener("abort", () => clearTimeout(timer));
    this.#dial({ signal, disturbs }, () => clearTimeout(timer)).catch((problem: unknown) => {
      if (signal.aborted) return;
      clearTimeout(timer);
      this.#say("failed", { problem: (problem as Error).message });
    });
  }

  async #dial(manner: Manner, answered: () => void): Promise<void> {
    const { signal } = manner;
    const events = {
      message: (data: unknown, buffer: ArrayBuffer | ArrayBufferView | undefined) => {
        if (signal.aborted) return;
        if ((data as ToPage).kind === "status") answered();
        this.#hear(data as ToPage, buffer);
      },
      closed: () => {
        if (!signal.aborted) this.#closed(answered);
      },
    };
    const opening = { version: LINK_VERSION, replay: null };
    const made = await call(this.#kernel, opening, events, manner);
    if (signal.aborted) made?.hangUp();
    if (made === null || signal.aborted) return;
    this.#call = made;
    this.#tuner.plug(made.send);
    if (this.#isLate) this.#wait();
    const refused = await made.refused;
    if (signal.aborted || refused === null) return;
    answered();
    this.#hangUp();
    this.#refused(refused);
  }

  /** The kernel has closed the comm: it forgot us, or it does not know what we ask for. */
  #closed(answered: () => void): void {
    answered();
    const known = this.#isAnswered;
    this.#hangUp();
    if (known && this.#tries++ < MOST_TRIES) this.#begin();
    else this.#say("failed", { problem: this.#trans.__("The kernel has closed the connection.") });
  }

  #refused(answer: Refused): void {
    if (answer.kind === "aborted" && this.#tries++ < MOST_TRIES) this.#begin();
    else this.#refuse(refusalOf(answer, this.#trans));
  }

  /** Say why there is no answer yet. */
  #wait(): void {
    this.#isLate = true;
    if (this.#call?.waits) this.#refuse(unloaded(this.#trans));
    else if (!this.#introduced) this.#refuse(connecting(this.#kernel.status, this.#trans));
    else this.#say("busy", this.#whyBusy());
  }

  #whyBusy(): Partial<Refusal> {
    const trans = this.#trans;
    return this.#kernel.supportsSubshells
      ? { problem: trans.__("The kernel has not answered yet: what runs there holds it up.") }
      : betweenCells(trans);
  }

  /** Whether the call that is open was answered. */
  get #isAnswered(): boolean {
    return this.#call !== null && this.#status !== null && isKnown(this.#condition);
  }

  #answered(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.#isAnswered) end(resolve);
        else if (this.#condition === "dead") lose(this.#lost());
        else if (isRefused(this.#condition)) {
          lose(new ActionError(this.#problem, this.#remedy));
        }
      };
      const lose = (problem: Error) => end(() => reject(problem));
      const end = (how: () => void) => {
        this.#changed.disconnect(look);
        this.#hoping.delete(lose);
        how();
      };
      if (this.#isDisposed) throw this.#lost();
      this.#hoping.add(lose);
      this.#changed.connect(look);
      look();
    });
  }

  #lost(): ActionError {
    return new ActionError(
      this.#trans.__("The kernel has gone before it answered."),
      this.#trans.__("Try again when it is back."),
    );
  }

  #hear(message: ToPage, buffer: ArrayBuffer | ArrayBufferView | undefined): void {
    switch (message.kind) {
      case "status":
        this.#learn(message);
        return;
      case "packet":
        if (buffer && this.#tuner.take(message.stream, buffer, this.#status)) this.#changed.emit();
        return;
      case "done":
      case "failed":
        this.#errands.hear(message);
    }
  }

  #learn(status: LinkStatus): void {
    this.#tries = 0;
    this.#status = status;
    const refusal = refusalOfStatus(status, this.#trans);
    const { session } = status;
    if (refusal) this.#refuse(refusal);
    else if (session?.running) this.#say("running");
    else this.#say(session || this.#tuner.store ? "ended" : "idle");
  }

  /** Nobody looks any more, or it begins anew. */
  #hangUp(): void {
    this.#attempt?.abort();
    this.#call?.hangUp();
    this.#settle();
  }

  /** As `hangUp`, of a connection that leads nowhere any more. */
  #drop(): void {
    this.#attempt?.abort();
    this.#call?.drop();
    this.#settle();
  }

  #settle(): void {
    this.#attempt = null;
    this.#call = null;
    this.#tuner.unplug();
    this.#errands.lose(this.#lost());
  }

  #lose(how: Ending): void {
    this.#drop();
    this.#status = null;
    this.#tuner.store?.end(how);
  }

  #refuse(refusal: Refusal): void {
    this.#say(refusal.condition, refusal);
  }

  #say(condition: Condition, more: Partial<Refusal> = {}): void {
    this.#condition = condition;
    this.#problem = more.problem ?? "";
    this.#remedy = more.remedy ?? "";
    this.#changed.emit();
  }
}
