/** The last line: the recording, our own cost, and what is not available here, with reasons. */

import { SIGN } from "../charts/marks";
import { h } from "../dom";
import type { Source } from "../source";
import { formatValue } from "../vocabulary/format";
import { clockText } from "../vocabulary/time-text";
import { AlertList } from "./alert-list";
import { type Absence, absencesElement } from "./cards";
import { isLate } from "./status";

interface Part {
  readonly text: string;
  readonly title: string;
  readonly warn: boolean;
}

/** What is said of the recording; null while nothing is known. `silent` as in the status. Pure. */
export function recordingPart(source: Source, silent = 0): Part | null {
  if (!(source.heard?.() ?? true)) return null;
  const state = source.state();
  const { recording, phase } = state;
  const { problem, remedy, path, bytes } = recording;
  if (problem !== null) {
    const text = phase === "running" ? "not being saved" : "saved in part";
    const title = [problem, remedy ?? ""].filter(Boolean).join("\n");
    return { text: `recording ${text}`, title, warn: true };
  }
  if (path === null) {
    const text = phase === "running" ? "not recorded, kept in memory only" : "not recorded";
    return { text, title: "", warn: false };
  }
  // A directory becomes a file soon after the end; without an ending the name opens both.
  const name = (path.split(/[\\/]/).at(-1) ?? path).replace(/\.pulse(?:\.parquet)?$/, "");
  const late = phase === "running" && isLate(state, silent);
  const verb = phase === "running" && !late ? "recording" : "recorded";
  const size = sized(path, source) ? ` ${formatValue(bytes, "B")}` : "";
  const since = late ? `, nothing new since ${clockText(source.extent()[1])}` : "";
  return { text: `${verb}${size}${since} \u00b7 ${name}`, title: path, warn: false };
}

/**
 * Whether the size that is told is that of the recording: of a directory only while it grows, as
 * the file it becomes is smaller.
 */
function sized(path: string, source: Source): boolean {
  const { phase, as_of } = source.state();
  if (phase === "running") return true;
  return path.endsWith(".parquet") && (as_of ?? null) === null;
}

/** What watching costs, while it does. Pure. */
export function costPart(source: Source): Part | null {
  const { cost, phase } = source.state();
  if (phase !== "running" || cost.cores === null) return null;
  const share = formatValue(cost.cores, "1");
  const slowed = cost.slowed ? `To keep it low, ${cost.slowed}.` : "";
  const text = `own cost ${share} of a core${cost.slowed ? ", read less often" : ""}`;
  return { text, title: slowed, warn: false };
}

/** What was not seen, or not kept; null where nothing was lost. Pure. */
export function lossPart(source: Source): Part | null {
  const [lost, dropped] = [source.lost(), source.state().cost.dropped];
  const said = [
    lost > 0 ? `${formatValue(lost, "count")} ticks lost` : "",
    dropped > 0 ? `${formatValue(dropped, "count")} dropped` : "",
  ].filter(Boolean);
  return said.length > 0 ? { text: said.join(" \u00b7 "), title: "", warn: true } : null;
}

export class Footer {
  readonly el: HTMLElement;
  readonly #parts = h("div", { class: "pulse-foot-parts" });
  readonly #absent = h("div");
  readonly #alerts = new AlertList();
  #told = "";
  #absentText = "";

  constructor() {
    this.el = h("div", { class: "pulse-foot" }, this.#parts, this.#alerts.el, this.#absent);
  }

  update(source: Source, silent = 0): void {
    this.#alerts.update(source);
    const parts = [recordingPart(source, silent), costPart(source), lossPart(source)];
    const shown = parts.filter((part) => part !== null);
    const state = source.state();
    const records = state.phase === "running" && !parts[0]?.warn && !isLate(state, silent);
    const text = JSON.stringify([shown, records]);
    if (text === this.#told) return;
    this.#told = text;
    this.#parts.replaceChildren(
      ...shown.map(({ text: said, title, warn }) => {
        const sign = warn ? `${SIGN} ` : "";
        const name = warn ? "pulse-foot-part pulse-alarm" : "pulse-foot-part";
        const span = h("span", { class: name }, sign + said);
        if (title) span.title = title;
        return span;
      }),
    );
    this.#parts.dataset["rec"] = String(records);
  }

  setAbsences(absences: readonly Absence[]): void {
    const text = JSON.stringify(absences);
    if (text === this.#absentText) return;
    this.#absentText = text;
    this.#absent.replaceChildren(...(absences.length > 0 ? [absencesElement(absences)] : []));
  }
}
