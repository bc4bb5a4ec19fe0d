/** What JupyterLab has to know to open recordings as documents. */

import {
  ABCWidgetFactory,
  Base64ModelFactory,
  type DocumentRegistry,
  DocumentWidget,
} from "@jupyterlab/docregistry";
import type { Contents } from "@jupyterlab/services";
import { pulseIcon } from "../shared/icon";
import type { Services } from "./lab-files";
import { FINISHED, folderOf, RUN } from "./names";
import { RecordingView } from "./view";

export const FACTORY = "Pulse Recording";
const FILE = "pulse-recording";
const RUNNING = "pulse-recording-running";
const MODEL = "pulse-recording-metadata";

/**
 * The contents API is asked what a file is, and not for its bytes: a large file would come whole,
 * as text. JupyterLab knows this by a format that is null.
 */
class MetadataModelFactory extends Base64ModelFactory {
  override get name(): string {
    return MODEL;
  }

  override get fileFormat(): Contents.FileFormat {
    return null;
  }
}

export interface Surround {
  readonly services: Services;
  openBeside(path: string): void;
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
    const { services, openBeside } = this.#around;
    const content: RecordingView = new RecordingView(services.trans, async (el) => {
      const { RecordingTab } = await import("./tab");
      const folder = folderOf(context.path);
      const hidden = () => document.hidden || !content.isVisible;
      return new RecordingTab(
        el,
        { path: folder ?? context.path, isFolder: folder !== null },
        { services, openBeside, hidden },
      );
    });
    context.fileChanged.connect(() => content.tellChanged());
    const widget = new DocumentWidget({ content, context });
    widget.toolbar.hide();
    const name = () => {
      const folder = folderOf(services.contents.localPath(context.path));
      // Every running recording has a file of that name: the folder's tells them apart.
      if (folder) widget.title.label = folder.split("/").pop() ?? folder;
    };
    name();
    context.pathChanged.connect(name);
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
