/**
 * Renders a saved output: the stored picture at once, the live widget as soon as it exists, and in
 * between, while a cell is running, what arrives on the kernel connection.
 */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Panel, Widget } from "@lumino/widgets";
import { mountDashboard } from "../../core/dashboard/dashboard";
import type { Arrival } from "../../core/history/channel";
import type { Ending } from "../../core/source";
import {
  REPLAY_MIME,
  readSaved,
  type Saved,
  SavedStore,
  savedChannel,
} from "../../core/still/saved";
import { decodePacket } from "../../core/wire/packet";
import { KernelChannel } from "../kernel/kernel-channel";
import { onKernelEnd } from "../kernel/kernel-end";
import { findLiveView, type Host, onLeave, WIDGET_MIME } from "./live-view";
import { endOnPage, shownOnPage, startOnPage } from "./refresh";

/** The last frame of a session is waited for: so many looks, so many ms apart. */
const LAST_FRAME_LOOKS = 20;
const LAST_FRAME_MS = 100;
/** So long charts may take to be made. */
const MADE_ANEW_MS = 2000;

/** What makes the renderers; without a host they show only what was saved. */
export function rendererFactory(host: Host | null): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [REPLAY_MIME],
    createRenderer: () => new ReplayOutput(host),
  };
}

export class ReplayOutput extends Panel implements IRenderMime.IRenderer {
  readonly #host: Host | null;
  readonly #picture = new Widget();
  #store: SavedStore | null = null;
  #view: Pick<Saved, "layout" | "metrics"> = { layout: "dashboard", metrics: null };
  #unmount: () => void = () => undefined;
  /** The keyframe that is drawn. */
  #drawn = "";
  #live: Widget | null = null;
  /** Counts what was asked to be drawn: only the newest is. */
  #turn = 0;
  #modelId = "";
  #feed: string | null = null;
  #search: AbortController | null = null;
  #ear: KernelChannel | null = null;
  #stopWatching: () => void = () => undefined;

  constructor(host: Host | null) {
    super();
    this.#host = host;
    this.addClass("pulse-replay-output");
    this.addWidget(this.#picture);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const saved = this.#read(model);
    const modelId = model.trusted ? modelIdOf(model) : "";
    if (modelId !== "" && modelId === this.#modelId) return;
    const turn = ++this.#turn;
    if (saved && (await this.#knowsMore(saved))) return;
    if (turn !== this.#turn || this.isDisposed) return;
    this.#forgetLive();
    this.#modelId = modelId;
    this.#feed = saved?.feed ?? null;
    if (saved) this.#draw(saved);
    if (saved?.feed && this.#host) this.#listen(this.#host, saved.feed);
    if (modelId !== "" && this.#host) void this.#goLive(this.#host, model);
  }

  /**
   * Whether `saved` is the end of what is shown live: of that the page has more than a picture.
   * Its last frame comes another way and may be late, or never come.
   */
  async #knowsMore(saved: Saved): Promise<boolean> {
    const feed = this.#feed;
    if (this.#live === null || feed === null || saved.feed !== null) return false;
    if (startOf(saved) !== startOnPage(feed)) return false;
    for (let looks = 0; looks < LAST_FRAME_LOOKS; looks++) {
      if (this.#live === null || shownOnPage(feed)?.stopped) break;
      await new Promise((resolve) => setTimeout(resolve, LAST_FRAME_MS));
    }
    return this.#live !== null && shownOnPage(feed)?.stopped === true;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#forgetLive();
    this.#unmount();
    super.dispose();
  }

  #read(model: IRenderMime.IMimeModel): Saved | null {
    try {
      return readSaved(model.data[REPLAY_MIME]);
    } catch (problem) {
      this.#say(problem);
      return null;
    }
  }

  #say(problem: unknown): void {
    this.#unmount();
    this.#unmount = () => undefined;
    this.#store = null;
    this.#picture.node.textContent = `Pulse: ${(problem as Error).message}.`;
  }

  #draw(saved: Saved): void {
    if (saved.text === this.#drawn) return;
    try {
      const store = new SavedStore();
      // Before the keyframe: that is older than this end, and must not look like a sign of life.
      if (saved.ended) store.end(saved.ended);
      savedChannel(saved).subscribe({ hear: (arrival) => store.take(arrival) });
      this.#store = store;
      this.#view = { layout: saved.layout, metrics: saved.metrics };
      this.#mount();
      this.#drawn = saved.text;
    } catch (problem) {
      this.#say(problem);
    }
  }

  #mount(): void {
    if (!this.#store) return;
    this.#unmount();
    this.#picture.node.replaceChildren();
    this.#unmount = mountDashboard(this.#picture.node, this.#store, { ...this.#view, title: "" });
  }

  #listen(host: Host, feed: string): void {
    this.#ear = new KernelChannel(host.sessionContext, feed);
    this.#ear.subscribe({ hear: (arrival) => this.#hear(arrival) });
    this.#stopWatching = onKernelEnd(host.sessionContext, (how) => this.#end(feed, how));
  }

  #end(feed: string, how: Ending): void {
    endOnPage(feed, how);
    if (this.#store?.live) this.#store.end(how);
  }

  #hear(arrival: Arrival): void {
    const store = this.#store;
    if (!store) return;
    store.take(arrival);
    if (store.live || arrival.packet.kind === "rows") return;
    // The dashboard decides at its start whether it follows the present.
    store.live = true;
    this.#keepHeight();
    this.#mount();
  }

  /** What is below is not to jump while the charts are made anew. */
  #keepHeight(): void {
    const { style, offsetHeight } = this.#picture.node;
    style.minHeight = `${offsetHeight}px`;
    setTimeout(() => {
      style.minHeight = "";
    }, MADE_ANEW_MS);
  }

  async #goLive(host: Host, model: IRenderMime.IMimeModel): Promise<void> {
    const search = new AbortController();
    this.#search = search;
    const view = await findLiveView(this, host, model, search.signal);
    if (search.signal.aborted || !view) {
      view?.dispose();
      return;
    }
    this.#live = view;
    this.#ear?.dispose();
    this.#picture.hide();
    this.#unmount();
    view.show();
    onLeave(view, () => {
      view.hide();
      this.#showPicture();
    });
  }

  #forgetLive(): void {
    this.#search?.abort();
    this.#search = null;
    this.#ear?.dispose();
    this.#ear = null;
    this.#stopWatching();
    this.#live?.dispose();
    this.#live = null;
    this.#modelId = "";
    if (this.#picture.isHidden) this.#showPicture();
  }

  /** The widget has gone: show the session as it was last heard of. */
  #showPicture(): void {
    if (this.#store) this.#store.live = false;
    const newest = this.#feed === null ? null : shownOnPage(this.#feed);
    this.#picture.show();
    if (newest) {
      const { keyframe, ended } = newest;
      this.#draw({ feed: this.#feed, text: "", keyframe, ended, ...this.#view });
    } else this.#mount();
  }
}

/** When the session of a picture began: it tells the sessions of one kernel apart. */
function startOf(saved: Saved): number | undefined {
  try {
    const packet = decodePacket(saved.keyframe);
    return packet.kind === "keyframe" ? packet.state?.t0 : undefined;
  } catch {
    return undefined;
  }
}

function modelIdOf(model: IRenderMime.IMimeModel): string {
  const view = model.data[WIDGET_MIME] as { model_id?: unknown } | undefined;
  return typeof view?.model_id === "string" ? view.model_id : "";
}
