/** Keeps the text twins of charts up to date; seldom, because they are read slowly. */

import type { Scene, View } from "../charts/panel-view";

const DESCRIBE_MS = 5000;
/** So many are updated in one go. */
const MOST = 4;

export class Twins {
  readonly #written = new WeakMap<View, number>();

  /** Update those that waited longest; updating all at once would be noticeable. */
  write(views: readonly View[], sceneOf: (view: View) => Scene, most = MOST): void {
    const now = performance.now();
    const due = views
      .map((view) => ({ view, since: this.#written.get(view) ?? Number.NEGATIVE_INFINITY }))
      .filter(({ since }) => now - since > DESCRIBE_MS)
      .sort((a, b) => a.since - b.since);
    for (const { view } of due.slice(0, most)) {
      this.#written.set(view, now);
      view.describe(sceneOf(view));
    }
  }
}
