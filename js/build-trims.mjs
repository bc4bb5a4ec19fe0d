/** Leaves out of the bundles what nobody uses: comments of stylesheets, parts of uPlot. */
import { readFileSync } from "node:fs";

/** Stylesheets, which stand in template strings. */
const STYLES = /[\\/](?:[\w-]*-)?styles?(?:-[\w-]+)?\.ts$/;
/** uPlot's own title and legend, which no chart has. */
const LEGEND = /\.u-(?:legend|inline|series|title)[^{}]*\{[^}]*\}/g;
/** Ways to draw a line that uPlot offers and no chart asks for: `charts/trace.ts` draws. */
const PATHS = /\(paths\.(?:linear|stepped|bars|spline) *= \w+\);/g;

/** What stands between quotes stays as it is. */
export function shortened(css) {
  return css
    .replace(/"(?:[^"\\]|\\.)*"|\/\*[\s\S]*?\*\/|\s+/g, (part) => {
      return part.startsWith('"') ? part : part.startsWith("/*") ? "" : " ";
    })
    .replace(/"(?:[^"\\]|\\.)*"| ?([{};,>]) ?/g, (part, mark) => mark ?? part)
    .replaceAll(";}", "}");
}

function without(text, what, count) {
  const found = text.match(what)?.length ?? 0;
  if (found !== count) throw new Error(`uPlot is another: ${what} is there ${found} times`);
  return text.replace(what, "");
}

export const trims = {
  name: "trims",
  setup(build) {
    const on = (filter, loader, trim) =>
      build.onLoad({ filter }, ({ path }) => ({
        contents: trim(readFileSync(path, "utf8")),
        loader,
      }));
    on(STYLES, "ts", (text) => text.replace(/`([^`]*)`/g, (_, css) => `\`${shortened(css)}\``));
    on(/uPlot\.min\.css$/, "text", (css) => shortened(without(css, LEGEND, 13)));
    on(/uPlot\.esm\.js$/, "js", (text) => without(text, PATHS, 4));
  },
};
