/**
 * Keeps the pictures of running sessions fresh in the notebook file, so that a notebook whose
 * kernel died shows the session as it was at the last save.
 */

import type { ICodeCellModel } from "@jupyterlab/cells";
import type { NotebookPanel } from "@jupyterlab/notebook";
import type { IOutputAreaModel } from "@jupyterlab/outputarea";
import type { Ending } from "../../core/source";
import type { State } from "../../core/state.gen";
import { fitKeyframe, matchingKeyframe, stripKeyframe, stripSeries } from "../../core/still/fit";
import { type StillView, stillHtml } from "../../core/still/html";
import { inOrder } from "../../core/still/priorities";
import { redactKeyframe } from "../../core/still/redact";
import { REPLAY_MIME, readSaved, toBase64 } from "../../core/still/saved";
import { globTest } from "../../core/vocabulary/globs";
import { isDrawn } from "../../core/vocabulary/kinds";
import { LEFT_OUT_BYTES, leftOutSentence } from "../../core/vocabulary/left-out";
import { STRIP_BYTES } from "../../core/vocabulary/shared.gen";
import { decodePacket, type KeyframePacket } from "../../core/wire/packet";
import { WIDGET_MIME } from "./live-view";

/** Pictures younger than this stay as they are, if they show most of what there is. */
const OLD_S = 20;
/** A picture of less than this share of the time is renewed. */
const LEAST_SHARE = 0.5;
/** What a saved output may add to a notebook. */
const MOST_CHARACTERS = 200_000;
/** For the spaces and line ends that programs put between the parts of an output. */
const SPACES = 200;

/** A feed that is shown on this page, as its newest keyframe has it. */
interface Shown {
  readonly keyframe: Uint8Array;
  /** The newest that the kernel has redacted; null before any, and of versions without it. */
  readonly kept: Uint8Array | null;
  /** The session is over. */
  readonly stopped: boolean;
  /** How its kernel went, where that was its end. */
  readonly ended: Ending | null;
}

type Find = (feed: string) => Shown | null;

/** Before a notebook is saved, renew the pictures in it that are old. */
export function refreshOnSave(panel: NotebookPanel): void {
  panel.context.saveState.connect((_, state) => {
    if (state !== "started") return;
    for (const cell of panel.content.model?.cells ?? []) {
      if (cell.type === "code") refreshOutputs((cell as ICodeCellModel).outputs, shownOnPage);
    }
  });
}

export function refreshOutputs(outputs: IOutputAreaModel, find: Find): void {
  for (let i = 0; i < outputs.length; i++) {
    const output = outputs.get(i).toJSON();
    const data = output["data"] as Record<string, unknown> | undefined;
    if (!data?.[REPLAY_MIME]) continue;
    try {
      const renewed = renew(data, find);
      // Set in place, so that a live output is not drawn anew.
      if (renewed) outputs.set(i, { ...output, data: renewed } as Output);
    } catch (problem) {
      console.warn("Pulse: a picture could not be renewed", problem);
    }
  }
}

type Saved = ReturnType<typeof readSaved>;
type Output = Parameters<IOutputAreaModel["set"]>[1];
type Data = Readonly<Record<string, unknown>>;

function renew(data: Data, find: Find): Data | null {
  const saved = readSaved(data[REPLAY_MIME]);
  const shown = saved.feed === null ? null : find(saved.feed);
  if (!shown) return null;
  // The page does not know all names that a sentence may have, so it saves only what the kernel
  // has redacted: the keyframe it keeps for pages that open later, or else what is saved already.
  const newer = shown.kept && !(endOf(shown.kept) < endOf(saved.keyframe)) ? shown.kept : null;
  const old = newer !== null && isPoor(saved, newer);
  const picture = { keyframe: newer ?? saved.keyframe, ended: shown.ended };
  // The last one that is kept comes a moment after the page has heard of the end.
  const over = shown.stopped && (shown.ended !== null || saysStopped(picture.keyframe));
  if (!old && !over) return null;
  const { layout, metrics } = saved;
  if (!over) return fitted(data, { feed: saved.feed, layout, metrics }, picture);
  // The kernel replaces the output of a session that ended, but not after a reload of the page:
  // the connection from display id to output is lost then.
  const { [WIDGET_MIME]: _, ...rest } = data;
  return fitted(rest, { layout, metrics, ...(shown.ended && { ended: shown.ended }) }, picture);
}

/**
 * The data with both forms of the newest picture, together as small as an output has to be; null
 * where they cannot be that: then what is there stays, which is of one moment.
 */
function fitted(data: Data, about: StillView & Data, shown: Picture): Data | null {
  const { whole, html } = drawn(shown, about);
  const withText = (text: string, still: string) => ({
    ...data,
    [REPLAY_MIME]: { version: 1, ...about, keyframe: text },
    "text/html": still,
  });
  const most = about.layout === "strip" ? STRIP_BYTES : MOST_CHARACTERS;
  const room = Math.min(most, MOST_CHARACTERS - charactersOf(withText("", html)) - LEFT_OUT_BYTES);
  const kept = fittedOnce(whole, Math.floor(room / 4) * 3);
  const text = toBase64(kept);
  if (text.length > room) return null;
  const { state } = decodePacket(kept) as KeyframePacket;
  return withText(text, state && leftOutSentence(state) ? drawn(shown, about, state).html : html);
}

/** Finding what fits takes long: outputs with nearly as much room get the same. */
const ROOM_STEP = 3072;
const fits = new WeakMap<Uint8Array, Map<number, Uint8Array>>();

