/** Leaves out of the bundles what nobody uses: comments of stylesheets, parts of uPlot. */
import { readFileSync } from "node:fs";

/** Stylesheets, which stand in template strings. */
const STYLES = /[\\/](?:[\w-]*-)?styles?(?:-[\w-]+)?\.ts$/;
/** uPlot's own title and legend, which no chart has. */
const LEGEND = /\.u-(?:legend|inline|series|title)[^{}]*\{[^}]*\}/g;
/**
 * What uPlot offers and no chart asks for, how often it is there, and what takes its place: ways to
 * draw a line (`charts/trace.ts` draws), legends, words for times (`xText` has them), formats of
 * others. What nothing uses then is left out.
 */
const UNUSED = [
  [/\(paths\.(?:linear|stepped|bars|spline) *= \w+\);/g, 4, ""],
  [/const showLegend = legend\.show;/g, 1, "const showLegend = false;"],
  [/(const _time(?:AxisVals|SeriesVal) *=)[^;]*;/g, 2, "$1 0;"],
  [/(s\.(?:value|label) *=) [^;]*;/g, 2, "$1 0;"],
  [/(?<=isTime \? )\(\s*\/\/ config array[\s\S]*?_timeAxisVals\s*\)/g, 1, "av"],
  [/(const _timeAxisStamps =) \[[\s\S]*?\n\t\];/g, 1, "$1 0;"],
  [/const \[ timeIncrsMs,[^;]*;/g, 1, "const timeIncrsMs = 0, timeAxisSplitsMs = 0;"],
  [/const ms = opts\.ms \|\| 1e-3;/g, 1, "const ms = 1e-3;"],
  [/((?:const|let) mode =) (?:u|self)\.mode;/g, 3, "$1 1;"],
  [/uPlot\.(?:assign|\w*fmt\w+|range\w+|orient|join|tzDate|addGap|clipGaps) *= \w+;/g, 11, ""],
];

/** What stands between quotes stays as it is. */
export function shortened(css) {
  return css
    .replace(/"(?:[^"\\]|\\.)*"|\/\*[\s\S]*?\*\/|\s+/g, (part) => {
      return part.startsWith('"') ? part : part.startsWith("/*") ? "" : " ";
    })
    .replace(/"(?:[^"\\]|\\.)*"| ?([{};,>]) ?/g, (part, mark) => mark ?? part)
    .replaceAll(";}", "}");
}

function without(text, [what, count, instead]) {
  const found = text.match(what)?.length ?? 0;
  if (found !== count) throw new Error(`uPlot is another: ${what} is there ${found} times`);
  return text.replace(what, instead);
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
    on(/uPlot\.min\.css$/, "text", (css) => shortened(without(css, [LEGEND, 13, ""])));
    on(/uPlot\.esm\.js$/, "js", (text) => UNUSED.reduce(without, text));
  },
};
