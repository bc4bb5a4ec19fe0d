/** A kernel and its connection, for tests: it answers message by message, when it is told to. */

import type { Kernel } from "@jupyterlab/services";
import { nullTranslator } from "@jupyterlab/translation";
import { encodeKeyframe } from "../../core/testing/packets";
import { HERE, LINK_VERSION, RUNNING, type SessionStatus, TARGET } from "../shared/protocol";

type Slot = (sender: unknown, value: unknown) => unknown;

export const words = nullTranslator.load("pulse_widgets");

/** A signal that can be counted. */
export class FakeSignal {
  slots: { slot: Slot; self: unknown }[] = [];

  connect(slot: Slot, self?: unknown): boolean {
    this.slots.push({ slot, self });
    return true;
  }

  disconnect(slot: Slot, self?: unknown): boolean {
    this.slots = this.slots.filter((one) => one.slot !== slot || one.self !== self);
    return true;
  }

  emit(value: unknown): void {
    for (const { slot, self } of [...this.slots]) slot.call(self, this, value);
  }
}

interface Message {
  readonly channel: string;
  readonly header: { msg_id: string; msg_type: string; subshell_id: string | null };
  readonly content: Record<string, unknown>;
}

/** How a kernel is. */
export interface Nature {
  readonly subshells: boolean;
  /** What is installed: the package, one that is older than the link, none, or one that breaks. */
  readonly installed: "ours" | "older" | "nothing" | "broken" | "other version";
  readonly disabled: boolean;
}

const USUAL: Nature = { subshells: true, installed: "ours", disabled: false };

const ERRORS = {
  nothing: { ename: "ModuleNotFoundError", evalue: "No module named 'pulse_widgets'" },
  older: { ename: "ModuleNotFoundError", evalue: "No module named 'pulse_widgets.link'" },
  broken: { ename: "ImportError", evalue: "libfoo.so: cannot open shared object file" },
};

let count = 0;

export class FakeKernel {
  readonly id = `kernel-${++count}`;
  name = "python3";
  readonly clientId = "client";
  readonly username = "";
  status: Kernel.Status = "idle";
  connectionStatus: Kernel.ConnectionStatus = "connected";
  isDisposed = false;
  readonly statusChanged = new FakeSignal();
  readonly connectionStatusChanged = new FakeSignal();
  readonly iopubMessage = new FakeSignal();
  readonly disposed = new FakeSignal();
  readonly nature: Nature;
  readonly info: Promise<unknown>;
  supportsSubshells = false;
  /** A cell runs: what does not come on a subshell waits. */
  busy = false;
  /** Something was executed beside a cell. */
  disturbed = false;
  /** What was sent to it. */
  readonly sent: Message[] = [];
  readonly subshells = new Set<string>();
  readonly comms = new Map<string, string | null>();
  session: SessionStatus | null = null;
  /** The package is loaded. */
  loaded = false;
  /** What it says on a comm of a recording; nothing while it is being read. */
  replays: () => readonly { readonly data: object; readonly buffer?: Uint8Array }[] = () => [];
  /** What it answers to an action; throws what it fails with. */
  act: (action: string, options: unknown) => unknown = () => null;
  #introduce: () => void = () => undefined;
  #waiting: { message: Message; future: FakeFuture }[] = [];

