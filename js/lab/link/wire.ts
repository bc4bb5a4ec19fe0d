/**
 * The messages to a kernel. They are made by hand: the calls of JupyterLab that make a subshell
 * refuse until the kernel has introduced itself, which after a reload of the page happens when the
 * running cell has ended, and each of its comms leaves a listener behind.
 */

import { type Kernel, KernelMessage } from "@jupyterlab/services";
import { UUID } from "@lumino/coreutils";

type Connection = Kernel.IKernelConnection;
type Bytes = ArrayBuffer | ArrayBufferView;
type Control = Parameters<Connection["sendControlMessage"]>[0];
type Shell = Parameters<Connection["sendShellMessage"]>[0];

/** What became of an expression. */
export type Answer =
  | { readonly kind: "value"; readonly text: string }
  | { readonly kind: "error"; readonly name: string; readonly text: string }
  /** A cell before it failed, or somebody interrupted the kernel: it was not tried. */
  | { readonly kind: "aborted" };

export interface CommEvents {
  message(data: unknown, buffer: Bytes | undefined): void;
  /** The kernel has closed it. */
  closed(): void;
}

export interface Comm {
  send(data: unknown): boolean;
  /** Resolves when the kernel has taken note, or never will. */
  close(): Promise<unknown>;
  /** Hear no more of it, and tell nobody: the kernel has gone. */
  drop(): void;
}

/** A subshell of this kernel; null where it has none. */
export async function createSubshell(kernel: Connection): Promise<string | null> {
  const { status, subshell_id } = await askAside(kernel, "create_subshell_request", {});
  return status === "ok" && typeof subshell_id === "string" ? subshell_id : null;
}

/**
 * Whether the kernel lists a comm of this target; false where it can say so only between cells.
 * Asked on the control channel it disturbs nothing: what threads print stays with their cell.
 */
export async function hasComm(kernel: Connection, target_name: string): Promise<boolean> {
  return (await listsComm(kernel, target_name)) ?? false;
}

/** As `hasComm`; null where the kernel cannot be asked beside a cell. */
export async function listsComm(kernel: Connection, target_name: string): Promise<boolean | null> {
  const { comms } = await askAside(kernel, "comm_info_request", { target_name });
  return comms ? Object.keys(comms).length > 0 : null;
}

/** The answer to a request beside the running cell; an empty one where there are no subshells. */
async function askAside(
  kernel: Connection,
  msgType: string,
  content: object,
): Promise<Readonly<Record<string, unknown>>> {
  const asked = control(kernel, msgType, content);
  const reply = await Promise.race([asked.reply, withoutSubshells(kernel, asked.drop)]);
  return reply.content as Readonly<Record<string, unknown>>;
}

/** Resolves when the kernel has said that it knows no subshells; else never. */
function withoutSubshells(kernel: Connection, drop: () => void): Promise<{ content: unknown }> {
  return new Promise((resolve) => {
    const look = () => {
      if (kernel.supportsSubshells) return;
      resolve({ content: {} });
      drop();
    };
    kernel.info.then(look, look);
  });
}

export function deleteSubshell(kernel: Connection, subshell_id: string): void {
  if (kernel.status === "dead") return;
  control(kernel, "delete_subshell_request", { subshell_id }).reply.catch(() => undefined);
}

function control(kernel: Connection, msgType: string, content: object) {
  const { username, clientId: session } = kernel;
  const options = { msgType, channel: "control", username, session, content };
  const message = KernelMessage.createMessage(options as never) as unknown as Control;
  const future = kernel.sendControlMessage(message, true, true);
  const reply = new Promise<{ content: unknown }>((resolve, reject) => {
    future.onReply = resolve;
    future.done.then(resolve, reject);
  });
  return { reply, drop: () => future.dispose() };
}

const EXPRESSION = "pulse";

/**
 * Evaluate an expression without a trace: no history, no output, no name in the namespace.
 * `began` is called when the kernel turns to it.
 */
export async function evaluate(
  kernel: Connection,
  expression: string,
  subshell: string | null,
  began: () => void,
): Promise<Answer> {
  const content = {
    ...{ code: "", silent: true, store_history: false, allow_stdin: false, stop_on_error: false },
    user_expressions: { [EXPRESSION]: expression },
  };
  const future = shell(kernel, "execute_request", content, subshell, true);
  future.onIOPub = began;
  const reply = await new Promise<{ content: unknown }>((resolve, reject) => {
    future.onReply = resolve;
    future.done.then((message) => resolve(message as { content: unknown }), reject);
  });
  return answerIn(reply.content as Reply);
}

interface Reply {
  readonly status?: string;
  readonly ename?: string;
  readonly evalue?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly user_expressions?: Readonly<Record<string, Reply>>;
}

function answerIn(reply: Reply): Answer {
  if (reply.status === "aborted" || reply.status === "abort") return { kind: "aborted" };
  const inner = reply.user_expressions?.[EXPRESSION];
  const said = inner ?? reply;
  if (said.status === "ok" && inner) {
    return { kind: "value", text: String(inner.data?.["text/plain"] ?? "") };
  }
  const [name, text] = [said.ename ?? "", said.evalue ?? ""];
  return name === "KeyboardInterrupt" ? { kind: "aborted" } : { kind: "error", name, text };
}

/** Open a comm of a target that the kernel has registered. */
export function openComm(
  kernel: Connection,
  target: string,
  data: unknown,
  subshell: string | null,
  events: CommEvents,
): Comm {
  const comm_id = UUID.uuid4();
  let open = true;
  const send = (type: string, content: object) => {
    if (!open || kernel.status === "dead") return null;
    return shell(kernel, type, { comm_id, ...content }, subshell, false).done;
  };
  const hear = (_: unknown, message: KernelMessage.IIOPubMessage) => {
    const type = message.header.msg_type;
    if (type !== "comm_msg" && type !== "comm_close") return;
    const content = message.content as { comm_id?: unknown; data?: unknown };
    if (!open || content.comm_id !== comm_id) return;
    if (type === "comm_msg") events.message(content.data, message.buffers?.[0]);
    else {
      leave();
      events.closed();
    }
  };
  const leave = () => {
    open = false;
    kernel.iopubMessage.disconnect(hear);
  };
  kernel.iopubMessage.connect(hear);
  send("comm_open", { target_name: target, data });
  return {
    send: (data) => send("comm_msg", { data }) !== null,
    close: async () => {
      const told = send("comm_close", { data: {} });
      leave();
      await told?.catch(() => undefined);
    },
    drop: leave,
  };
}

function shell(
  kernel: Connection,
  msgType: string,
  content: object,
  subshellId: string | null,
  expectReply: boolean,
) {
  const { username, clientId: session } = kernel;
  const own = subshellId === null ? {} : { subshellId };
  const options = { msgType, channel: "shell", username, session, content, ...own };
  const message = KernelMessage.createMessage(options as never) as unknown as Shell;
  const future = kernel.sendShellMessage(message, expectReply, true);
  // A restart cancels what is under way; that is noticed elsewhere.
  future.done.catch(() => undefined);
  return future;
}
