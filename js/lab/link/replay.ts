/** A recording that only a kernel can read. */

import type { Kernel } from "@jupyterlab/services";
import type { TranslationBundle } from "@jupyterlab/translation";
import { tryArrival } from "../../core/history/channel";
import { LiveStore } from "../../core/history/live-store";
import { ActionError } from "../shared/monitors";
import { LINK_VERSION, type ToPage } from "../shared/protocol";
import { type Call, call } from "./call";
import { LinkChannel } from "./link-channel";
import { refusalOf } from "./refusal";

/** @throws ActionError when the kernel cannot open it. */
export async function openReplay(
  kernel: Kernel.IKernelConnection,
  path: string,
  trans: TranslationBundle,
): Promise<{ store: LiveStore; dispose(): void }> {
  const hangUp = new AbortController();
  const channel = new LinkChannel();
  const store = new LiveStore(channel);
  let made: Call | null = null;
  channel.plug((request) => made?.send(request) ?? false);
  const opened = new Promise<void>((resolve, reject) => {
    const events = {
      message: (data: unknown, buffer: ArrayBuffer | ArrayBufferView | undefined) => {
        const message = data as ToPage;
        if (message.kind === "refused") reject(new ActionError(message.problem, message.remedy));
        const arrival = message.kind === "packet" && buffer ? tryArrival(buffer) : null;
        if (!arrival) return;
        channel.hear(arrival);
        resolve();
      },
      closed: () => reject(new ActionError(trans.__("The kernel has closed the recording."), "")),
    };
    const opening = { version: LINK_VERSION, replay: path };
    const taken = async () => {
      const { signal } = hangUp;
      made = await call(kernel, opening, events, { signal, disturbs: false });
      if (hangUp.signal.aborted) made?.hangUp();
      const refused = await made?.refused;
      if (!refused) return;
      const { problem, remedy } = refusalOf(refused, trans);
      reject(new ActionError(problem, remedy));
    };
    taken().catch(reject);
  });
  const end = () => {
    hangUp.abort();
    made?.hangUp();
  };
  try {
    await opened;
  } catch (problem) {
    end();
    throw problem;
  }
  const leave = store.attach();
  return {
    store,
    dispose: () => {
      leave();
      end();
    },
  };
}