  constructor(nature: Partial<Nature> = {}, introduced = true) {
    this.nature = { ...USUAL, ...nature };
    this.info = new Promise((resolve) => {
      this.#introduce = () => {
        this.supportsSubshells = this.nature.subshells;
        resolve({});
      };
    });
    if (introduced) this.#introduce();
  }

  as(): Kernel.IKernelConnection {
    return this as unknown as Kernel.IKernelConnection;
  }

  get connections(): number {
    const signals = [this.statusChanged, this.connectionStatusChanged, this.iopubMessage];
    return [...signals, this.disposed].reduce((sum, { slots }) => sum + slots.length, 0);
  }

  sendControlMessage(message: Message): FakeFuture {
    return this.#accept(message);
  }

  sendShellMessage(message: Message): FakeFuture {
    return this.#accept(message);
  }

  #accept(message: Message): FakeFuture {
    const future = new FakeFuture();
    this.sent.push(message);
    this.#waiting.push({ message, future });
    return future;
  }

  /** Answer the oldest message that can be answered; returns whether there was one. */
  step(): boolean {
    const at = this.#waiting.findIndex(({ message }) => this.#isFree(message));
    const [one] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (one) this.#answer(one.message, one.future);
    return one !== undefined;
  }

  /** Answer all that can be answered, and let the page do what it does then. */
  async settle(): Promise<void> {
    do await tick();
    while (this.step());
  }

  #isFree({ channel, header }: Message): boolean {
    return channel === "control" || header.subshell_id !== null || !this.busy;
  }

  endCell(): void {
    this.busy = false;
    this.#introduce();
  }

  set(status: Kernel.Status): void {
    this.status = status;
    this.statusChanged.emit(status);
  }

  connect(now: Kernel.ConnectionStatus): void {
    this.connectionStatus = now;
    this.connectionStatusChanged.emit(now);
  }

  /** The process ends, and another comes up in its place. */
  restart(how: "restarting" | "autorestarting" | "starting" = "restarting"): void {
    this.#end();
    this.set(how);
    if (how !== "starting") this.set("idle");
  }

  die(): void {
    this.#end();
    this.set("dead");
  }

  /** JupyterLab is asked to connect again; nothing comes of it by itself. */
  readonly reconnect = async (): Promise<void> => this.connect("connecting");

  /** The connection of this page ends; the kernel lives on. */
  dispose(): void {
    this.isDisposed = true;
    this.disposed.emit(undefined);
  }

  #end(): void {
    for (const { future } of this.#waiting.splice(0)) future.cancel();
    this.subshells.clear();
    this.comms.clear();
    this.session = null;
    this.busy = false;
    this.loaded = false;
  }

  say(comm_id: string, data: unknown, buffer?: Uint8Array): void {
    const buffers = buffer ? [buffer.slice().buffer] : [];
    this.#publish("comm_msg", { comm_id, data }, buffers);
  }

  close(comm_id: string): void {
    this.comms.delete(comm_id);
    this.#publish("comm_close", { comm_id, data: {} });
  }

  /** A session begins; whoever listens hears of it. */
  begin(session: Partial<SessionStatus> = {}): void {
    const plain = { running: true, title: "", t0: 1000, path: null, feed: null };
    this.session = { ...plain, ...session };
    this.loaded = true;
    for (const comm of this.comms.keys()) this.#tell(comm);
  }

  #introduceTo(comm: string, session: SessionStatus | null): void {
    const { disabled, installed } = this.nature;
    const version = installed === "other version" ? LINK_VERSION + 1 : LINK_VERSION;
    this.say(comm, { kind: "status", version, package: "9.9", disabled, session });
  }

  #tell(comm: string): void {
    const { session } = this;
    this.#introduceTo(comm, session);
    if (!session) return;
    const state = { phase: session.running ? "running" : "stopped", t0: session.t0, t1: null };
    const keyframe = encodeKeyframe(0, [session.t0, session.t0 + 1], [], { state });
    this.say(comm, { kind: "packet", stream: session.t0 }, keyframe);
  }

  #replay(comm: string): void {
    this.#introduceTo(comm, null);
    for (const { data, buffer } of this.replays()) this.say(comm, data, buffer);
  }

  #publish(msg_type: string, content: object, buffers: readonly ArrayBuffer[] = []): void {
    this.iopubMessage.emit({ header: { msg_type }, channel: "iopub", content, buffers });
  }

  #answer(message: Message, future: FakeFuture): void {
    const { msg_type, subshell_id } = message.header;
    const { content } = message;
    const id = content["comm_id"] as string;
    const isLost = subshell_id !== null && !this.subshells.has(subshell_id);
    if (isLost) future.cancel();
    else if (msg_type === "create_subshell_request") this.#create(future);
    else if (msg_type === "comm_info_request") this.#list(content["target_name"], future);
    else if (msg_type === "delete_subshell_request") {
      this.subshells.delete(content["subshell_id"] as string);
      future.reply({ status: "ok" });
    } else if (msg_type === "execute_request") {
      if (this.busy) this.disturbed = true;
      future.onIOPub();
      future.reply(this.#evaluate());
    } else {
      if (msg_type === "comm_open") this.#open(id, subshell_id, content);
      else if (msg_type === "comm_close") this.comms.delete(id);
      else this.#do(id, content["data"] as Record<string, unknown>);
      future.reply({});
    }
  }

  #create(future: FakeFuture): void {
    // An older kernel does not know the request, and does not answer.
    if (!this.nature.subshells) return;
    const subshell_id = `subshell-${++count}`;
    this.subshells.add(subshell_id);
    future.reply({ status: "ok", subshell_id });
  }

  #list(target: unknown, future: FakeFuture): void {
    const isListed =
      (target === HERE && this.loaded) || (target === RUNNING && this.session?.running === true);
    future.reply({ status: "ok", comms: isListed ? { it: { target_name: target } } : {} });
  }

  #evaluate(): object {
    const { installed } = this.nature;
    this.loaded = installed === "ours" || installed === "other version";
    const error = ERRORS[installed as keyof typeof ERRORS];
    const value = { status: "ok", data: { "text/plain": '{"state": "ready"}' } };
    const pulse = error ? { status: "error", ...error } : value;
    return { status: "ok", user_expressions: { pulse } };
  }

  #open(id: string, subshell: string | null, { target_name: target, data }: Message["content"]) {
    const { installed } = this.nature;
    const takes = installed === "ours" || installed === "other version";
    if (takes && this.loaded && target === TARGET) {
      this.comms.set(id, subshell);
      if ((data as { replay?: unknown } | undefined)?.replay) this.#replay(id);
      else this.#tell(id);
    } else this.close(id);
  }

  #do(comm: string, data: Record<string, unknown>): void {
    const { kind, id, action, options } = data;
    if (kind !== "do" || !this.comms.has(comm)) return;
    try {
      this.say(comm, { kind: "done", id, result: this.act(action as string, options) });
    } catch (problem) {
      this.say(comm, { kind: "failed", id, ...(problem as object) });
    }
  }
}

class FakeFuture {
  onReply: (message: unknown) => void = () => undefined;
  onIOPub: () => void = () => undefined;
  readonly done: Promise<unknown>;
  #resolve: (message: unknown) => void = () => undefined;
  #reject: (problem: Error) => void = () => undefined;

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined);
  }

  reply(content: object): void {
    this.onReply({ content });
    this.#resolve({ content });
  }

  cancel(): void {
    this.#reject(new Error("Canceled future"));
  }

  dispose(): void {
    this.cancel();
  }
}

/** Until everything that waits for a promise has gone on. */
export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
