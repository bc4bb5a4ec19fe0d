/** The element of a dashboard, with its styles: a host may render in a shadow root. */

import { PLOT_STYLE } from "../charts/chart";
import { h } from "../dom";
import { STYLE } from "./styles";
import type { Manner } from "./surroundings";

export function rootOf(layout: Manner["layout"], ...content: readonly HTMLElement[]): HTMLElement {
  const root = h("div", {
    class: `pulse pulse-layout-${layout}`,
    tabindex: "0",
    role: "region",
    "aria-label": "Pulse monitor",
    // JupyterLab would take single letters for its own while focus is in here.
    "data-lm-suppress-shortcuts": "true",
  });
  root.append(h("style", {}, PLOT_STYLE, STYLE), ...content);
  return root;
}