function fittedOnce(whole: Uint8Array, room: number): Uint8Array {
  if (whole.length <= room) return whole;
  const known = fits.get(whole) ?? new Map<number, Uint8Array>();
  fits.set(whole, known);
  const most = Math.floor(room / ROOM_STEP) * ROOM_STEP;
  const kept = known.get(most) ?? fitKeyframe(whole, most);
  known.set(most, kept);
  return kept;
}

type Picture = Pick<Shown, "keyframe" | "ended">;

interface Drawn {
  readonly whole: Uint8Array;
  readonly html: string;
}

/** A session may be shown in several outputs, and drawing takes a tenth of a second. */
const memory = new WeakMap<Uint8Array, Map<string, Drawn>>();

/** The part of a keyframe that a view shows, the same for all views that show the same. */
const parts = new WeakMap<Uint8Array, Map<string, Uint8Array>>();

function partOf(keyframe: Uint8Array, about: string, make: () => Uint8Array): Uint8Array {
  const known = parts.get(keyframe) ?? new Map<string, Uint8Array>();
  parts.set(keyframe, known);
  const part = known.get(about) ?? make();
  known.set(about, part);
  return part;
}

/** `state` is what the picture says, where that is not what the session said. */
function drawn(
  { keyframe, ended }: Picture,
  { layout, metrics }: StillView,
  state: State | null = null,
): Drawn {
  const pictures = memory.get(keyframe) ?? new Map<string, Drawn>();
  memory.set(keyframe, pictures);
  const view = JSON.stringify([ended, layout, metrics, state && leftOutSentence(state)]);
  let picture = pictures.get(view);
  if (!picture) {
    const all = partOf(keyframe, "all", () => redactKeyframe(keyframe));
    const figures = layout === "strip" && !metrics?.length;
    const whole = metrics?.length
      ? partOf(keyframe, JSON.stringify(metrics), () => matchingKeyframe(all, metrics))
      : figures
        ? partOf(keyframe, "strip", () => stripKeyframe(all))
        : all;
    // The picture of some metrics is made from all: a GPU has the colour it has among the others.
    const packet = decodePacket(figures ? whole : all) as KeyframePacket;
    const shown = state ? { ...packet, state } : packet;
    picture = { whole, html: stillHtml(shown, ended, { layout, metrics }) };
    pictures.set(view, picture);
  }
  return picture;
}

/** What data takes in a file, where every letter beyond ASCII may be written as six. */
function charactersOf(data: Data): number {
  const text = JSON.stringify(data);
  return text.length + 5 * text.replace(/[ -~]/g, "").length + SPACES;
}

function saysStopped(keyframe: Uint8Array): boolean {
  const packet = decodePacket(keyframe);
  return packet.kind === "keyframe" && packet.state?.phase === "stopped";
}

/** Whether a saved picture says much less than a newer keyframe: it is old, short, or lacks series. */
function isPoor({ keyframe, layout, metrics }: Saved, newer: Uint8Array): boolean {
  const [before, now] = [decodePacket(keyframe), decodePacket(newer)];
  if (before.kind !== "keyframe" || now.kind !== "keyframe") return false;
  const late = endOf(newer) - endOf(keyframe);
  if (late > OLD_S) return true;
  if (!(late > 0)) return false;
  if (lengthOf(before) < LEAST_SHARE * lengthOf(now)) return true;
  // What did not fit before does not fit now.
  if (before.state && leftOutSentence(before.state)) return false;
  const wanted = globTest(metrics);
  const shown = now.series.filter((one) => isDrawn(one) && wanted(one.metric));
  const ofView = layout === "strip" && !metrics?.length ? stripSeries(shown) : shown;
  const { groups, first } = inOrder(ofView);
  const known = new Set(before.ids);
  const read = new Set(now.ids);
  return groups.slice(0, first).some((g) => g.some(({ id }) => read.has(id) && !known.has(id)));
}

function lengthOf({ edges, buckets }: KeyframePacket): number {
  return (edges[buckets] ?? Number.NaN) - (edges[0] ?? Number.NaN);
}

/** The moment at which a keyframe ends, in unix seconds. */
function endOf(keyframe: Uint8Array): number {
  const packet = decodePacket(keyframe);
  return packet.kind === "keyframe" ? (packet.edges[packet.buckets] ?? Number.NaN) : Number.NaN;
}

/** What of a source may be relied on, whatever version it is of. */
interface PageSource {
  readonly keyframe: Uint8Array | null;
  readonly kept?: Uint8Array | null;
  state(): { readonly phase: string; readonly t0?: number };
  ended?(): Ending | null;
  end?(how: Ending): void;
}

type Page = Record<symbol, Map<string, PageSource> | undefined>;

/** The dashboard's own code, which may be of another version, keeps its sources there. */
export function shownOnPage(feed: string): Shown | null {
  const source = sourceOnPage(feed);
  if (!source?.keyframe) return null;
  const stopped = source.state().phase === "stopped";
  const { keyframe, kept = null } = source;
  return { keyframe, kept, stopped, ended: source.ended?.() ?? null };
}

/** When the session of a feed began; NaN while nothing of it is known. */
export function startOnPage(feed: string): number {
  return sourceOnPage(feed)?.state().t0 ?? Number.NaN;
}

/** Tell all views of a feed that its kernel has gone. */
export function endOnPage(feed: string, how: Ending): void {
  sourceOnPage(feed)?.end?.(how);
}

function sourceOnPage(feed: string): PageSource | undefined {
  const page = globalThis as unknown as Page;
  return page[Symbol.for("pulse_widgets.sources")]?.get(feed);
}
