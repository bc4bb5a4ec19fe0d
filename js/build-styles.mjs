/** Takes comments and needless spaces out of the stylesheets, which stand in template strings. */
import { readFileSync } from "node:fs";

const STYLES = /[\\/](?:styles[\w-]*|own-styles|chart-style)\.ts$/;

/** uPlot's own title and legend, which no chart has. */
const UNUSED = /\.u-(?:legend|inline|series|title)[^{}]*\{[^}]*\}/g;

/** What stands between quotes stays as it is. */
export function shortened(css) {
  return css
    .replace(/"(?:[^"\\]|\\.)*"|\/\*[\s\S]*?\*\/|\s+/g, (part) => {
      return part.startsWith('"') ? part : part.startsWith("/*") ? "" : " ";
    })
    .replace(/"(?:[^"\\]|\\.)*"| ?([{};,>]) ?/g, (part, mark) => mark ?? part)
    .replaceAll(";}", "}");
}

export const styles = {
  name: "styles",
  setup(build) {
    build.onLoad({ filter: /uPlot\.min\.css$/ }, ({ path }) => ({
      contents: shortened(readFileSync(path, "utf8").replace(UNUSED, "")),
      loader: "text",
    }));
    build.onLoad({ filter: STYLES }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const contents = text.replace(/`([^`]*)`/g, (_, css) => `\`${shortened(css)}\``);
      return { contents, loader: "ts" };
    });
  },
};
