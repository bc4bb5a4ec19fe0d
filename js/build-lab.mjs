/** Federates js/lib/plugin.js into pulse_widgets/labextension, stale files removed first. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";

// The builder reads `dependencies` without asking whether it is there, and npm drops an empty one
// whenever it saves a package.
if (!JSON.parse(readFileSync("package.json", "utf8")).dependencies) {
  console.error('package.json needs the entry "dependencies": {}');
  process.exit(1);
}
rmSync("pulse_widgets/labextension", { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  [
    "node_modules/@jupyter/builder/lib/build-labextension.js",
    "--core-package-file",
    "node_modules/@jupyterlab/core-meta/core.package.json",
    ".",
  ],
  { stdio: "inherit" },
);
process.exit(status ?? 1);
