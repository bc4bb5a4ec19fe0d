/** A model as anywidget hands it to us, for tests. */

import type { AnyModel } from "@anywidget/types";

type Listener = (message: unknown, buffers: readonly DataView[]) => void;

export class FakeModel {
  comm_live = true;
  readonly sent: Record<string, unknown>[] = [];
  readonly #listeners: Listener[] = [];
  readonly #onComm: (() => void)[] = [];
  readonly #onChange = new Map<string, (() => void)[]>();
  readonly #traits: Record<string, unknown>;
  readonly #models: ReadonlyMap<string, FakeModel>;

  constructor(
    traits: Readonly<Record<string, unknown>>,
    models: ReadonlyMap<string, FakeModel> = new Map(),
  ) {
    this.#traits = { ...traits };
    this.#models = models;
  }

  readonly widget_manager = {
    get_model: async (id: string): Promise<AnyModel> => {
      const model = this.#models.get(id);
      if (!model) throw new Error("widget model not found");
      return model.asModel();
    },
  };

  get(name: string): unknown {
    return this.#traits[name];
  }

  send(message: Record<string, unknown>): void {
    this.sent.push(message);
  }

  on(event: string, listener: Listener & (() => void)): void {
    if (event === "msg:custom") this.#listeners.push(listener);
    if (event === "comm_live_update") this.#onComm.push(listener);
    if (event.startsWith("change:")) {
      this.#onChange.set(event, [...(this.#onChange.get(event) ?? []), listener]);
    }
  }

  off(event: string, listener: Listener & (() => void)): void {
    const drop = (all: unknown[]) =>
      all.splice(0, all.length, ...all.filter((one) => one !== listener));
    if (event === "msg:custom") drop(this.#listeners);
    if (event === "comm_live_update") drop(this.#onComm);
    drop(this.#onChange.get(event) ?? []);
  }

  /** The kernel sends a message without buffers. */
  say(message: Record<string, unknown>): void {
    for (const listener of this.#listeners) listener(message, []);
  }

  /** The kernel sets a trait. */
  change(name: string, value: unknown): void {
    this.#traits[name] = value;
    for (const listener of this.#onChange.get(`change:${name}`) ?? []) listener();
  }

  /** What a widget manager does when the kernel restarts. */
  disconnect(): void {
    this.comm_live = false;
    for (const listener of this.#onComm) listener();
  }

  /** Deliver a packet as Jupyter does: as a view that starts anywhere in a larger buffer. */
  deliver(packet: Uint8Array): void {
    const buffer = new Uint8Array(packet.length + 5);
    buffer.set(packet, 5);
    for (const listener of this.#listeners) {
      listener({ kind: "packet" }, [new DataView(buffer.buffer, 5)]);
    }
  }

  asModel(): AnyModel {
    return this as unknown as AnyModel;
  }
}
