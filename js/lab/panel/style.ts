/** How the panel looks; its colours are those of JupyterLab's theme. */

export const STYLE = `
.pulse-panel {
  display: flex;
  flex-direction: column;
  overflow: auto;
  color: var(--jp-ui-font-color1);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
}
/* Charts need more than JupyterLab asks of a sidebar, and the panel has the ground of its charts. */
.pulse-panel.lm-Widget.lm-Widget {
  min-width: 300px !important;
  background: var(--jp-layout-color0) !important;
}
.pulse-panel [hidden] { display: none !important; }
.pulse-panel-head { display: flex; flex-direction: column; gap: 6px; padding: 8px 10px 6px; }
.pulse-panel-head select { width: 100%; }
.pulse-panel-kernel { color: var(--jp-ui-font-color2); font-size: var(--jp-ui-font-size0); }
.pulse-panel-buttons { display: flex; flex-wrap: wrap; gap: 6px; }
:is(.pulse-panel-head, .pulse-panel-ask, .pulse-panel-note, .pulse-panel-state, .pulse-panel-recordings) :is(select, input, button:not(.pulse-panel-icon, .pulse-panel-open)) {
  height: 26px;
  padding: 0 9px;
  color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color2);
  border: 1px solid var(--jp-border-color1);
  border-radius: 3px;
  font: inherit;
}
:is(.pulse-panel-head, .pulse-panel-ask, .pulse-panel-note, .pulse-panel-state, .pulse-panel-recordings) :is(select, input) { background: var(--jp-input-background); }
:is(.pulse-panel-head, .pulse-panel-ask, .pulse-panel-note, .pulse-panel-state, .pulse-panel-recordings) button { cursor: pointer; }
:is(.pulse-panel-head, .pulse-panel-ask, .pulse-panel-note, .pulse-panel-state, .pulse-panel-recordings) button:hover { background: var(--jp-layout-color3); }
:is(.pulse-panel-head, .pulse-panel-ask, .pulse-panel-note, .pulse-panel-state, .pulse-panel-recordings) :is(select, input, button, summary):focus-visible {
  outline: 2px solid var(--jp-brand-color1);
  outline-offset: 1px;
}
.pulse-panel-ask { display: flex; flex-direction: column; gap: 6px; padding: 2px 10px 8px; }
.pulse-panel-note { padding: 0 10px 6px; overflow-wrap: anywhere; }
.pulse-panel-note:empty { display: none; }
.pulse-panel-state { padding: 2px 10px 10px; }
.pulse-panel-state p { margin: 0 0 8px; color: var(--jp-ui-font-color2); }
.pulse-panel-state .pulse-panel-sentence { color: var(--jp-ui-font-color1); font-weight: 600; }
.pulse-panel-state code {
  display: block;
  margin: 0 0 8px;
  padding: 6px 8px;
  overflow-wrap: anywhere;
  background: var(--jp-layout-color2);
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
}
.pulse-panel-body { flex: 1 1 0; min-height: 160px; overflow: auto; }
/* Not at once: most kernels answer sooner. */
.pulse-panel-board { transition: opacity 0s 0.4s, filter 0s 0.4s; }
.pulse-panel-old { opacity: 0.5; filter: grayscale(1); }
.pulse-panel-recordings {
  position: relative;
  flex: 0 0 auto;
  max-height: 40%;
  padding: 6px 10px;
  overflow: auto;
  border-top: 1px solid var(--jp-border-color2);
}
.pulse-panel-where { padding: 2px 0; color: var(--jp-ui-font-color2); font-size: var(--jp-ui-font-size0); }
.pulse-panel-asking .pulse-panel-ask { flex: 1 1 auto; padding: 0; }
.pulse-panel-recordings summary { height: 24px; line-height: 24px; font-weight: 600; cursor: pointer; }
.pulse-panel-recordings > .pulse-panel-icon { position: absolute; top: 6px; right: 10px; }
.pulse-panel-list { margin: 0; padding: 0; list-style: none; }
.pulse-panel-list li { display: flex; align-items: flex-start; gap: 2px; padding: 4px 0; }
.pulse-panel-list li + li { border-top: 1px solid var(--jp-border-color3); }
.pulse-panel-line { flex: 1 1 auto; min-width: 0; }
.pulse-panel-open {
  display: block;
  max-width: 100%;
  padding: 0;
  overflow: hidden;
  color: var(--jp-content-link-color);
  background: none !important;
  border: none;
  font: inherit;
  text-align: left;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.pulse-panel-open:disabled { color: inherit; cursor: default; }
.pulse-panel-open:not(:disabled):hover { text-decoration: underline; }
.pulse-panel-about, .pulse-panel-none { color: var(--jp-ui-font-color2); font-size: var(--jp-ui-font-size0); }
.pulse-panel-problem { color: var(--jp-error-color1); font-size: var(--jp-ui-font-size0); }
.pulse-panel-icon {
  display: inline-flex;
  flex: 0 0 auto;
  align-items: center;
  justify-content: center;
  width: 24px;
  height: 24px;
  padding: 0;
  background: none;
  border: none;
  border-radius: 3px;
}
`;
