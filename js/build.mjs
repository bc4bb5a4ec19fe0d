/**
 * Bundles js/ with esbuild and holds the size budgets.
 *
 *   js/widget/dashboard-entry.ts  -> pulse_widgets/static/dashboard.js  (ESM, shipped once in Feed.code)
 *   js/widget/loader.ts           -> pulse_widgets/static/loader.js     (ESM, carried by every view)
 *   js/lab/{plugin,saved}.ts      -> js/lib/*.js                        (input of build-lab.mjs)
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { minify } from "terser";
import { trims } from "./build-trims.mjs";

const STATIC = "pulse_widgets/static";
/** Largest allowed size of each output: as it is, and after gzip. */
const BUDGETS = {
  [`${STATIC}/loader.js`]: { raw: 1000 },
  [`${STATIC}/dashboard.js`]: { gzip: 120_000 },
};
/** The lab extension, all its parts together; those that are needed later are files of their own. */
const LAB_GZIP = 250_000;

const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  logLevel: "warning",
  legalComments: "none",
  loader: { ".css": "text" },
  plugins: [trims],
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
    entryPoints: { plugin: "js/lab/plugin.ts", saved: "js/lab/saved.ts" },
    outdir: "js/lib",
    splitting: true,
    external: ["@jupyterlab/*", "@lumino/*", "@jupyter-widgets/*"],
  }),
]);

// It travels with every live output: 5 kB less than esbuild alone makes of it.
const dashboard = `${STATIC}/dashboard.js`;
const options = { module: true, ecma: 2020, compress: { passes: 3 }, format: { comments: false } };
const { code } = await minify(readFileSync(dashboard, "utf8"), options);
writeFileSync(dashboard, code);

const sizesOf = (path) => {
  const bytes = readFileSync(path);
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
};
let over = false;
const report = (path, { raw, gzip }, budget) => {
  const fits = raw <= (budget.raw ?? Infinity) && gzip <= (budget.gzip ?? Infinity);
  over ||= !fits;
  const limit = budget.raw ? `${budget.raw} B` : `${budget.gzip} B gzip`;
  console.log(`${path}  ${raw} B, ${gzip} B gzip (limit ${limit})${fits ? "" : "  TOO BIG"}`);
};
for (const [path, budget] of Object.entries(BUDGETS)) report(path, sizesOf(path), budget);
const parts = readdirSync("js/lib").map((name) => sizesOf(`js/lib/${name}`));
const total = (size) => parts.reduce((sum, part) => sum + part[size], 0);
report(
  `js/lib, ${parts.length} files`,
  { raw: total("raw"), gzip: total("gzip") },
  { gzip: LAB_GZIP },
);
if (over) process.exit(1);
