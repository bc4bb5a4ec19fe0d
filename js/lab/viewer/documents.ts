/** What JupyterLab has to know to open recordings as documents. */

import { showErrorMessage } from "@jupyterlab/apputils";
import {
  ABCWidgetFactory,
  Base64ModelFactory,
  DocumentModel,
  type DocumentRegistry,
  DocumentWidget,
} from "@jupyterlab/docregistry";
import type { Contents } from "@jupyterlab/services";
import { fileIcon } from "@jupyterlab/ui-components";
import { Signal } from "@lumino/signaling";
import type { Widget } from "@lumino/widgets";
import { pulseIcon } from "../shared/icon";
import type { Services } from "./lab-files";
import { FINISHED, folderOf, RUN } from "./names";
import type { Opened } from "./tab";
import { RecordingView, Shelf } from "./view";

export const FACTORY = "Pulse Recording";
const FILE = "pulse-recording";
const RUNNING = "pulse-recording-running";
/** Any Parquet file: a recording may have been given another name. It is opened so when asked to. */
const OTHER = "pulse-recording-other";
const MODEL = "pulse-recording-metadata";

/**
 * A document that JupyterLab neither saves nor makes a checkpoint of, which would be a copy of the
 * whole file beside it. It leaves alone what it believes that somebody else saves.
 */
class UnsavedModel extends DocumentModel {
  override get collaborative(): boolean {
    return true;
  }
}

/**
 * The contents API is asked what a file is, and not for its bytes: a large file would come whole,
 * as text. JupyterLab knows this by a format that is null.
 */
class MetadataModelFactory extends Base64ModelFactory {
  override createNew(options?: Parameters<Base64ModelFactory["createNew"]>[0]): UnsavedModel {
    return new UnsavedModel(options);
  }

  override get name(): string {
    return MODEL;
  }

  override get fileFormat(): Contents.FileFormat {
    return null;
  }
}

export interface Surround {
  readonly services: Services;
  /** All tabs of the last time are back. */
  readonly restored: Promise<unknown>;
  /** Open a document: beside all others, or in the place of one. */
  open(path: string, place: { readonly beside: true } | { readonly instead: Widget }): void;
}

type RecordingDocument = DocumentWidget<RecordingView>;

export class RecordingFactory extends ABCWidgetFactory<RecordingDocument> {
  readonly #around: Surround;
  readonly #shelf = new Shelf();

  constructor(around: Surround) {
    const { trans } = around.services;
    super({
      name: FACTORY,
      label: trans.__("Pulse Recording"),
      modelName: MODEL,
      fileTypes: [FILE, RUNNING, OTHER],
      defaultFor: [FILE, RUNNING],
      readOnly: true,
      canStartKernel: false,
      preferKernel: false,
    });
    this.#around = around;
  }

  protected createNewWidget(context: DocumentRegistry.Context): RecordingDocument {
    const { services, open, restored } = this.#around;
    const load = async (el: HTMLElement) => {
      const { RecordingTab } = await import("./tab");
      return new RecordingTab(el, openedBy(context.path), {
        services,
        hidden: () => document.hidden || !content.isVisible,
        openBeside: (path) => open(path, { beside: true }),
        openInstead: (path) => open(path, { instead: widget }),
      });
    };
    const content: RecordingView = new RecordingView(services.trans, load, this.#shelf, restored);
    // There are none, and to ask for them makes a folder beside the file: a directory that is
    // finished could not be removed for it.
    context.listCheckpoints = () => Promise.resolve([]);
    context.fileChanged.connect(() => content.tellChanged());
    context.pathChanged.connect((_, path) => content.tellMoved(openedBy(path)));
    const widget = new DocumentWidget({ content, context });
    widget.title.icon = pulseIcon;
    widget.toolbar.hide();
    labelByFolder(widget, services.trans);
    return widget;
  }
}

/** What a document shows: a file, or the folder around the description of a run. */
function openedBy(path: string): Opened {
  const folder = folderOf(path);
  return { path: folder ?? path, isFolder: folder !== null };
}

/**
 * Every running recording is opened by a file of the same name: in its tab stands the folder's.
 * JupyterLab renames a file whose tab gets another label. That is taken away; so is every other
 * way to rename this file, without which its folder is no recording.
 */
function labelByFolder(widget: DocumentWidget, trans: Services["trans"]): void {
  const { context, title } = widget;
  if (folderOf(context.localPath) === null) return;
  const refusal = trans.__("A recording is known by the name of this file, so it keeps it.");
  context.rename = () => showErrorMessage(trans.__("Rename"), refusal);
  Signal.disconnectBetween(title, widget);
  const label = () => {
    const folder = folderOf(context.localPath)?.split("/").pop();
    if (folder) title.label = folder;
  };
  label();
  context.pathChanged.connect(label);
}

/** Makes recordings known; they open in our viewer, whoever else opens Parquet files. */
export function addRecordings(registry: DocumentRegistry, around: Surround): RecordingFactory {
  const { trans } = around.services;
  const shared = { mimeTypes: [], contentType: "file", fileFormat: null, icon: pulseIcon } as const;
  registry.addFileType({
    ...shared,
    name: FILE,
    displayName: trans.__("Pulse Recording"),
    extensions: [FINISHED],
  });
  registry.addFileType({
    ...shared,
    name: RUNNING,
    displayName: trans.__("Pulse Recording (running)"),
    extensions: [],
    pattern: `^${RUN.replaceAll(".", "\\.")}$`,
  });
  registry.addFileType({
    ...shared,
    name: OTHER,
    displayName: trans.__("Parquet File"),
    extensions: [".parquet"],
    icon: fileIcon,
  });
  registry.addModelFactory(new MetadataModelFactory());
  const factory = new RecordingFactory(around);
  // Its own types disagree on whether a property may be there and undefined.
  registry.addWidgetFactory(factory as unknown as DocumentRegistry.WidgetFactory);
  return factory;
}
