/** Builds the development page into the folder given: `node js/dev/build.mjs /tmp/pulse-dev`. */
import { copyFileSync, mkdirSync } from "node:fs";
import * as esbuild from "esbuild";

const out = process.argv[2] ?? "build/dev";
mkdirSync(out, { recursive: true });
await esbuild.build({
  entryPoints: ["js/dev/dev.ts"],
  outfile: `${out}/dev.js`,
  bundle: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  minify: process.argv.includes("--minify"),
  sourcemap: "inline",
  logLevel: "warning",
  loader: { ".css": "text" },
});
copyFileSync("js/dev/index.html", `${out}/index.html`);
