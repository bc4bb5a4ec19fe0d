/** A kernel that was chosen and whose document is not open on this page. */

import type { Kernel, Session } from "@jupyterlab/services";
import { Signal } from "@lumino/signaling";
import type { Message, Place, Standing } from "./place";

export class SessionPlace implements Place {
  readonly changed: Signal<Place, void> = new Signal<Place, void>(this);
  readonly heard: Signal<Place, Message> = new Signal<Place, Message>(this);
  readonly run = null;
  readonly #connection: Session.ISessionConnection;

  constructor(connection: Session.ISessionConnection) {
    this.#connection = connection;
    connection.kernelChanged.connect(this.#change, this);
    connection.statusChanged.connect(this.#change, this);
    connection.propertyChanged.connect(this.#change, this);
    connection.disposed.connect(this.#change, this);
  }

  get name(): string {
    return this.#connection.name || this.#connection.path;
  }

  get session(): string | null {
    return this.#connection.id;
  }

  get kernel(): Kernel.IKernelConnection | null {
    return this.#connection.isDisposed ? null : this.#connection.kernel;
  }

  /** The session has ended, or this page has lost it. */
  get isOver(): boolean {
    return this.#connection.isDisposed;
  }

  get standing(): Standing | null {
    if (!this.kernel) return "no kernel";
    return this.kernel.status === "dead" ? "dead" : null;
  }

  async restart(): Promise<void> {
    await this.kernel?.restart();
  }

  async chooseKernel(): Promise<void> {}

  dispose(): void {
    Signal.clearData(this);
    // This ends the connection of this page, not the session.
    this.#connection.dispose();
  }

  #change(): void {
    this.changed.emit();
  }
}
