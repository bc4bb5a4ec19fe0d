/** The stylesheet of what stands around the charts: header, cards, lines, sections, footer. */

export const TOOLBAR = `
.pulse-toolbar {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 4px 14px;
  min-height: 24px;
  margin-bottom: 3px;
}
.pulse-name-row { display: flex; align-items: baseline; gap: 2px 8px; flex: 1 1 auto; min-width: 0; overflow: hidden; }
.pulse-status { display: inline-flex; flex: none; align-items: center; gap: 6px; font-weight: 600; }
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
/* It has a row of its own before it is cut. */
.pulse-detail { flex: 0 4 auto; min-width: 0; color: var(--pulse-text-2); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pulse-title { flex: 0 1 auto; min-width: 0; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pulse-simulated {
  flex: none;
  padding: 0 7px;
  border: 1px solid var(--pulse-warn);
  border-radius: 9px;
  color: var(--pulse-warn);
  font-size: 11px;
  font-weight: 600;
}
.pulse-controls { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; }
.pulse-segments { display: inline-flex; }
.pulse .pulse-controls button { padding: 1px 8px; min-height: 22px; }
.pulse .pulse-segments button { border-radius: 0; margin-left: -1px; }
.pulse .pulse-segments button:first-child { border-radius: 5px 0 0 5px; margin-left: 0; }
.pulse .pulse-segments button:last-child { border-radius: 0 5px 5px 0; }
.pulse .pulse-controls button[aria-pressed="true"] { background: var(--pulse-chip); font-weight: 600; }
/* There is less than so much: its title says how much. */
.pulse .pulse-controls button.pulse-beyond:not([aria-pressed="true"]) { color: var(--pulse-text-2); }
/* A title has a row of its own before it is cut. */
@container (max-width: 739px) {
  .pulse-name-row:has(> .pulse-title:not(:empty)) { flex-basis: 100%; flex-wrap: wrap; }
}
.pulse-actions { display: flex; flex: none; flex-wrap: wrap; gap: 3px; max-width: 100%; }
.pulse-actions:not(:has(> :not([hidden]))) { display: none; }
.pulse .pulse-actions button { padding: 1px 8px; min-height: 22px; }
`;

