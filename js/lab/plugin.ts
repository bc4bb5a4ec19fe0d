/** The JupyterLab extension: its parts, each a plugin of its own that users may switch off. */

import outputs from "./outputs/plugin";
import shell from "./shell/plugins";

export default [outputs, ...shell];
