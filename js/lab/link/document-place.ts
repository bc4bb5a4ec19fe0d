/** A kernel that is used in an open notebook or console. */

import { type ISessionContext, SessionContextDialogs } from "@jupyterlab/apputils";
import type { ConsolePanel } from "@jupyterlab/console";
import { NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";
import type { Kernel } from "@jupyterlab/services";
import type { ITranslator } from "@jupyterlab/translation";
import { Signal } from "@lumino/signaling";
import type { Message, Place, Standing } from "./place";

export type Document = NotebookPanel | ConsolePanel;

const COMING: readonly string[] = ["initializing", "starting", "restarting", "connecting"];

export class DocumentPlace implements Place {
  readonly widget: Document;
  readonly changed: Signal<Place, void> = new Signal<Place, void>(this);
  readonly heard: Signal<Place, Message> = new Signal<Place, Message>(this);
  readonly #translator: ITranslator;

  constructor(widget: Document, translator: ITranslator) {
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
    // A document that closes lets go of its kernel, which may live on.
    if (!this.#context.isDisposed) this.changed.emit();
  }

  #hear(_: unknown, message: Message): void {
    this.heard.emit(message);
  }
}