export const OVERVIEW = `
.pulse-hosts { display: grid; gap: 5px; min-height: 54px; }
.pulse-host-head { display: flex; flex-wrap: wrap; gap: 0 12px; align-items: baseline; margin-bottom: 3px; }
.pulse-host-head b:empty, .pulse-host-head:has(> b:empty) { display: none; }
.pulse-tiles { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 5px 8px; }
.pulse-tiles[data-count="1"] { grid-template-columns: minmax(0, 1fr); }
.pulse-tiles[data-count="2"] { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.pulse-tiles[data-count="3"] { grid-template-columns: repeat(3, minmax(0, 1fr)); }
.pulse-fleet { grid-column: 1 / -1; }
.pulse .pulse-tile {
  display: flex;
  flex-direction: column;
  justify-content: space-between;
  min-width: 0;
  min-height: 54px;
  padding: 2px 8px 2px;
  border: 1px solid transparent;
  border-radius: 6px;
  background: var(--pulse-soft);
  line-height: 1.25;
  text-align: left;
  white-space: normal;
}
.pulse .pulse-gpu:hover { border-color: var(--pulse-line); background: var(--pulse-soft); }
.pulse .pulse-tile.pulse-alarmed { border-color: var(--pulse-warn); background: var(--pulse-warn-soft); }
.pulse .pulse-gpu[aria-pressed="false"] { opacity: 0.55; }
.pulse .pulse-gpu[aria-pressed="false"] .pulse-gpu-name { text-decoration: line-through; }
.pulse-card-head { display: flex; align-items: baseline; justify-content: space-between; gap: 8px; }
.pulse-gpu .pulse-gpu-name::before { content: ""; display: inline-block; width: 11px; height: 3px; margin-right: 6px; border-radius: 1px; background: var(--line); vertical-align: 3px; }
.pulse-gpu-name, .pulse-card-name { font-weight: 600; white-space: nowrap; }
.pulse-card-value { font-size: 13.5px; line-height: 15px; font-weight: 650; white-space: nowrap; }
.pulse-card-note { color: var(--pulse-text-2); font-size: 11px; line-height: 13px; }
/* Of a GPU one line: what does not fit is left out whole, the last part first. */
.pulse-gpu .pulse-card-note { display: flex; flex-wrap: wrap; height: 13px; overflow: hidden; }
.pulse-card-note > * { white-space: nowrap; }
.pulse-card-note:empty::before { content: "\\00a0"; }
.pulse .pulse-alarm { color: var(--pulse-warn); font-weight: 600; }
.pulse-bars { display: grid; grid-template-columns: max-content 1fr; gap: 0 7px; align-items: center; margin: -1px 0 1px; color: var(--pulse-text-2); font-size: 10px; line-height: 10px; }
.pulse-bars i { display: block; height: 4px; border-radius: 2px; background: var(--pulse-line); overflow: hidden; }
.pulse-bars i::after {
  content: "";
  display: block;
  height: 100%;
  border-radius: 2px;
  background: var(--pulse-bar);
  transform: scaleX(var(--share, 0));
  transform-origin: left;
}
.pulse-bars i:nth-of-type(2)::after { background: var(--pulse-bar-2); }
.pulse-bars i.pulse-unknown { height: 0; border-top: 1px dashed var(--pulse-text-2); border-radius: 0; background: none; }
.pulse-fleet .pulse-card-note { flex: 1 1 auto; }
.pulse-fleet .pulse-bars { grid-template-columns: max-content 1fr max-content 1fr; margin: 2px 0 3px; }
.pulse-cells { display: flex; flex-wrap: wrap; gap: 2px; }
.pulse .pulse-cell {
  flex: 1 1 12px;
  max-width: 40px;
  height: 14px;
  min-height: 14px;
  padding: 0;
  border: 1px solid var(--pulse-line);
  border-radius: 2px;
  color: var(--pulse-warn);
  font-size: 10px;
  font-weight: 700;
  line-height: 11px;
}
.pulse .pulse-cell:hover { border-color: var(--pulse-text); }
.pulse .pulse-cell.pulse-alarmed { border: 2px solid var(--pulse-warn); line-height: 9px; }
.pulse .pulse-cell[aria-pressed="false"] { opacity: 0.25; }
.pulse-line { display: flex; font-size: 11px; flex-wrap: wrap; align-items: baseline; gap: 0 16px; min-height: 16px; margin: 1px 1px 0; }
.pulse-machine { color: var(--pulse-text-2); }
.pulse-machine b { color: var(--pulse-text); font-weight: 600; }
.pulse-machine:empty { display: none; }
.pulse-news { position: relative; flex: 1 1 300px; min-width: 0; color: var(--pulse-text-2); text-align: right; }
.pulse-news summary { display: flex; justify-content: flex-end; list-style: none; white-space: nowrap; }
.pulse-header-news { display: flex; flex: 1 1 0; min-width: 0; font-size: 11px; }
.pulse-header-news:empty { display: none; }
.pulse-news-said { display: contents; }
.pulse-news-text { flex: 0 1 auto; min-width: 0; overflow: hidden; text-overflow: ellipsis; }
.pulse-news summary::-webkit-details-marker { display: none; }
.pulse-news.pulse-alarm { font-weight: 500; }
.pulse-news-more { color: var(--pulse-text-2); font-weight: 400; }
.pulse-news-list {
  position: absolute;
  z-index: 25;
  top: 100%;
  right: 0;
  max-width: min(560px, 100%);
  margin: 2px 0 0;
  padding: 6px 12px;
  border: 1px solid var(--pulse-line);
  border-radius: 6px;
  background: var(--pulse-surface);
  box-shadow: 0 6px 24px rgb(0 0 0 / 22%);
  color: var(--pulse-text);
  list-style: none;
  text-align: left;
  overflow-wrap: anywhere;
}
.pulse.pulse-stale :is(.pulse-overview, .pulse-plot, .pulse-strip, .pulse-spark, .pulse-fold-value) { filter: grayscale(1); opacity: 0.6; }
@container (max-width: 739px) {
  .pulse .pulse-tile { padding: 3px 6px 4px; }
  .pulse .pulse-card-note { font-size: 10.5px; }
}
@container (min-width: 600px) and (max-width: 739px) {
  /* Four cards beside one another: no line has room for memory, power and heat. */
  .pulse .pulse-tiles[data-count="4"] .pulse-gpu .pulse-card-note { height: 26px; }
  .pulse .pulse-tiles[data-count="4"] .pulse-gpu .pulse-card-note > :first-child { flex-basis: 100%; }
  .pulse .pulse-tiles[data-count="4"] .pulse-gpu .pulse-card-note > :nth-child(2) .pulse-dot { display: none; }
}
@container (max-width: 599px) {
  .pulse .pulse-tiles:is([data-count="3"], [data-count="4"]) { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@container (max-width: 459px) {
  .pulse .pulse-tiles { gap: 5px 6px; }
  .pulse .pulse-tile { padding: 3px 6px 4px; }
  .pulse-gpu .pulse-card-note { column-gap: 8px; }
  .pulse-gpu .pulse-dot { display: none; }
  .pulse-fleet .pulse-card-head { flex-wrap: wrap; }
  .pulse-fleet .pulse-card-note { order: 3; flex-basis: 100%; }
  .pulse-news, .pulse-header-news { flex-basis: 100%; text-align: left; }
}
@container (max-width: 259px) {
  .pulse .pulse-card-head { flex-wrap: wrap; }
}
@container (max-width: 219px) {
  .pulse .pulse-controls button { padding: 1px 4px; }
  .pulse-segments { flex-wrap: wrap; row-gap: 2px; max-width: 100%; }
  .pulse .pulse-card-note > *, .pulse .pulse-strip [data-part], .pulse .pulse-strip b { white-space: normal; }
  .pulse.pulse-layout-strip :is(.pulse-name-row, .pulse-toolbar, .pulse-strip) { flex: 1 1 100%; }
  .pulse.pulse .pulse-tiles[data-count] { grid-template-columns: minmax(0, 1fr); }
}
.pulse-layout-strip { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 14px; padding: 4px 10px; }
.pulse-layout-strip .pulse-toolbar { flex: none; margin: 0; min-height: 0; }
.pulse-layout-strip .pulse-name-row { flex: none; }
.pulse-layout-strip .pulse-controls { display: none; }
.pulse-strip { display: flex; flex-wrap: wrap; flex: 1 1 0; align-items: center; gap: 2px 0; min-width: 0; color: var(--pulse-text-2); }
.pulse-strip b { color: var(--pulse-text); font-weight: 600; }
.pulse-strip [data-part] { white-space: nowrap; }
.pulse-strip [data-part] + [data-part]::before { content: "\\00a0\\00b7\\00a0"; color: var(--pulse-text-2); font-weight: 400; white-space: pre; }
.pulse-strip-cells { display: inline-flex; align-items: flex-end; gap: 1px; margin-right: 7px; }
.pulse-strip-cells i { position: relative; width: 5px; height: 14px; border-radius: 1px; background: var(--pulse-line); overflow: hidden; }
.pulse-strip-cells i::after { content: ""; position: absolute; inset: 0; background: var(--line); transform: scaleY(var(--share, 0)); transform-origin: bottom; }
.pulse-strip-cells i.pulse-unknown { background: none; border: 1px dashed var(--pulse-text-2); }
.pulse-strip-none { overflow-wrap: anywhere; }
.pulse-strip-metric { display: inline-flex; align-items: center; gap: 6px; min-width: 0; margin-right: 16px; }
.pulse-strip-name { min-width: 0; overflow-wrap: anywhere; }
.pulse-strip-metric .pulse-spark { flex: none; width: 72px; height: 18px; }
.pulse-strip-metric b { white-space: nowrap; }`;

