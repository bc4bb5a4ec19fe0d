/** Follows the host's light or dark theme, and hands its colours to the canvases. */

import type { Ground } from "../vocabulary/palette";

/** Colours that canvases need; stylesheets read the same custom properties themselves. */
export interface Theme {
  readonly ground: Ground;
  readonly text: string;
  readonly axis: string;
  readonly grid: string;
  readonly accent: string;
  readonly warn: string;
  /** For times in which nothing ran. */
  readonly idle: string;
  readonly chip: string;
  readonly surface: string;
  readonly font: string;
}

/** The ground the host says it has, or null when it says nothing. */
function declaredGround(): Ground | null {
  const { body, documentElement: html } = document;
  const lab = body.dataset["jpThemeLight"];
  if (lab) return lab === "false" ? "dark" : "light";
  for (const el of [body, html]) {
    const kind = `${el.className} ${el.dataset["theme"] ?? ""} ${el.dataset["vscodeThemeKind"] ?? ""}`;
    // VS Code calls its light theme of high contrast by both names.
    if (/\bhigh-contrast-light\b/.test(kind)) return "light";
    if (/\b(?:vscode-)?(?:dark|high-contrast)\b/.test(kind)) return "dark";
    if (/\b(?:vscode-)?light\b/.test(kind)) return "light";
  }
  return null;
}

function preferredGround(media: MediaQueryList): Ground {
  return declaredGround() ?? (media.matches ? "dark" : "light");
}

export function readTheme(root: HTMLElement): Theme {
  const style = getComputedStyle(root);
  const get = (name: string) => style.getPropertyValue(name).trim();
  return {
    ground: root.dataset["ground"] === "dark" ? "dark" : "light",
    text: get("--pulse-text"),
    axis: get("--pulse-text-2"),
    grid: get("--pulse-grid"),
    accent: get("--pulse-accent"),
    warn: get("--pulse-warn"),
    idle: get("--pulse-idle"),
    chip: get("--pulse-chip"),
    surface: get("--pulse-surface"),
    font: `11px ${style.fontFamily}`,
  };
}

/** Keep `root.dataset.ground` right and call `changed` after every switch; returns the cleanup. */
export function followTheme(root: HTMLElement, changed: (theme: Theme) => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  let last = "";
  const apply = () => {
    root.dataset["ground"] = preferredGround(media);
    const theme = readTheme(root);
    const text = JSON.stringify(theme);
    if (text === last) return;
    last = text;
    changed(theme);
  };
  // A host names its new theme first and loads its stylesheet afterwards.
  const loaded = (event: Event) => {
    if (event.target instanceof HTMLLinkElement) requestAnimationFrame(apply);
  };
  document.addEventListener("load", loaded, true);
  const observer = new MutationObserver(apply);
  const attributes = [
    "class",
    "data-theme",
    "data-jp-theme-light",
    "data-jp-theme-name",
    "data-vscode-theme-kind",
  ];
  for (const el of [document.body, document.documentElement]) {
    observer.observe(el, { attributes: true, attributeFilter: attributes });
  }
  media.addEventListener("change", apply);
  // Drawn before it is in the page, an element has no style yet; it gets a size with its place.
  const placed = new ResizeObserver(apply);
  placed.observe(root);
  apply();
  return () => {
    observer.disconnect();
    placed.disconnect();
    media.removeEventListener("change", apply);
    document.removeEventListener("load", loaded, true);
  };
}
