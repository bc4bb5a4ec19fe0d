/** What a cell shows while its view is in the sidebar: one line, with a way back. */

import { followTheme } from "../charts/theme";
import { h } from "../dom";
import { STYLE } from "./styles";

/**
 * Write the line into `el`; the returned function takes it away again. It is of the class of a
 * dashboard: by that a host knows that the view lives.
 */
export function mountMovedLine(
  el: HTMLElement,
  bringBack: () => void,
  show: (() => void) | null = null,
): () => void {
  const button = (label: string, run: () => void) => {
    const made = h("button", { type: "button" }, label);
    made.addEventListener("click", run);
    return made;
  };
  // It may be closed, or show something else.
  const buttons = [
    ...(show ? [button("Show the sidebar", show)] : []),
    button("Bring it back", bringBack),
  ];
  const root = h(
    "div",
    {
      class: "pulse pulse-moved",
      role: "region",
      "aria-label": "Pulse monitor",
      // JupyterLab would take Enter on the button for its own.
      "data-lm-suppress-shortcuts": "true",
    },
    h("style", {}, STYLE),
    h("div", { class: "pulse-moved-line" }, h("span", {}, "Shown in the sidebar."), ...buttons),
  );
  el.append(root);
  const leaveTheme = followTheme(root, () => undefined);
  return () => {
    leaveTheme();
    root.remove();
  };
}
