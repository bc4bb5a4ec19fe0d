/** What the panel needs of the page, as JupyterLab has it. */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import { Clipboard, Dialog, showDialog } from "@jupyterlab/apputils";
import { PageConfig, PathExt } from "@jupyterlab/coreutils";
import type { IDefaultFileBrowser } from "@jupyterlab/filebrowser";
import type { TranslationBundle } from "@jupyterlab/translation";
import { deleteIcon, editIcon, folderIcon, refreshIcon } from "@jupyterlab/ui-components";
import type { IViewer } from "../shared/monitors";
import { isRecording } from "../shared/server-files";
import type { Filed, Host, IconName } from "./host";

const ICONS = { rename: editIcon, delete: deleteIcon, folder: folderIcon, refresh: refreshIcon };
const SHOW = "filebrowser:go-to-path";

export function labHost(
  app: JupyterFrontEnd,
  browser: IDefaultFileBrowser | null,
  viewer: IViewer | null,
  trans: TranslationBundle,
): Host {
  const { contents } = app.serviceManager;
  return {
    root: PageConfig.getOption("serverRoot"),
    open: viewer
      ? (where) =>
          "file" in where
            ? viewer.openFile(where.file)
            : viewer.openInKernel(where.path, where.title)
      : null,
    get show() {
      if (!app.commands.hasCommand(SHOW)) return null;
      return (path: string) => void app.commands.execute(SHOW, { path });
    },
    launcher: () => void app.commands.execute("launcher:create"),
    confirm: async (title, body, label) => {
      const buttons = [
        Dialog.cancelButton({ label: trans.__("Cancel") }),
        Dialog.warnButton({ label }),
      ];
      return (await showDialog({ title, body, buttons })).button.accept;
    },
    list: async () => {
      const folder = browser?.model.path ?? "";
      const { content } = await contents.get(folder, { content: true });
      return (content as readonly Model[]).filter(({ name }) => isRecording(name)).map(filed);
    },
    rename: async (path, name) => {
      const drive = contents.driveName(path);
      const target = PathExt.join(PathExt.dirname(contents.localPath(path)), name);
      await contents.rename(path, drive === "" ? target : `${drive}:${target}`);
    },
    remove: (path) => contents.delete(path),
    icon: (name: IconName) => ICONS[name].element({ width: "14px", height: "14px" }),
    copy: async (text) => Clipboard.copyToSystem(text),
  };
}

interface Model {
  readonly name: string;
  readonly path: string;
  readonly type: string;
  readonly last_modified?: string;
  readonly size?: number | null;
}

function filed({ name, path, type, last_modified, size }: Model): Filed {
  const changed = Date.parse(last_modified ?? "") / 1000;
  return {
    ...{ name, path, bytes: size ?? null, isFolder: type === "directory" },
    changed: Number.isFinite(changed) ? changed : null,
  };
}
