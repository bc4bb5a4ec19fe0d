/** What JupyterLab has to know to open recordings as documents. */

import {
  ABCWidgetFactory,
  Base64ModelFactory,
  DocumentModel,
  type DocumentRegistry,
  DocumentWidget,
} from "@jupyterlab/docregistry";
import type { Contents } from "@jupyterlab/services";
import type { Widget } from "@lumino/widgets";
import { pulseIcon } from "../shared/icon";
import type { Services } from "./lab-files";
import { FINISHED, folderOf, RUN } from "./names";
import { RecordingView } from "./view";

export const FACTORY = "Pulse Recording";
const FILE = "pulse-recording";
const RUNNING = "pulse-recording-running";
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
  override createNew(options?: DocumentRegistry.IModelOptions<ISharedFile>): UnsavedModel {
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
  /** Open a document: beside all others, or in the place of one. */
  open(path: string, place: { readonly beside: true } | { readonly instead: Widget }): void;
}

type RecordingDocument = DocumentWidget<RecordingView>;

export class RecordingFactory extends ABCWidgetFactory<RecordingDocument> {
  readonly #around: Surround;

  constructor(around: Surround) {
    const { trans } = around.services;
    super({
      name: FACTORY,
      label: trans.__("Pulse Recording"),
      modelName: MODEL,
      fileTypes: [FILE, RUNNING],
      defaultFor: [FILE, RUNNING],
      readOnly: true,
      canStartKernel: false,
      preferKernel: false,
    });
    this.#around = around;
  }

  protected createNewWidget(context: DocumentRegistry.Context): RecordingDocument {
    const { services, open } = this.#around;
    const content: RecordingView = new RecordingView(services.trans, async (el) => {
      const { RecordingTab } = await import("./tab");
      const folder = folderOf(context.path);
      const hidden = () => document.hidden || !content.isVisible;
      return new RecordingTab(
        el,
        { path: folder ?? context.path, isFolder: folder !== null },
        {
          services,
          hidden,
          openBeside: (path) => open(path, { beside: true }),
          openInstead: (path) => open(path, { instead: widget }),
        },
      );
    });
    // There are none, and to ask for them makes a folder beside the file: a directory that is
    // finished could not be removed for it.
    context.listCheckpoints = () => Promise.resolve([]);
    context.fileChanged.connect(() => content.tellChanged());
    // Its label stays the name of the file: JupyterLab renames a file whose tab has another one.
    const widget = new DocumentWidget({ content, context });
    widget.title.icon = pulseIcon;
    widget.toolbar.hide();
    return widget;
  }
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
  registry.addModelFactory(new MetadataModelFactory());
  const factory = new RecordingFactory(around);
  // Its own types disagree on whether a property may be there and undefined.
  registry.addWidgetFactory(factory as unknown as DocumentRegistry.WidgetFactory);
  return factory;
}
