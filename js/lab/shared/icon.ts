/** The icon of everything that is Pulse in JupyterLab; its colour follows the theme. */

import { LabIcon } from "@jupyterlab/ui-components";

export const pulseIcon = new LabIcon({
  name: "pulse-widgets:pulse",
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    '<path class="jp-icon3" fill="none" stroke="#616161" stroke-width="2" ' +
    'stroke-linejoin="round" stroke-linecap="round" d="M2 12h5l3-8 4 16 3-8h5"/></svg>',
});
