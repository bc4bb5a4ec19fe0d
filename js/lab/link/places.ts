/** Where kernels are used: open notebooks and consoles, and sessions that have no document here. */

import { type ISessionContext, SessionContextDialogs } from "@jupyterlab/apputils";
import type { ConsolePanel } from "@jupyterlab/console";
import { NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel, KernelMessage, Session } from "@jupyterlab/services";
import type { ITranslator } from "@jupyterlab/translation";
import { type ISignal, Signal } from "@lumino/signaling";
import type { Widget } from "@lumino/widgets";

type Message = KernelMessage.IMessage;

/** What is to be said of a place without a kernel that answers. */
export type Standing = "no kernel" | "starting" | "dead";

export interface Place {
  readonly name: string;
  /** The id of the Jupyter session; null without one. */
  readonly session: string | null;
  readonly kernel: Kernel.IKernelConnection | null;
  readonly standing: Standing | null;
  /** Any of it is another. */
  readonly changed: ISignal<Place, void>;
  /** All that the kernel tells its pages. */
  readonly heard: ISignal<Place, Message>;
  restart(): Promise<void>;
  /** Let the user choose a kernel. */
  chooseKernel(): Promise<void>;
  /** Execute code where the user sees it; null where there is no such place. */
  readonly run: ((code: string) => Promise<void>) | null;
  dispose(): void;
}

const COMING: readonly string[] = ["initializing", "starting", "restarting", "connecting"];

/** An open notebook or console. */
export class DocumentPlace implements Place {
  readonly widget: NotebookPanel | ConsolePanel;
  readonly changed: Signal<Place, void> = new Signal<Place, void>(this);
  readonly heard: Signal<Place, Message> = new Signal<Place, Message>(this);
  readonly #translator: ITranslator;

  constructor(widget: NotebookPanel | ConsolePanel, translator: ITranslator) {
    this.widget = widget;
    this.#translator = translator;
    const context = this.#context;
    context.kernelChanged.connect(this.#change, this);
    context.sessionChanged.connect(this.#change, this);
    context.statusChanged.connect(this.#change, this);
    context.propertyChanged.connect(this.#change, this);
    context.iopubMessage.connect(this.#hear, this);
  }

  get #context(): ISessionContext {
    return this.widget.sessionContext;
  }

  get name(): string {
    return this.widget.title.label || this.#context.name;
  }

  get session(): string | null {
    return this.#context.session?.id ?? null;
  }

  get kernel(): Kernel.IKernelConnection | null {
    return this.#context.session?.kernel ?? null;
  }

  get standing(): Standing | null {
    const { kernel } = this;
    if (kernel) return kernel.status === "dead" ? "dead" : null;
    return COMING.includes(this.#context.kernelDisplayStatus) ? "starting" : "no kernel";
  }

  async restart(): Promise<void> {
    await this.#context.restartKernel();
  }

  async chooseKernel(): Promise<void> {
    await new SessionContextDialogs({ translator: this.#translator }).selectKernel(this.#context);
  }

  readonly run = async (code: string): Promise<void> => {
    if ("console" in this.widget) {
      await this.widget.console.inject(code);
      return;
    }
    const { content } = this.widget;
    content.activeCellIndex = content.widgets.length - 1;
    NotebookActions.insertBelow(content);
    content.activeCell?.model.sharedModel.setSource(code);
    await NotebookActions.run(content, this.#context);
  };

  dispose(): void {
    const context = this.#context;
    context.kernelChanged.disconnect(this.#change, this);
    context.sessionChanged.disconnect(this.#change, this);
    context.statusChanged.disconnect(this.#change, this);
    context.propertyChanged.disconnect(this.#change, this);
    context.iopubMessage.disconnect(this.#hear, this);
    Signal.clearData(this);
  }

  #change(): void {
    this.changed.emit();
  }

  #hear(_: unknown, message: Message): void {
    this.heard.emit(message);
  }
}

/** A kernel that was chosen and whose document is not open on this page. */
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

/** The open documents with kernels, and which the user works in. */
export class Places {
  readonly #all = new Map<Widget, DocumentPlace>();
  readonly #changed = new Signal<this, void>(this);
  readonly #translator: ITranslator;
  #active: DocumentPlace | null = null;

  constructor(translator: ITranslator) {
    this.#translator = translator;
  }

  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  get all(): readonly DocumentPlace[] {
    return [...this.#all.values()];
  }

  /** That of the document the user worked in last. */
  get active(): DocumentPlace | null {
    return this.#active;
  }

  add(widget: NotebookPanel | ConsolePanel): void {
    if (this.#all.has(widget)) return;
    const place = new DocumentPlace(widget, this.#translator);
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

  #remove(widget: Widget, place: DocumentPlace): void {
    this.#all.delete(widget);
    place.dispose();
    if (this.#active === place) this.#active = this.all[this.#all.size - 1] ?? null;
    this.#changed.emit();
  }
}
