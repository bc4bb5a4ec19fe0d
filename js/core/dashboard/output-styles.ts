/** The stylesheet of the output pane. */

export const OUTPUT_STYLE = `
.pulse-out-newest { flex: 1 1 0; min-width: 0; color: var(--pulse-text-2); font: 11.5px/1.4 var(--jp-code-font-family, ui-monospace, monospace); overflow: hidden; text-overflow: ellipsis; white-space: pre; }
.pulse-out time { color: var(--pulse-text-2); }
.pulse-out-newest time { margin-right: 10px; }
.pulse-out-tools { display: flex; flex: none; align-items: center; gap: 2px 8px; margin-left: auto; }
.pulse .pulse-out-tools button { border: 1px solid var(--pulse-line); padding: 1px 8px; min-height: 24px; }
.pulse-out-list {
  height: 223px;
  min-height: 68px;
  max-height: 80vh;
  margin-top: 3px;
  overflow: auto;
  resize: vertical;
  overflow-anchor: none;
  border: 1px solid var(--pulse-line);
  border-radius: 5px;
  color: var(--pulse-text);
  font: 12px/17px var(--jp-code-font-family, ui-monospace, monospace);
}
.pulse-out-list:focus-visible { outline: 2px solid var(--pulse-accent); outline-offset: 1px; }
.pulse-out-space { position: relative; min-width: 100%; }
.pulse-out-row { position: absolute; left: 0; display: flex; gap: 8px; min-width: 100%; height: 17px; padding: 0 8px; white-space: pre; tab-size: 8; cursor: default; }
.pulse-out-row > * { flex: none; }
.pulse-out-row > :not(.pulse-out-text) { user-select: none; }
.pulse-out-row > :is(b, i) { color: var(--pulse-text-2); font-weight: 400; font-style: normal; }
.pulse-out-row > b { width: 3ch; }
.pulse .pulse-out-err { background: var(--pulse-warn-soft); }
.pulse .pulse-out-err > b { color: var(--pulse-warn); font-weight: 600; }
.pulse-out-row:hover { box-shadow: inset 0 0 0 1px var(--pulse-line); }
.pulse .pulse-out-at { box-shadow: inset 3px 0 0 var(--pulse-accent); background: var(--pulse-chip); }
.pulse .pulse-out-gap { color: var(--pulse-text-2); }
.pulse-out-text { unicode-bidi: isolate; cursor: text; }
.pulse-out-text > i { color: var(--pulse-text-2); }
.pulse-out mark { color: #111; background: #ffd75e; }
.pulse-out-hit mark { background: #ff9d3b; outline: 1px solid #ff9d3b; }
.pulse .pulse-out-say { padding: 2px; white-space: normal; }
.pulse-a-bold { font-weight: 700; }
.pulse-a-dim { opacity: 0.75; }
.pulse-a-italic { font-style: italic; }
.pulse-a-under { text-decoration: underline; }
/* Whatever was chosen can be read on either ground: its lightness is kept within bounds. */
.pulse-a-ink { color: oklch(from var(--ink) min(l, 0.52) c h); }
.pulse[data-ground="dark"] .pulse-a-ink { color: oklch(from var(--ink) max(l, 0.72) c h); }
.pulse-a-on { color: var(--ink); background: var(--on); }
.pulse-a-inverse { color: var(--pulse-surface); background: var(--pulse-text); }
@container (max-width: 459px) {
  .pulse .pulse-out .pulse-note { flex: 1 1 0; order: 0; margin: 0; text-align: right; }
  .pulse-out[data-open="true"] .pulse-out-tools { flex: 1 0 100%; order: 2; padding-bottom: 3px; }
  .pulse-out-tools .pulse-search { flex: 1 1 60px; }
  .pulse-out-row { gap: 5px; padding: 0 4px; }
}`;
