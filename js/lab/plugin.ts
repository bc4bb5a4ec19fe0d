/** The JupyterLab extension: its parts, each a plugin of its own that users may switch off. */

import monitors from "./link/plugin";
import outputs from "./outputs/plugin";
import panel from "./panel/plugin";
import shell from "./shell/plugins";
import viewer from "./viewer/plugin";

export default [outputs, monitors, panel, viewer, ...shell];
