/**
 * Bundles js/ with esbuild and holds the size budgets.
 *
 *   js/widget/dashboard-entry.ts  -> pulse_widgets/static/dashboard.js  (ESM, shipped once in Feed.code)
 *   js/widget/loader.ts           -> pulse_widgets/static/loader.js     (ESM, carried by every view)
 *   js/lab/plugin.ts              -> js/lib/plugin.js                   (input of build-lab.mjs)
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const STATIC = "pulse_widgets/static";
/** Largest allowed size of each output: as it is, and after gzip. */
const BUDGETS = {
  [`${STATIC}/loader.js`]: { raw: 1000 },
  [`${STATIC}/dashboard.js`]: { gzip: 120_000 },
  "js/lib/plugin.js": { gzip: 150_000 },
};

const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  logLevel: "warning",
  legalComments: "none",
  loader: { ".css": "text" },
};

rmSync(STATIC, { recursive: true, force: true });
rmSync("js/lib", { recursive: true, force: true });
mkdirSync(STATIC, { recursive: true });
await Promise.all([
  esbuild.build({
    ...common,
    minify: true,
    entryPoints: { dashboard: "js/widget/dashboard-entry.ts", loader: "js/widget/loader.ts" },
    outdir: STATIC,
  }),
  esbuild.build({
    ...common,
    minify: true,
    entryPoints: { plugin: "js/lab/plugin.ts" },
    outdir: "js/lib",
    external: ["@jupyterlab/*", "@lumino/*", "@jupyter-widgets/*"],
  }),
]);

let over = false;
for (const [path, budget] of Object.entries(BUDGETS)) {
  const bytes = readFileSync(path);
  const gzip = gzipSync(bytes, { level: 9 }).length;
  const fits = bytes.length <= (budget.raw ?? Infinity) && gzip <= (budget.gzip ?? Infinity);
  over ||= !fits;
  const limit = budget.raw ? `${budget.raw} B` : `${budget.gzip} B gzip`;
  console.log(
    `${path}  ${bytes.length} B, ${gzip} B gzip (limit ${limit})${fits ? "" : "  TOO BIG"}`,
  );
}
if (over) process.exit(1);
