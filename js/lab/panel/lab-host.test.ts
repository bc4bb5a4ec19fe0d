import { ContentsManager, ServerConnection } from "@jupyterlab/services";
import { nullTranslator } from "@jupyterlab/translation";
import { expect, test, vi } from "vitest";
import { labHost } from "./lab-host";

// What they draw with is for browsers.
vi.mock("@jupyterlab/apputils", () => ({ Clipboard: {}, Dialog: {}, showDialog: vi.fn() }));

vi.mock("@jupyterlab/ui-components", () => ({
  ...{ deleteIcon: {}, editIcon: {}, folderIcon: {}, refreshIcon: {} },
}));

/** The contents of a server with a drive besides its own, such as that of shared editing. */
function shown() {
  const contents = new ContentsManager({ serverSettings: ServerConnection.makeSettings() });
  contents.addDrive({
    ...{ name: "RTC", fileChanged: { connect: () => true } },
    ...{ serverSettings: ServerConnection.makeSettings() },
  } as never);
  const rename = vi.spyOn(contents, "rename").mockResolvedValue({} as never);
  const app = { serviceManager: { contents }, commands: { hasCommand: () => false } };
  const host = labHost(app as never, null, null, nullTranslator.load("pulse_widgets"));
  return { host, rename };
}

test.each([
  ["a", "b", "b"],
  ["runs/a", "b", "runs/b"],
  ["runs/deep/a", "b", "runs/deep/b"],
  ["RTC:a", "b", "RTC:b"],
  ["RTC:runs/a", "b", "RTC:runs/b"],
  // No drive: a name may have a colon.
  ["12:30", "b", "b"],
  ["day 1/12:30", "b", "day 1/b"],
])("%s, renamed to %s where it lies, is %s", async (path, name, target) => {
  const { host, rename } = shown();

  await host.rename(path, name);

  expect(rename.mock.calls).toEqual([[path, target]]);
});
