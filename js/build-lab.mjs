/** Federates js/lib/{plugin,saved}.js into pulse_widgets/labextension, stale files removed first. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

/** Types are those of this JupyterLab; it runs in all from `OLDEST` on. */
const CORE = "node_modules/@jupyterlab/core-meta/core.package.json";
const OLDEST = "4.4";
/** The same with the ranges that fit. */
const RANGES = "js/lib/core.package.json";

// The builder reads `dependencies` without asking whether it is there, and npm drops an empty one
// whenever it saves a package.
if (!JSON.parse(readFileSync("package.json", "utf8")).dependencies) {
  console.error('package.json needs the entry "dependencies": {}');
  process.exit(1);
}
const core = JSON.parse(readFileSync(CORE, "utf8"));
core.resolutions = widened({ ...core.dependencies, ...core.resolutions });
writeFileSync(RANGES, JSON.stringify(core));
rmSync("pulse_widgets/labextension", { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  ["node_modules/@jupyter/builder/lib/build-labextension.js", "--core-package-file", RANGES, "."],
  { stdio: "inherit" },
);
process.exit(status ?? 1);

/**
 * The ranges of JupyterLab's own packages, from those of the oldest one on: with the newest alone
 * an older JupyterLab warns of each in the console. Each package has numbers of its own, which all
 * go up in step with JupyterLab's.
 */
function widened(ranges) {
  const steps = minorOf(ranges["@jupyterlab/application"]) - minorOf(OLDEST);
  const own = Object.entries(ranges).filter(([name]) => name.startsWith("@jupyterlab/"));
  const lower = own.map(([name, range]) => {
    const [major] = range.match(/\d+/);
    return [name, `^${major}.${minorOf(range) - steps}.0`];
  });
  return { ...ranges, ...Object.fromEntries(lower) };
}

function minorOf(range) {
  return Number(range.match(/\d+\.(\d+)/)[1]);
}
