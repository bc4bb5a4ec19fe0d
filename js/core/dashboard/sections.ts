/** Every section that has more than charts; nothing else lists them. */

import { USER_GROUP } from "../charts/panel-table";
import { OwnMetrics } from "./own-metrics";
import type { SectionContext, SectionExtras } from "./section-extras";

/** Title of a group to what makes its extras, once a view. */
export const SECTION_EXTRAS: ReadonlyMap<string, (context: SectionContext) => SectionExtras> =
  new Map([[USER_GROUP, (context: SectionContext) => new OwnMetrics(context)]]);
