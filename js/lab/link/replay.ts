/** A recording that only a kernel can read. */

import type { Kernel } from "@jupyterlab/services";
import type { TranslationBundle } from "@jupyterlab/translation";
import { tryArrival } from "../../core/history/channel";
import { LiveStore } from "../../core/history/live-store";
import type { Ending } from "../../core/source";
import { onKernelEnd } from "../kernel/kernel-end";
import { ActionError, type Waits } from "../shared/monitors";
import { LINK_VERSION, type ToPage } from "../shared/protocol";
import { type Call, call } from "./call";
import { LinkChannel } from "./link-channel";
import { betweenCells, type Refusal, refusalOf, refusalOfStatus } from "./refusal";

type Why = Omit<Refusal, "condition">;

const UP: readonly Kernel.Status[] = ["idle", "busy"];

/** A connection to a kernel that is ours alone. */
export interface Own {
  readonly kernel: Kernel.IKernelConnection;
  dispose(): void;
}

export interface Aid {
  /**
   * Connects to the same kernel, when the connection that was given ends before the kernel does, as
   * it does with its notebook; null where the kernel has ended.
   */
  again(): Own | null;
  readonly waits?: Waits | undefined;
}

/** A kernel that has not opened it within so many ms may have to say why. */
const PATIENCE_MS = 700;

/**
 * @throws ActionError when the kernel cannot open it, or goes before it has.
 */
export async function openReplay(
  kernel: Kernel.IKernelConnection,
  path: string,
  trans: TranslationBundle,
  aid: Aid,
): Promise<{ store: LiveStore; dispose(): void }> {
  const replay = new Replay(path, trans, aid);
  const timer = setTimeout(() => replay.tellWhy(), PATIENCE_MS);
  try {
    await replay.open(kernel);
  } finally {
    clearTimeout(timer);
  }
  const leave = replay.store.attach();
  return {
    store: replay.store,
    dispose: () => {
      leave();
      replay.dispose();
    },
  };
}

class Replay {
  readonly store: LiveStore;
  readonly #path: string;
  readonly #trans: TranslationBundle;
  readonly #aid: Aid;
  readonly #channel = new LinkChannel();
  /** Ours, or the one that was given. */
  #kernel: Kernel.IKernelConnection | null = null;
  #own: Own | null = null;
  /** Lets go of the kernel; `true` says that it has gone itself. */
  #release: (gone: boolean) => void = () => undefined;
  #isOpen = false;
  #resolve: () => void = () => undefined;
  #reject: (problem: unknown) => void = () => undefined;

  constructor(path: string, trans: TranslationBundle, aid: Aid) {
    this.#path = path;
    this.#trans = trans;
    this.#aid = aid;
    this.store = new LiveStore(this.#channel);
  }

  async open(kernel: Kernel.IKernelConnection): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#dial(kernel);
    try {
      await opened;
    } catch (problem) {
      this.dispose();
      throw problem;
    }
    this.#isOpen = true;
  }

  /** It is not open yet: say why, if a cell is what it waits for. */
  tellWhy(): void {
    const kernel = this.#kernel;
    if (!kernel || kernel.supportsSubshells || kernel.status !== "busy") return;
    const { problem, remedy } = betweenCells(this.#trans);
    this.#aid.waits?.(`${problem} ${remedy}`);
  }

  dispose(): void {
    this.#let(false);
  }

  #let(gone: boolean): void {
    const release = this.#release;
    this.#release = () => undefined;
    release(gone);
    this.#channel.plug(null);
    this.#own?.dispose();
    this.#own = null;
  }

