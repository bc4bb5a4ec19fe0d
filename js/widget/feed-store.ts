/** The stores of the live feeds on a page: one a feed, shared by all its views. */

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
 * The one store of a feed on this page. After a restart a new feed may have an id that was used
 * before, so the model itself is compared too.
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
