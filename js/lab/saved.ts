/**
 * Shows saved Pulse outputs wherever no notebook does: in Voila, which has no notebooks, and in
 * the other places that draw outputs. A module of its own, because a host without the packages
 * that the rest of the extension needs cannot load that.
 */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { rendererFactory } from "./outputs/replay-output";

const extension: IRenderMime.IExtension = {
  id: "pulse-widgets:saved",
  rendererFactory: rendererFactory(null),
  rank: 0,
};

export default extension;
