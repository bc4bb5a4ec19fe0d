/** A cell's view that has moved to the panel: the lab's end of `core/sidebar.ts`. */

import type { Movable, Sidebar } from "../../core/sidebar";
import type { IMonitors } from "../shared/monitors";

export class Moved implements Sidebar {
  readonly #monitors: IMonitors;
  readonly #reveal: () => void;
  readonly #listeners = new Set<() => void>();
  /** The view, and the Jupyter session it came from. */
  #view: { readonly view: Movable; readonly session: string | null } | null = null;

  constructor(monitors: IMonitors, reveal: () => void) {
    this.#monitors = monitors;
    this.#reveal = reveal;
    monitors.changed.connect(() => this.#look());
  }

  get feed(): string | null {
    return this.#view?.view.feed ?? null;
  }

  /** The view, while the kernel that it is of is followed. */
  get shown(): Movable | null {
    const { session } = this.#monitors.followed;
    return this.#view?.session === session ? (this.#view?.view ?? null) : null;
  }

  take(view: Movable): void {
    // The user has just clicked in the notebook of that view: it is the active one.
    this.#monitors.choose(null);
    this.#view = { view, session: this.#monitors.followed.session };
    this.#reveal();
    this.#tell();
  }

  reveal(): void {
    // The user is in the notebook of that view: it is the active one.
    if (this.#view) this.#monitors.choose(null);
    this.#reveal();
  }

  giveBack(): void {
    if (!this.#view) return;
    this.#view = null;
    this.#tell();
  }

  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Another session runs in that kernel: the view is of one that is no longer shown here. */
  #look(): void {
    const { session, status } = this.#monitors.followed;
    const feed = status?.session?.feed ?? null;
    if (this.#view?.session !== session || feed === null || feed === this.feed) return;
    this.giveBack();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