export const SECTIONS = `
.pulse-dot { font-style: normal; }
.pulse-sections { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1px 18px; margin-top: 1px; }

.pulse-timeline .pulse-plot { min-height: 31px; }
.pulse-timeline[data-box="true"] .u-over { cursor: pointer; }
.pulse-timeline:has(.pulse-steps:focus-visible) { outline: 2px solid var(--pulse-accent); outline-offset: 1px; }
.pulse-group { min-width: 0; }
.pulse-group[data-open="true"] { grid-column: 1 / -1; }
.pulse-group-head { position: relative; display: flex; align-items: baseline; gap: 10px; min-height: 20px; }
.pulse .pulse-group-head button { border: 0; min-height: 20px; padding: 0 4px; }
.pulse-group-head h3 { flex: none; max-width: 100%; }
.pulse .pulse-group-head h3 button { display: inline-flex; align-items: center; gap: 6px; margin-left: -4px; font-weight: 600; overflow-wrap: anywhere; white-space: normal; text-align: start; }
.pulse-group-head h3 button::before {
  content: "";
  width: 5px;
  height: 5px;
  border-right: 1.5px solid var(--pulse-text-2);
  border-bottom: 1.5px solid var(--pulse-text-2);
  transform: rotate(45deg) translate(-1px, -1px);
}
.pulse-group-head h3 button[aria-expanded="false"]::before { transform: rotate(-45deg); }
.pulse-note { flex: 1 1 0; min-width: 0; color: var(--pulse-text-2); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pulse-tools { flex: 0 1 auto; min-width: 0; }
.pulse .pulse-group-head .pulse-more { color: var(--pulse-accent); white-space: nowrap; }
/* A folded section: one line, all of it a target. */
.pulse-group[data-open="false"] { border-top: 1px solid var(--pulse-line); }
.pulse-group[data-open="false"] .pulse-group-head { align-items: center; height: 25px; gap: 8px; }
.pulse-group[data-open="false"] .pulse-note { display: none; }
.pulse-group[data-open="false"] h3 button::after { content: ""; position: absolute; inset: 0; }
.pulse-group[data-open="false"] h3 button:hover { background: none; }
.pulse-group[data-open="false"]:hover { background: var(--pulse-soft); }
.pulse-spark { flex: 1 1 40px; min-width: 0; width: 40px; height: 20px; }
.pulse-fold-value { flex: none; min-width: 84px; font-weight: 600; line-height: 1.15; text-align: right; white-space: nowrap; }
.pulse-fold-value small { display: block; color: var(--pulse-text-2); font-size: 9.5px; font-weight: 400; line-height: 10px; }
.pulse-fold-value small:empty { display: none; }
.pulse-group[data-open="false"] h3 { flex: 0 0 140px; white-space: nowrap; }
.pulse .pulse-group[data-open="false"] h3 button { white-space: nowrap; }
.pulse-folded { row-gap: 0; }
.pulse-hint { flex: 1 1 auto; min-width: 0; color: var(--pulse-text-2); }
.pulse-grid { display: grid; grid-template-columns: minmax(0, 1fr); gap: 8px 18px; align-items: start; }
.pulse-placeholder { min-height: 112px; border-radius: 6px; background: var(--pulse-soft); opacity: 0.5; }
.pulse-foot { display: flex; flex-wrap: wrap; gap: 0 20px; align-items: baseline; min-height: 17px; margin-top: 1px; color: var(--pulse-text-2); font-size: 11px; }
.pulse-foot-parts { display: flex; flex-wrap: wrap; gap: 0 20px; min-width: 0; }
.pulse-foot-part { overflow-wrap: anywhere; }
.pulse-foot-parts[data-rec="true"] .pulse-foot-part:first-child::before { content: ""; display: inline-block; width: 7px; height: 7px; margin-right: 6px; border-radius: 50%; background: var(--pulse-text-2); }
@container (min-width: 540px) {
  .pulse .pulse-folded { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@container (min-width: 480px) {
  .pulse .pulse-grid { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@container (min-width: 760px) {
  .pulse .pulse-grid, .pulse .pulse-folded { grid-template-columns: repeat(3, minmax(0, 1fr)); }
}
@container (min-width: 936px) {
  .pulse .pulse-folded { grid-template-columns: repeat(4, minmax(0, 1fr)); column-gap: 16px; }
  .pulse-group[data-open="false"] .pulse-group-head { gap: 6px; }
  .pulse .pulse-group[data-open="false"] h3 { flex: none; }
  .pulse .pulse-group[data-open="false"] h3 button { gap: 4px; padding: 2px; font-size: 11.5px; }
  .pulse-fold-value { min-width: 0; font-size: 11.5px; letter-spacing: -0.1px; }
}
/* One or two charts that were asked for share the width. */
.pulse.pulse-layout-charts .pulse-grid:not(:has(> :nth-child(2))) { grid-template-columns: minmax(0, 1fr); }
@container (min-width: 760px) {
  .pulse.pulse-layout-charts .pulse-grid:has(> :nth-child(2)):not(:has(> :nth-child(3))) { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
.pulse-folded { grid-auto-flow: row dense; }`;
