/**
 * The stylesheet of a dashboard as wide as a sidebar: 240 to 440 px. It asks for the width of the
 * dashboard itself, never that of the page, and comes last: it overrides the others.
 */

const HEADER = `
@container (max-width: 420px) {
  /* State and actions, the controls, the newest event: a row each. */
  .pulse:not(.pulse-layout-strip) .pulse-toolbar { gap: 4px 8px; margin-bottom: 5px; }
  .pulse:not(.pulse-layout-strip) .pulse-name-row:is(*, :has(> .pulse-title:not(:empty))) { flex: 1 1 100px; flex-wrap: wrap; }
  .pulse:not(.pulse-layout-strip) .pulse-name-row > * { overflow-wrap: anywhere; white-space: normal; }
  .pulse-actions { align-self: flex-start; }
  .pulse-controls { flex: 1 0 100%; order: 1; gap: 3px; }
  .pulse-header-news { order: 2; }
  .pulse .pulse-controls button { padding: 1px 5px; }
  .pulse-controls > .pulse-segments { flex: 1 1 auto; }
  .pulse-controls > .pulse-segments button { flex: 1 0 auto; }
  /* What comes and goes pushes nothing aside. */
  .pulse-controls > .pulse-passing { order: 1; }
}
@container (max-width: 279px) {
  .pulse .pulse-controls button { padding: 1px 3px; font-size: 11px; }
}
@container (max-width: 239px) {
  .pulse .pulse-controls { column-gap: 2px; }
  .pulse .pulse-controls button { padding: 1px 2px; }
}
@container (max-width: 459px) {
  /* Two lines at most; the list has it whole. */
  .pulse .pulse-news summary { display: grid; grid-template-columns: minmax(0, 1fr) auto; align-items: end; line-height: 15px; white-space: normal; }
  .pulse .pulse-news time { white-space: nowrap; }
  .pulse .pulse-news-said { display: -webkit-box; min-width: 0; overflow: hidden; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow-wrap: anywhere; }
  .pulse .pulse-news-more { white-space: nowrap; }
  .pulse .pulse-news-list { left: 0; max-width: none; padding: 6px 8px; }
}`;

const CARDS = `
@container (max-width: 459px) {
  .pulse .pulse-tiles[data-count="3"] > :last-child:not(.pulse-gpu) { grid-column: 1 / -1; }
}
@container (max-width: 420px) {
  /* Rows of sixteen: GPUs come in eights. */
  .pulse .pulse-cells { display: grid; grid-template-columns: repeat(16, minmax(0, 1fr)); }
}
/* A line of its own for what matters most: an alarm, or the memory. */
@container (max-width: 329px) {
  .pulse .pulse-gpu .pulse-card-note { height: 26px; column-gap: 0; }
  .pulse .pulse-gpu .pulse-card-note > :first-child { flex-basis: 100%; }
  .pulse .pulse-gpu .pulse-card-note > :nth-child(n + 3) .pulse-dot { display: inline; }
  .pulse .pulse-gpu .pulse-card-note > :only-child { white-space: normal; }
  .pulse .pulse-bars { column-gap: 6px; }
}
@container (max-width: 289px) {
  .pulse .pulse-card-head { column-gap: 4px; }
  .pulse .pulse-tile .pulse-card-value { font-size: 12.5px; }
}
@container (max-width: 259px) {
  .pulse .pulse-gpu .pulse-card-note { font-size: 10px; }
  .pulse .pulse-tile { justify-content: flex-start; }
  .pulse .pulse-gpu .pulse-gpu-name::before { width: 9px; margin-right: 4px; }
  .pulse .pulse-tile:not(.pulse-fleet) .pulse-card-note { margin-top: auto; }
}`;

