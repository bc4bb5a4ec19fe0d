/**
 * Keeps the pictures of running sessions fresh in the notebook file, so that a notebook whose
 * kernel died shows the session as it was at the last save.
 */

import type { ICodeCellModel } from "@jupyterlab/cells";
import type { NotebookPanel } from "@jupyterlab/notebook";
import type { IOutputAreaModel } from "@jupyterlab/outputarea";
import { redactKeyframe } from "../core/redact";
import { REPLAY_MIME, readSaved, toBase64 } from "../core/saved";
import { decodePacket } from "../core/wire";

/** Pictures younger than this stay as they are. */
const OLD_S = 60;
/** A picture beyond this is too much for a notebook. */
const MOST_CHARACTERS = 200_000;

/** The newest keyframe of a feed that is shown on this page. */
export type Newest = (feed: string) => Uint8Array | null;

/** Before a notebook is saved, renew the pictures in it that are old. */
export function refreshOnSave(panel: NotebookPanel): void {
  panel.context.saveState.connect((_, state) => {
    if (state !== "started") return;
    for (const cell of panel.content.model?.cells ?? []) {
      if (cell.type === "code") refreshOutputs((cell as ICodeCellModel).outputs, newestOnPage);
    }
  });
}

export function refreshOutputs(outputs: IOutputAreaModel, newest: Newest): void {
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs.get(i).toJSON();
    const data = output["data"] as Record<string, unknown> | undefined;
    if (!data?.[REPLAY_MIME]) continue;
    try {
      const renewed = renew(data[REPLAY_MIME], newest);
      const whole = { ...output, data: { ...data, [REPLAY_MIME]: renewed } };
      // Set in place, so that the output is not drawn anew.
      if (renewed) outputs.set(i, whole as Parameters<IOutputAreaModel["set"]>[1]);
    } catch (problem) {
      console.warn("Pulse: a picture could not be renewed", problem);
    }
  }
}

function renew(stored: unknown, newest: Newest): Record<string, unknown> | null {
  const saved = readSaved(stored);
  const keyframe = saved.feed ? newest(saved.feed) : null;
  if (!keyframe || !(endOf(keyframe) - endOf(saved.keyframe) > OLD_S)) return null;
  const text = toBase64(redactKeyframe(keyframe));
  if (text.length > MOST_CHARACTERS) return null;
  return { ...(stored as Record<string, unknown>), keyframe: text };
}

/** The moment at which a keyframe ends, in unix seconds. */
function endOf(keyframe: Uint8Array): number {
  const packet = decodePacket(keyframe);
  return packet.kind === "keyframe" ? (packet.edges[packet.buckets] ?? Number.NaN) : Number.NaN;
}

type Page = Record<symbol, Map<string, { readonly keyframe: Uint8Array | null }> | undefined>;

/** The dashboard's own code, which may be of another version, keeps its sources there. */
export function newestOnPage(feed: string): Uint8Array | null {
  const page = globalThis as unknown as Page;
  return page[Symbol.for("pulse_widgets.sources")]?.get(feed)?.keyframe ?? null;
}
