/** The stylesheet of charts; the dashboard's own has the colours. */

export const CHART_STYLE = `
.pulse { --pulse-idle: rgb(70 84 100 / 6%); }
.pulse[data-ground="dark"] { --pulse-idle: rgb(160 176 196 / 7%); }
.pulse-chart { min-width: 0; contain: layout style; }
.pulse-chart > header {
  display: flex;
  align-items: baseline;
  gap: 8px;
  height: 16px;
  padding: 0 10px 0 2px;
  line-height: 16px;
}
.pulse .pulse-chart h4 { flex: 0 1 auto; min-width: 3em; font-weight: 500; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
/* A number cut short is another number: names give way, values never do. */
.pulse-whose { flex: 0 1 auto; min-width: 0; margin-left: auto; overflow: hidden; color: var(--line, var(--pulse-text-2)); text-overflow: ellipsis; white-space: nowrap; }
.pulse-unshown { flex: 0 1 auto; min-width: 0; overflow: hidden; color: var(--pulse-text-2); font-size: 11px; text-overflow: ellipsis; white-space: nowrap; }
.pulse-unshown:empty { display: none; }
.pulse-legend > .pulse-best { margin-left: auto; }
.pulse-now { flex: none; font-weight: 600; white-space: nowrap; }
.pulse-now i { margin: 0 4px; color: var(--pulse-text-2); font-style: normal; font-weight: 400; }
.pulse-plot { position: relative; min-height: 40px; touch-action: pan-y; user-select: none; }
.pulse .uplot { font-family: inherit; line-height: normal; width: auto; }
.pulse .u-over { cursor: crosshair; }
.pulse .u-select { background: var(--pulse-select); }
/* A hair: what it points at is the matter, not the line itself. */
.pulse .u-cursor-x { border-right: 1px solid var(--pulse-text-2); opacity: 0.5; }
.pulse-legend { display: flex; flex-wrap: wrap; align-items: center; gap: 0 6px; min-width: 0; min-height: 16px; padding: 0 10px 0 2px; color: var(--pulse-text-2); font-size: 11px; line-height: 16px; }
.pulse-chart > header > .pulse-legend { flex: 0 1 auto; flex-wrap: nowrap; padding: 0; font-size: inherit; }
.pulse .pulse-legend > span { flex: none; }
.pulse .pulse-legend button {
  display: flex;
  flex: 0 1 auto;
  align-items: center;
  gap: 4px;
  min-width: 18px;
  min-height: 16px;
  padding: 0 2px;
  border: 0;
  border-radius: 3px;
}
.pulse-legend svg { flex: none; width: 10px; height: 10px; }
.pulse-chart > header > .pulse-legend svg { display: none; }
.pulse-name { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pulse-chart > header > .pulse-legend .pulse-name { color: var(--line); }
.pulse-legend button[aria-pressed="false"] { opacity: 0.55; }
.pulse-legend button[aria-pressed="false"] .pulse-name { text-decoration: line-through; }
.pulse-legend button[aria-pressed="false"] svg { opacity: 0.35; }
/* The cards of the GPUs are the legend of all their charts. */
.pulse-layout-dashboard .pulse-chart[data-gpus] > .pulse-legend { display: none; }
.pulse-scale { display: flex; flex-wrap: wrap; justify-content: flex-end; align-items: center; gap: 6px; padding: 0 10px 0 2px; color: var(--pulse-text-2); font-size: 11px; line-height: 16px; }
.pulse-scale span { flex: none; white-space: nowrap; }
/* Names that are no numbers may be long: they wrap and are never cut. */
.pulse-scale .pulse-ends { flex: 1 0 auto; max-width: 100%; overflow-wrap: anywhere; white-space: normal; }
.pulse-ramp { flex: none; width: 64px; height: 6px; border-radius: 3px; }
.pulse-tip {
  position: absolute;
  z-index: 25;
  top: 0;
  left: 0;
  max-width: calc(100% - 8px);
  padding: 5px 8px 6px;
  border: 1px solid var(--pulse-line);
  border-radius: 5px;
  background: var(--pulse-surface);
  box-shadow: 0 3px 14px rgb(0 0 0 / 16%);
  font-size: 11px;
  line-height: 15px;
  pointer-events: none;
}
.pulse-tip-head { color: var(--pulse-text-2); }
.pulse-tip-line { display: grid; grid-template-columns: 8px 1fr auto; gap: 0 6px; align-items: center; }
.pulse-tip-line i { width: 8px; height: 3px; border-radius: 1px; }
.pulse-tip-line span { overflow-wrap: anywhere; }
.pulse-tip-line b { padding-left: 10px; font-weight: 600; text-align: right; white-space: nowrap; }
.pulse-tip-note { color: var(--pulse-text-2); overflow-wrap: anywhere; }
.pulse-tip-note.pulse-warn { color: var(--pulse-warn); }`;