const LINES = `
@container (max-width: 459px) {
  .pulse-group[data-open="true"] > .pulse-group-head { flex-wrap: wrap; gap: 0 8px; }
  .pulse-group[data-open="true"] .pulse-more { margin-left: auto; }
  .pulse .pulse-note { flex: 1 0 100%; order: 1; margin: -2px 2px 1px; font-size: 11px; white-space: normal; }
  .pulse-note:empty { display: none; }
  .pulse .pulse-hint { flex: 1 0 100%; order: 1; padding: 0 2px 2px; }
  .pulse .pulse-hint .pulse-detail { white-space: normal; }
  .pulse-group[data-open="true"] + .pulse-group[data-open="true"] { margin-top: 3px; }
  /* Names and values are whole; the curve takes what they leave. */
  .pulse .pulse-group[data-open="false"] h3 { flex: 0 10 130px; min-width: min-content; }
  .pulse .pulse-fold-value { min-width: 0; }
  /* In a panel that scrolls, the times of the charts stay in sight. */
  .pulse .pulse-timeline { position: sticky; z-index: 5; top: 0; bottom: 0; background: var(--pulse-surface); box-shadow: 0 -1px var(--pulse-line); }
  /* What the keyboard comes to is not under it. */
  .pulse :is(button, input, summary) { scroll-margin-block: 52px; }
  .pulse .pulse-foot { display: block; padding: 2px 0 4px; }
  .pulse-foot .pulse-pairs, .pulse-foot .pulse-pairs b { display: block; }
  .pulse-foot .pulse-pairs span { display: block; margin-bottom: 5px; }
  .pulse-help { padding: 8px 12px 10px; }
  .pulse-help .pulse-pairs { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 3px 12px; }
}
@container (max-width: 279px) {
  .pulse .pulse-group-head .pulse-more { padding: 0; font-size: 11px; }
  .pulse .pulse-group[data-open="false"] .pulse-group-head { gap: 5px; }
  .pulse .pulse-group[data-open="false"] h3 button { gap: 4px; font-size: 11.5px; }
  .pulse .pulse-fold-value { max-width: calc(100% - 96px); font-size: 11.5px; letter-spacing: -0.1px; white-space: normal; }
  .pulse .pulse-ramp { width: 36px; }
}
@container (max-width: 239px) {
  .pulse .pulse-group[data-open="false"] .pulse-group-head { gap: 3px; }
  .pulse .pulse-group[data-open="false"] h3 button, .pulse .pulse-fold-value { font-size: 11px; }
  .pulse .pulse-fold-value { max-width: 92px; line-height: 12px; }
  .pulse .pulse-scale { gap: 3px; }
  .pulse .pulse-ramp { width: 20px; }
}`;

const STRIP = `
@container (max-width: 420px) {
  .pulse.pulse-layout-strip :is(.pulse-toolbar, .pulse-strip) { flex: 1 1 100%; }
  .pulse.pulse-layout-strip .pulse-name-row { flex: 1 1 100px; flex-wrap: wrap; }
  .pulse-strip { column-gap: 9px; }
  .pulse.pulse .pulse-strip [data-part]::before { display: none; }
  .pulse .pulse-strip-cells { flex-wrap: wrap; margin-right: 0; }
  /* The names of eight GPUs in one line. */
  .pulse .pulse-legend { column-gap: 3px; }
  .pulse .pulse-legend button { gap: 3px; padding: 0 1px; }
}`;

const OWN = `
@container (max-width: 420px) {
  /* The tools stand in the rows of the heading: the search beside it, the rest below. */
  .pulse-tools:has(> .pulse-own-tools), .pulse-own-tools { display: contents; }
  .pulse .pulse-group-head:has(.pulse-own-tools:not([hidden])) { align-items: center; gap: 3px 8px; padding-bottom: 3px; }
  .pulse-group-head:has(.pulse-own-tools) .pulse-more { order: 1; }
  .pulse .pulse-search { flex: 1 1 110px; order: 2; width: auto; }
  .pulse-own-tools > .pulse-detail { order: 2; }
  .pulse-own-tools > .pulse-detail:empty { display: none; }
  .pulse-group-head:has(.pulse-own-tools:not([hidden]))::after { content: ""; flex: 1 0 100%; order: 2; margin-top: -3px; }
  .pulse-own-tools > :is(.pulse-smooth, button, .pulse-segments) { order: 3; color: var(--pulse-text-2); }
  .pulse-own-tools > .pulse-smooth { flex: 1 1 auto; }
  .pulse .pulse-smooth input { flex: 1 1 40px; min-width: 40px; width: 40px; }
  .pulse-smooth-rest { display: none; }
  .pulse .pulse-own-tools .pulse-segments button { padding: 1px 6px; }
  .pulse-processes { overflow-x: auto; }
}
@container (max-width: 259px) {
  /* The kernel's own CPU stands on a card, that of others is seldom known. */
  .pulse .pulse-table :is(th, td):nth-child(6) { display: none; }
  .pulse .pulse-table :is(th, td) { padding-right: 4px; }
  .pulse .pulse-table .pulse-name { max-width: 58px; }
  .pulse .pulse-mine { padding: 0 3px; font-size: 10px; white-space: nowrap; }
  .pulse-smooth > span:first-child { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
}`;

export const NARROW: string = [HEADER, CARDS, LINES, STRIP, OWN].join("\n");
