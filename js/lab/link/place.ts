/** Where a kernel is used. */

import type { Kernel, KernelMessage } from "@jupyterlab/services";
import type { ISignal } from "@lumino/signaling";

export type Message = KernelMessage.IMessage;

/** What is to be said of a place without a kernel that answers. */
export type Standing = "no kernel" | "starting" | "dead";

export interface Place {
  readonly name: string;
  /** The id of the Jupyter session; null without one. */
  readonly session: string | null;
  readonly kernel: Kernel.IKernelConnection | null;
  readonly standing: Standing | null;
  /** Any of it is another. */
  readonly changed: ISignal<Place, void>;
  /** All that the kernel tells its pages. */
  readonly heard: ISignal<Place, Message>;
  restart(): Promise<void>;
  /** Let the user choose a kernel. */
  chooseKernel(): Promise<void>;
  /** Execute code where the user sees it; null where there is no such place. */
  readonly run: ((code: string) => Promise<void>) | null;
  dispose(): void;
}
