/** The dashboard's stylesheet. It follows JupyterLab's colours where there are any. */

import { OUTPUT_STYLE } from "./output-styles";
import { OWN_STYLE } from "./own-styles";
import { OVERVIEW, SECTIONS, TOOLBAR } from "./styles-board";
import { NARROW } from "./styles-narrow";

/** On the element in which a host draws a view. */
export const VIEW_CLASS = "pulse-view";

/**
 * A dashboard fits itself to its width and has none of its own; boxes of ipywidgets size what is
 * in them by its content. So it says how much it would like, and takes what there is. Not in the
 * element's own style, which ipywidgets writes and clears; what a user asks for is there, and wins.
 */
const HOST = `
.${VIEW_CLASS} { flex: 1 1 auto; width: 100%; min-width: min(300px, 100%); }
.pulse { contain-intrinsic-inline-size: 1000px; }`;

const TOKENS = `
.pulse {
  --pulse-surface: var(--jp-layout-color0, var(--vscode-editor-background, #fff));
  --pulse-soft: #f4f6f9;
  --pulse-text: #1c2733;
  --pulse-text-2: #586674;
  --pulse-line: #dfe5eb;
  --pulse-grid: #edf0f4;
  --pulse-accent: #0b62b5;
  --pulse-good: #10804f;
  --pulse-warn: #a8480a;
  --pulse-warn-soft: #fdf1e7;
  --pulse-bar: #0b62b5;
  --pulse-bar-2: #76aee2;
  --pulse-chip: #d9e6f4;
  --pulse-select: rgb(11 98 181 / 14%);
}
.pulse[data-ground="dark"] {
  --pulse-surface: var(--jp-layout-color0, var(--vscode-editor-background, #12161b));
  --pulse-soft: #1a2028;
  --pulse-text: #e5ebf1;
  --pulse-text-2: #98a6b4;
  --pulse-line: #2c3540;
  --pulse-grid: #222a33;
  --pulse-accent: #5aa9f2;
  --pulse-good: #3fca8e;
  --pulse-warn: #f2a65a;
  --pulse-warn-soft: #33230f;
  --pulse-bar: #4aa3f5;
  --pulse-bar-2: #2f6396;
  --pulse-chip: #24405c;
  --pulse-select: rgb(90 169 242 / 20%);
}`;

const FRAME = `
.pulse, .pulse * { box-sizing: border-box; }
.pulse {
  position: relative;
  container-type: inline-size;
  /* A host with little room asks for less. */
  padding: 4px var(--pulse-pad, 10px) 1px;
  color: var(--pulse-text);
  background: var(--pulse-surface);
  font-family: var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
  font-size: 12px;
  line-height: 1.4;
  font-variant-numeric: tabular-nums;
  text-align: left;
  outline: none;
}
.pulse [hidden] { display: none !important; }
/* Hosts style bare elements; description lists most of all, so there are none in here. */
.pulse :is(h3, h4, p) { margin: 0; padding: 0; font: inherit; color: inherit; }
.pulse :is(svg, canvas) { max-width: none; }
.pulse :is(button, summary) {
  font: inherit;
  color: inherit;
  cursor: pointer;
}
.pulse button {
  margin: 0;
  padding: 2px 9px;
  min-height: 24px;
  border: 1px solid var(--pulse-line);
  border-radius: 5px;
  background: none;
  white-space: nowrap;
}
.pulse button:hover { background: var(--pulse-soft); }
.pulse:focus-visible { box-shadow: 0 0 0 2px var(--pulse-accent); border-radius: 4px; }
.pulse :is(button, summary):focus-visible {
  outline: 2px solid var(--pulse-accent);
  outline-offset: 1px;
}
.pulse .pulse-sr {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
@media (prefers-reduced-motion: no-preference) {
  .pulse .pulse-bars i::after { transition: transform 0.2s ease-out; }
  .pulse button { transition: background 0.12s; }
}`;

const NOTES = `
.pulse-cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); gap: 6px 8px; }
.pulse-notices:not(:empty) { margin: 4px 0 6px; }
.pulse-ending:not(:empty) { margin-bottom: 8px; }
.pulse-layout-strip .pulse-ending { flex: 1 0 100%; margin: 2px 0 4px; }
.pulse-layout-strip .pulse-ending:empty { display: none; }
.pulse-card {
  padding: 5px 10px;
  border: 1px solid var(--pulse-line);
  border-left: 3px solid var(--pulse-text-2);
  border-radius: 5px;
  max-width: 78ch;
}
.pulse-card strong { font-weight: 600; }
.pulse .pulse-card p { margin-top: 2px; color: var(--pulse-text-2); white-space: pre-line; overflow-wrap: anywhere; }
.pulse .pulse-card .pulse-remedy { color: var(--pulse-text); }
.pulse code { padding: 0; border: 0; background: none; color: inherit; font: 0.95em ui-monospace, monospace; }
.pulse-fault { border-left-color: var(--pulse-warn); background: var(--pulse-warn-soft); }
.pulse .pulse-left-out { margin-top: 10px; color: var(--pulse-text-2); }
.pulse .pulse-waiting { padding: 10px 2px; color: var(--pulse-text-2); }
.pulse-absent, .pulse-alerts { color: var(--pulse-text-2); }
.pulse-alerts.pulse-loud > summary { color: var(--pulse-warn); font-weight: 600; }
:is(.pulse-absent, .pulse-alerts) summary { display: inline-block; list-style: none; }
:is(.pulse-absent, .pulse-alerts) summary::before { content: "+ "; }
:is(.pulse-absent, .pulse-alerts)[open] summary::before { content: "\\2212  "; }
.pulse-pairs { display: grid; grid-template-columns: minmax(90px, max-content) 1fr; gap: 3px 16px; }
.pulse-pairs b { color: var(--pulse-text); font-weight: 500; overflow-wrap: anywhere; }
.pulse-pairs span { color: var(--pulse-text-2); overflow-wrap: anywhere; }
:is(.pulse-absent, .pulse-alerts) .pulse-pairs { margin-top: 6px; }
.pulse-help {
  position: absolute;
  z-index: 30;
  top: 44px;
  right: 12px;
  width: min(340px, calc(100% - 24px));
  padding: 12px 14px;
  overflow: auto;
  border: 1px solid var(--pulse-line);
  border-radius: 7px;
  background: var(--pulse-surface);
  box-shadow: 0 6px 24px rgb(0 0 0 / 22%);
}
.pulse-help-head { display: flex; justify-content: space-between; align-items: center; margin-bottom: 8px; }
.pulse .pulse-help strong { font-weight: 600; }
.pulse-help .pulse-pairs b { font-weight: 600; }
.pulse-moved { padding: 3px 10px; }
.pulse-moved-line { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 10px; color: var(--pulse-text-2); }`;

export const STYLE: string = [
  HOST,
  TOKENS,
  FRAME,
  TOOLBAR,
  OVERVIEW,
  SECTIONS,
  NOTES,
  OWN_STYLE,
  OUTPUT_STYLE,
  NARROW,
].join("\n");
