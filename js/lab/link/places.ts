/** The open documents with kernels, and which of them the user works in. */

import { type ISignal, Signal } from "@lumino/signaling";
import type { Widget } from "@lumino/widgets";
import type { Place } from "./place";

export class Places {
  readonly #all = new Map<Widget, Place>();
  readonly #changed = new Signal<this, void>(this);
  #active: Place | null = null;

  has(widget: Widget): boolean {
    return this.#all.has(widget);
  }

  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  get all(): readonly Place[] {
    return [...this.#all.values()];
  }

  /** That of the document the user worked in last. */
  get active(): Place | null {
    return this.#active;
  }

  add(widget: Widget, place: Place): void {
    this.#all.set(widget, place);
    widget.disposed.connect(() => this.#remove(widget, place));
    this.#active ??= place;
    this.#changed.emit();
  }

  /** The user has turned to a widget; one without a kernel changes nothing. */
  activate(widget: Widget | null): void {
    const place = widget && this.#all.get(widget);
    if (!place || place === this.#active) return;
    this.#active = place;
    this.#changed.emit();
  }

  #remove(widget: Widget, place: Place): void {
    this.#all.delete(widget);
    place.dispose();
    if (this.#active === place) this.#active = this.all[this.#all.size - 1] ?? null;
    this.#changed.emit();
  }
}
