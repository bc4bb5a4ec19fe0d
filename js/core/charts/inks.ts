/** How strong each line of a chart is: alone, among others, and behind the one that is lifted. */

import { lineColor, lineDash } from "../vocabulary/palette";
import type { Line } from "./groups";
import type { Scene } from "./panel-view";
import type { Ink } from "./trace";

/** Opacity of the band of a lone line; many bands over one another are paler. */
const BAND = 0.3;
/** Opacity of a line behind the one that matters. */
export const PALE = 0.35;

/** How the lines are painted. */
export function inksOf(
  lines: readonly Line[],
  scene: Pick<Scene, "hidden" | "lifted" | "theme">,
  stepped: boolean,
): Ink[] {
  const ratio = globalThis.devicePixelRatio || 1;
  const shown = lines.filter((line) => !scene.hidden.has(line.key)).length;
  const band = BAND / Math.sqrt(Math.max(shown, 1));
  const isLifted = (key: string) => key === scene.lifted && !scene.hidden.has(key);
  const hasLifted = lines.some(({ key }) => isLifted(key));
  return lines.map(({ color, key }) => {
    const lifted = isLifted(key);
    const pale = hasLifted && !lifted ? PALE : 1;
    return {
      color: lineColor(color, scene.theme.ground),
      dash: lineDash(color),
      line: pale,
      band: lifted ? BAND : band * pale,
      width: lifted ? 2 * ratio : 1,
      stepped,
    };
  });
}
