/** The stylesheet of the user's own metrics and of the table of processes. */

export const OWN_STYLE = `
.pulse-group-head:has(.pulse-own-tools:not([hidden])) { flex-wrap: wrap; }
/* Without a line between them the tools would touch the cards. */
.pulse-overview:has(> .pulse-line[hidden]) ~ .pulse-board .pulse-group:first-child > :has(.pulse-own-tools:not([hidden])) { padding-top: 4px; }
.pulse-own-tools { display: flex; flex: 1 1 auto; flex-wrap: wrap; align-items: center; justify-content: flex-end; gap: 2px 12px; min-width: 0; color: var(--pulse-text-2); }
.pulse .pulse-own-tools :is(input, button) { margin: 0; font: inherit; color: inherit; }
.pulse .pulse-search {
  width: 150px;
  min-width: 0;
  height: 24px;
  padding: 1px 7px;
  border: 1px solid var(--pulse-line);
  border-radius: 5px;
  background: none;
  color: var(--pulse-text);
}
.pulse .pulse-search::placeholder { color: var(--pulse-text-2); opacity: 1; }
.pulse :is(input):focus-visible { outline: 2px solid var(--pulse-accent); outline-offset: 1px; }
.pulse-smooth { display: inline-flex; align-items: center; gap: 6px; white-space: nowrap; }
.pulse .pulse-smooth input { width: 84px; height: 24px; padding: 0; accent-color: var(--pulse-accent); }
.pulse-weight { min-width: 2.2em; color: var(--pulse-text); }
.pulse .pulse-group-head .pulse-own-tools button { border: 1px solid var(--pulse-line); padding: 1px 8px; min-height: 24px; }
.pulse .pulse-own-tools button:is([aria-pressed="true"], [aria-expanded="true"]) { background: var(--pulse-chip); color: var(--pulse-text); font-weight: 600; }
.pulse-own-below { display: flex; gap: 12px; }
.pulse-own-below:has(> :not([hidden])) { margin-top: 8px; }
.pulse .pulse-own-below button { border: 0; padding: 2px 4px; color: var(--pulse-accent); }
.pulse-own-below { flex-wrap: wrap; }
.pulse-progress { display: flex; flex-wrap: wrap; gap: 4px 10px; min-width: 0; }
.pulse-progress-bar { position: relative; display: flex; gap: 8px; min-width: 120px; max-width: 100%; overflow: hidden; padding: 2px 8px 4px; border-radius: 5px; background: var(--pulse-chip); color: var(--pulse-text); line-height: 18px; white-space: nowrap; }
.pulse-progress-bar > i { position: absolute; left: 0; bottom: 0; height: 3px; background: var(--pulse-accent); }
.pulse-progress-bar > b { flex: 0 1 auto; min-width: 0; overflow: hidden; font-weight: 600; text-overflow: ellipsis; }
.pulse-progress-bar > span { margin-left: auto; }
.pulse-config { flex: 1 1 100%; min-width: 0; color: var(--pulse-text-2); }
.pulse .pulse-config .pulse-table { width: auto; max-width: 100%; margin: 2px 0 4px 2px; }
.pulse .pulse-config .pulse-table th:first-child { width: auto; max-width: none; color: var(--pulse-text-2); }
.pulse .pulse-config .pulse-table td { color: var(--pulse-text); white-space: normal; overflow-wrap: anywhere; }
.pulse .pulse-prefix { grid-column: 1 / -1; margin: 2px 0 -6px 2px; color: var(--pulse-text-2); font-weight: 600; overflow-wrap: anywhere; }
.pulse .pulse-pin { flex: none; align-self: center; width: 24px; height: 24px; min-height: 0; margin: -5px -6px -5px -4px; padding: 5px; border: 0; }
.pulse-pin svg { display: block; width: 14px; height: 14px; fill: none; stroke: var(--pulse-text-2); stroke-width: 1.2; }
.pulse .pulse-pin[aria-pressed="true"] svg { fill: var(--pulse-accent); stroke: var(--pulse-accent); }
/* Beside the heading, so that the charts of the machine stay in sight. */
.pulse-own-hint { display: flex; flex-wrap: wrap; align-items: center; gap: 0 10px; }
.pulse-own-hint > div { display: flex; flex-wrap: wrap; align-items: center; gap: 0 8px; }
.pulse .pulse-own-hint code { font-size: 12px; overflow-wrap: anywhere; user-select: all; }
.pulse-processes { grid-column: 1 / -1; }
.pulse .pulse-table { width: 100%; max-width: 760px; margin: 0; border-collapse: collapse; border: 0; font-size: 12px; table-layout: auto; }
.pulse .pulse-table :is(th, td, tr, thead, tbody) { background: none; border: 0; text-align: left; font-weight: 400; color: inherit; }
.pulse .pulse-table :is(th, td) { padding: 2px 14px 2px 0; white-space: nowrap; vertical-align: baseline; }
.pulse .pulse-table thead th { color: var(--pulse-text-2); border-bottom: 1px solid var(--pulse-grid); }
.pulse .pulse-table tbody tr + tr > * { border-top: 1px solid var(--pulse-grid); }
.pulse .pulse-table .pulse-number { text-align: right; }
.pulse .pulse-table th:first-child { width: 99%; max-width: 0; padding-left: 2px; }
.pulse .pulse-table th > div { display: flex; align-items: baseline; gap: 8px; min-width: 0; }
.pulse .pulse-table .pulse-name { flex: 0 1 auto; color: var(--pulse-text); }
.pulse-mine { flex: none; padding: 0 6px; border-radius: 8px; background: var(--pulse-chip); font-size: 11px; }
.pulse-table caption { padding: 0; height: 0; caption-side: top; }
.pulse .pulse-processes .pulse-more { border: 0; padding: 2px 4px; margin-left: -2px; color: var(--pulse-accent); }
@container (max-width: 620px) {
  .pulse-group-head > :has(> .pulse-own-tools) { order: 1; flex-basis: 100%; }
  .pulse-own-tools { order: 1; flex-basis: 100%; justify-content: flex-start; padding-bottom: 4px; }
}
@container (max-width: 420px) {
  .pulse .pulse-table { font-size: 11px; }
  .pulse .pulse-table :is(th, td) { padding-right: 7px; }
  .pulse .pulse-table :is(th, td:last-child) { white-space: normal; }
  .pulse .pulse-table th > div { flex-direction: column; gap: 0; }
  .pulse .pulse-table th:first-child { max-width: none; width: auto; }
  .pulse .pulse-table .pulse-name { max-width: 72px; }
}
`;
