/** The dashboard's stylesheet. It follows JupyterLab's colours where there are any. */

const TOKENS = `
.pulse {
  --pulse-surface: var(--jp-layout-color0, #fff);
  --pulse-soft: #f4f6f9;
  --pulse-text: #1c2733;
  --pulse-text-2: #586674;
  --pulse-line: #dfe5eb;
  --pulse-grid: #edf0f4;
  --pulse-accent: #0b62b5;
  --pulse-good: #10804f;
  --pulse-warn: #a8480a;
  --pulse-warn-soft: #fdf3ea;
  --pulse-chip: #d9e6f4;
  --pulse-select: rgb(11 98 181 / 14%);
}
.pulse[data-ground="dark"] {
  --pulse-surface: var(--jp-layout-color0, #12161b);
  --pulse-soft: #1a2028;
  --pulse-text: #e5ebf1;
  --pulse-text-2: #98a6b4;
  --pulse-line: #2c3540;
  --pulse-grid: #222a33;
  --pulse-accent: #5aa9f2;
  --pulse-good: #3fca8e;
  --pulse-warn: #f2a65a;
  --pulse-warn-soft: #2c2218;
  --pulse-chip: #24405c;
  --pulse-select: rgb(90 169 242 / 20%);
}`;

const FRAME = `
.pulse, .pulse * { box-sizing: border-box; }
.pulse {
  position: relative;
  container-type: inline-size;
  padding: 10px 12px 12px;
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

const TOOLBAR = `
.pulse-toolbar {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 6px 16px;
  margin-bottom: 10px;
}
.pulse-name-row { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 10px; flex: 1 1 auto; min-width: 0; }
.pulse-status { display: inline-flex; align-items: center; gap: 6px; font-weight: 600; }
.pulse-status::before {
  content: "";
  width: 8px;
  height: 8px;
  border-radius: 50%;
  background: var(--pulse-good);
}
.pulse-toolbar[data-tone="held"] .pulse-status::before { background: var(--pulse-accent); border-radius: 1px; }
.pulse-toolbar[data-tone="past"] .pulse-status::before { background: none; border: 2px solid var(--pulse-text-2); }
.pulse-toolbar[data-tone="late"] .pulse-status { color: var(--pulse-warn); }
.pulse-toolbar[data-tone="late"] .pulse-status::before { background: var(--pulse-warn); }
.pulse-detail { color: var(--pulse-text-2); }
.pulse-title { font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 100%; }
.pulse-simulated {
  padding: 0 7px;
  border: 1px solid var(--pulse-warn);
  border-radius: 9px;
  color: var(--pulse-warn);
  font-size: 11px;
  font-weight: 600;
}
.pulse-controls { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; }
.pulse-segments { display: inline-flex; }
.pulse .pulse-segments button { border-radius: 0; margin-left: -1px; }
.pulse .pulse-segments button:first-child { border-radius: 5px 0 0 5px; margin-left: 0; }
.pulse .pulse-segments button:last-child { border-radius: 0 5px 5px 0; }
.pulse .pulse-controls button[aria-pressed="true"] {
  background: var(--pulse-chip);
  font-weight: 600;
}`;

const STRIP = `
.pulse .pulse-strip {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(max(144px, (100% - 126px) / 8), 1fr));
  gap: 10px 18px;
  padding: 9px 12px 10px;
  border-radius: 7px;
  background: var(--pulse-soft);
}
.pulse-figure { display: grid; grid-template-columns: minmax(0, 1fr) auto; column-gap: 8px; align-content: start; min-width: 0; }
.pulse-figure-label { color: var(--pulse-text-2); align-self: baseline; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
/* Of several hosts the name would leave no room for what it is about. */
.pulse-figure[data-host] .pulse-figure-label { overflow-wrap: anywhere; white-space: normal; }
.pulse .pulse-figure-value { font-size: 15px; font-weight: 600; line-height: 1.3; text-align: right; white-space: nowrap; }
.pulse .pulse-figure-note {
  grid-column: 1 / -1;
  order: 3;
  min-height: 1.4em;
  overflow: hidden;
  color: var(--pulse-text-2);
  font-size: 11px;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.pulse .pulse-bars { grid-column: 1 / -1; order: 2; display: grid; gap: 2px; margin: 3px 0 2px; min-height: 3px; }
.pulse-bars i { display: block; height: 3px; border-radius: 2px; background: var(--pulse-line); overflow: hidden; }
.pulse-bars i::after {
  content: "";
  display: block;
  height: 100%;
  border-radius: 2px;
  background: var(--pulse-accent);
  transform: scaleX(var(--share, 0));
  transform-origin: left;
}
.pulse-bars i + i::after { opacity: 0.55; }
.pulse-bars i.pulse-unknown { background: none; border-top: 1px dashed var(--pulse-text-2); }
.pulse-figure.pulse-warn :is(.pulse-figure-value, .pulse-figure-note) { color: var(--pulse-warn); }
.pulse-figure[data-figure="gpus"] { grid-column: span 2; }
@container (max-width: 420px) {
  .pulse.pulse .pulse-strip { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 10px 14px; }
}
/* Names above their numbers where the two have no room beside each other. */
@container (max-width: 350px) {
  .pulse-layout-dashboard .pulse-figure { grid-template-columns: minmax(0, 1fr); }
  .pulse.pulse-layout-dashboard .pulse-figure-value { text-align: left; }
}
@container (max-width: 260px) {
  .pulse.pulse .pulse-strip { grid-template-columns: minmax(0, 1fr); }
  .pulse-figure[data-figure="gpus"] { grid-column: auto; }
  .pulse .pulse-controls button { padding: 2px 5px; }
  .pulse-segments { flex-wrap: wrap; row-gap: 2px; max-width: 100%; }
}
@container (min-width: 200px) and (max-width: 260px) {
  .pulse-layout-dashboard .pulse-figure { grid-template-columns: minmax(0, 1fr) auto; }
  .pulse.pulse-layout-dashboard .pulse-figure-value { text-align: right; }
}
.pulse-layout-strip { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 20px; padding: 6px 10px; }
.pulse-layout-strip .pulse-toolbar { margin: 0; }
.pulse.pulse-layout-strip .pulse-strip { display: contents; }
.pulse-layout-strip .pulse-figure-label { flex: none; }
.pulse-layout-strip .pulse-figure { display: inline-flex; align-items: baseline; gap: 6px; min-width: 0; max-width: 100%; }
@container (max-width: 260px) {
  .pulse-layout-strip .pulse-figure { flex-wrap: wrap; column-gap: 6px; }
}
.pulse.pulse-layout-strip .pulse-figure-value { font-size: 13px; }
.pulse.pulse-layout-strip :is(.pulse-bars, .pulse-controls) { display: none; }
/* With more than two GPUs only their load has room; the rest is in their titles. */
.pulse.pulse-layout-strip .pulse-strip:has(> [data-figure^="gpu:2"]) .pulse-figure:not(.pulse-warn)[data-figure^="gpu:"] .pulse-figure-note { display: none; }
.pulse.pulse-layout-strip .pulse-figure:not(.pulse-warn):is([data-figure="cpu"], [data-figure="memory"], [data-figure="recording"], [data-figure="cost"]) .pulse-figure-note { display: none; }`;

const BOARD = `
.pulse-timeline { margin-top: 8px; }
.pulse-group { margin-top: 14px; }
.pulse-group-head {
  display: flex;
  align-items: baseline;
  gap: 10px;
  margin-bottom: 6px;
  border-bottom: 1px solid var(--pulse-line);
}
.pulse .pulse-group-head button { border: 0; min-height: 26px; padding: 2px 4px; }
.pulse-group-head h3 button { display: inline-flex; align-items: center; gap: 6px; margin-left: -4px; font-size: 13px; font-weight: 600; overflow-wrap: anywhere; white-space: normal; text-align: start; }
.pulse-group-head h3 { flex: none; max-width: 100%; }
.pulse-group-head h3 button::before {
  content: "";
  width: 5px;
  height: 5px;
  border-right: 1.5px solid var(--pulse-text-2);
  border-bottom: 1.5px solid var(--pulse-text-2);
  transform: rotate(45deg) translate(-1px, -1px);
}
.pulse-group-head h3 button[aria-expanded="false"]::before { transform: rotate(-45deg); }
.pulse-note { flex: 1 1 auto; min-width: 0; color: var(--pulse-text-2); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pulse .pulse-group-head .pulse-more { margin-left: auto; color: var(--pulse-accent); white-space: nowrap; }
.pulse-grid {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, max(272px, (100% - 54px) / 4)), 1fr));
  gap: 14px 18px;
}
/* Four charts where three stand beside one another: two and two instead of three and one. */
@container (min-width: 580px) and (max-width: 1141px) {
  .pulse-grid:has(> .pulse-chart:nth-child(4):last-child) { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
.pulse-layout-charts .pulse-grid {
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr));
}`;

const NOTES = `
.pulse-cards { display: grid; gap: 8px; }
.pulse-notices:not(:empty) { margin-top: 10px; }
.pulse-ending:not(:empty) { margin-bottom: 10px; }
.pulse-layout-strip .pulse-ending { flex: 1 0 100%; margin: 2px 0 4px; }
.pulse-layout-strip .pulse-ending:empty { display: none; }
.pulse-cards:not(:empty) + .pulse-grid:not(:empty) { margin-top: 12px; }
.pulse-card {
  padding: 9px 12px;
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
.pulse .pulse-waiting { margin-top: 14px; padding: 10px 2px; color: var(--pulse-text-2); }
.pulse-absent { margin-top: 14px; color: var(--pulse-text-2); }
.pulse-absent summary { display: inline-block; }
.pulse-absent summary::before { content: "+ "; }
.pulse-absent[open] summary::before { content: "\\2212  "; }
.pulse-pairs { display: grid; grid-template-columns: minmax(90px, max-content) 1fr; gap: 3px 16px; }
.pulse-pairs b { color: var(--pulse-text); font-weight: 500; overflow-wrap: anywhere; }
.pulse-pairs span { color: var(--pulse-text-2); overflow-wrap: anywhere; }
.pulse-absent .pulse-pairs { margin-top: 6px; }
.pulse-help {
  position: absolute;
  z-index: 30;
  top: 44px;
  right: 12px;
  width: min(340px, calc(100% - 24px));
  padding: 12px 14px;
  border: 1px solid var(--pulse-line);
  border-radius: 7px;
  background: var(--pulse-surface);
  box-shadow: 0 6px 24px rgb(0 0 0 / 22%);
}
.pulse-help header { display: flex; justify-content: space-between; align-items: center; margin-bottom: 8px; }
.pulse .pulse-help strong { font-weight: 600; }
.pulse-help .pulse-pairs b { font-weight: 600; }`;

export const STYLE: string = [TOKENS, FRAME, TOOLBAR, STRIP, BOARD, NOTES].join("\n");