  #dial(kernel: Kernel.IKernelConnection): void {
    if (kernel.isDisposed || kernel.status === "dead") {
      this.#end("died");
      return;
    }
    this.#kernel = kernel;
    const attempt = new AbortController();
    const { signal } = attempt;
    let made: Call | null = null;
    const stop = this.#follow(kernel);
    this.#release = (gone) => {
      attempt.abort();
      stop();
      if (gone) made?.drop();
      else made?.hangUp();
    };
    this.#channel.plug(
      (request) => kernel.connectionStatus === "connected" && (made?.send(request) ?? false),
    );
    const events = {
      message: (data: unknown, buffer: ArrayBuffer | ArrayBufferView | undefined) => {
        if (!signal.aborted) this.#hear(data as ToPage, buffer);
      },
      closed: () => {
        if (!signal.aborted) this.#closed();
      },
    };
    const opening = { version: LINK_VERSION, replay: this.#path };
    const taken = async () => {
      // The user has asked for it.
      made = await call(kernel, opening, events, { signal, disturbs: true });
      if (signal.aborted) made?.hangUp();
      const refused = await made?.refused;
      if (refused && !signal.aborted) this.#refuse(refusalOf(refused, this.#trans));
    };
    // The connection has cancelled what was asked.
    taken().catch(() => signal.aborted || this.#refuse(this.#gone()));
  }

  /** The end of the kernel, or of the way to it; the result stops listening. */
  #follow(kernel: Kernel.IKernelConnection): () => void {
    const { statusChanged, iopubMessage } = kernel;
    // A kernel that still comes up when it is asked is no other than the one that was asked.
    let isUp = UP.includes(kernel.status);
    const status = (_: unknown, now: Kernel.Status) => {
      isUp ||= UP.includes(now);
    };
    statusChanged.connect(status);
    const stop = onKernelEnd({ statusChanged, iopubMessage }, (how) => {
      if (isUp || kernel.status !== "starting") this.#end(how);
    });
    const connection = (_: unknown, now: Kernel.ConnectionStatus) => {
      // The answer may be lost.
      if (now !== "connected" && !this.#isOpen) this.#refuse(this.#disconnected());
    };
    const disposed = () => this.#move();
    kernel.connectionStatusChanged.connect(connection);
    kernel.disposed.connect(disposed);
    return () => {
      stop();
      statusChanged.disconnect(status);
      kernel.connectionStatusChanged.disconnect(connection);
      kernel.disposed.disconnect(disposed);
    };
  }

  #hear(message: ToPage, buffer: ArrayBuffer | ArrayBufferView | undefined): void {
    if (message.kind === "refused") this.#refuse(message);
    else if (message.kind === "status") {
      // Where nothing is to be monitored a recording is shown all the same.
      const refusal = refusalOfStatus({ ...message, disabled: false }, this.#trans);
      if (refusal) this.#refuse(refusal);
    }
    const arrival = message.kind === "packet" && buffer ? tryArrival(buffer) : null;
    if (!arrival) return;
    this.#channel.hear(arrival);
    this.#resolve();
  }

  /** The connection has ended; go on over another, if the kernel lives on. */
  #move(): void {
    this.#let(false);
    const own = this.#aid.again();
    if (own) {
      this.#own = own;
      this.#dial(own.kernel);
    } else this.#end("shut down");
  }

  #closed(): void {
    this.#refuse({ problem: this.#trans.__("The kernel has closed the recording."), remedy: "" });
    if (this.#isOpen) this.#end("restarted");
  }

  #end(how: Ending): void {
    this.#let(true);
    if (this.#isOpen) this.store.end(how);
    this.#refuse(this.#gone());
  }

  #gone(): Why {
    const trans = this.#trans;
    return {
      problem: trans.__("The kernel has gone before it opened the recording."),
      remedy: trans.__("Try again when it is back."),
    };
  }

  #disconnected(): Why {
    const trans = this.#trans;
    return {
      problem: trans.__("The connection to the kernel is lost."),
      remedy: trans.__("Try again when it is back."),
    };
  }

  /** It is not opened; of one that is open nothing changes. */
  #refuse({ problem, remedy }: Why): void {
    this.#reject(new ActionError(problem, remedy));
  }
}
