/** The icon of everything that is Pulse in JupyterLab; its colour follows the theme. */

import { LabIcon } from "@jupyterlab/ui-components";

/** The outline of a line: on a selected row JupyterLab changes the colour of areas, not of lines. */
const PULSE =
  "M2 11H6.31L9.06 3.65A1 1 0 0 1 10.97 3.76L14.19 16.64L16.06 11.65A1 1 0 0 1 17 11H22" +
  "A1 1 0 0 1 22 13H17.69L14.94 20.35A1 1 0 0 1 13.03 20.24L9.81 7.36L7.94 12.35" +
  "A1 1 0 0 1 7 13H2A1 1 0 0 1 2 11z";

export const pulseIcon = new LabIcon({
  name: "pulse-widgets:pulse",
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    `<path class="jp-icon3 jp-icon-selectable" fill="#616161" d="${PULSE}"/></svg>`,
});
