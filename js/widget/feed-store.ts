/** The live feeds of a page, each shared by all views of it. */

import type { AnyModel } from "@anywidget/types";
import { LiveStore } from "../core/history/live-store";
import { FeedChannel } from "./feed-channel";

export class FeedStore extends LiveStore {
  readonly feed: AnyModel;
  /** Why nothing can be shown: the two ends do not understand each other. Null when they do. */
  readonly problem: string | null;

  constructor(feed: AnyModel) {
    const channel = new FeedChannel(feed);
    super(channel);
    this.feed = feed;
    this.problem = channel.problem;
  }
}

const SOURCES = Symbol.for("pulse_widgets.sources");

type Page = Record<symbol, Map<string, FeedStore> | undefined>;

/**
 * The one source of a feed on this page. A kernel that restarted may give its new feed an id that
 * was there before, so the model itself is compared too.
 */
export function storeOf(feed: AnyModel, id: string): FeedStore {
  const page = globalThis as unknown as Page;
  page[SOURCES] ??= new Map();
  const sources = page[SOURCES];
  let source = sources.get(id);
  if (source?.feed !== feed) {
    for (const [key, one] of sources) if (one.abandoned) sources.delete(key);
    source = new FeedStore(feed);
    sources.set(id, source);
  }
  return source as FeedStore;
}
