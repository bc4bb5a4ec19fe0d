/**
 * The styles of the status line and of the cell marks. Colours are those of JupyterLab's theme, and
 * that of alarms is the dashboard's.
 */

import { h } from "../../core/dom";

const CSS = `
.pulse-shell-status {
  display: flex; align-items: center; gap: 4px; height: 100%; padding: 0 4px; border: 0;
  background: none; color: inherit; font: inherit; white-space: nowrap; cursor: pointer;
  font-variant-numeric: tabular-nums; max-width: 60vw; overflow: hidden;
}
.pulse-shell-status > span:last-child { overflow: hidden; text-overflow: ellipsis; }
.pulse-shell-status:hover { background: var(--jp-layout-color3); }
.pulse-shell-status:focus-visible { outline: 2px solid var(--jp-brand-color1); outline-offset: -2px; }
.pulse-shell-status svg { display: block; }
.pulse-shell-alarm { margin-right: 6px; color: #a8480a; font-weight: 600; }
[data-jp-theme-light="false"] .pulse-shell-alarm { color: #f2a65a; }
.pulse-shell-alarm:empty { display: none; }
[data-pulse-mark] { overflow: visible; position: relative; }
[data-pulse-mark]::after {
  content: attr(data-pulse-mark); position: absolute; top: 20px; right: 2px; white-space: pre;
  font-size: 9px; line-height: 11px; color: var(--jp-ui-font-color0);
  font-family: var(--jp-ui-font-family); font-variant-numeric: tabular-nums; cursor: pointer;
}
[data-pulse-mark]:hover::after { text-decoration: underline; }
.pulse-shell-flash { outline: 2px solid var(--jp-brand-color1); outline-offset: -2px; animation: pulse-shell-flash 1.6s ease-out; }
@keyframes pulse-shell-flash {
  0%, 60% { background-color: var(--jp-brand-color3); outline-color: var(--jp-brand-color1); }
  100% { background-color: transparent; outline-color: transparent; }
}
@media (prefers-reduced-motion: reduce) { .pulse-shell-flash { animation: none; } }
[data-pulse-mark].pulse-shell-failed::after { color: var(--jp-error-color0, #a8480a); font-weight: 600; }
[data-pulse-mark].pulse-shell-edited::after { opacity: 0.6; font-style: italic; }
`;

let isAdded = false;

export function addStyles(): void {
  if (isAdded) return;
  isAdded = true;
  document.head.append(h("style", { "data-pulse": "shell" }, CSS));
}
