/** Cards for sources that do not deliver: what is wrong, why, and what to try. */

import { CPU_GROUP, GPU_GROUP, headingsWith, OTHER_GROUP, USER_GROUP } from "../charts/panel-table";
import { h } from "../dom";
import type { Source } from "../source";
import type { SourceState, State } from "../state.gen";
import { CATALOG } from "../vocabulary/catalog.gen";
import { endingSentence } from "../vocabulary/ending";
import { entityLabel } from "../vocabulary/entities";

export interface Card {
  readonly group: string;
  readonly title: string;
  readonly why: string;
  readonly remedy: string;
  /** A failure, as against something this machine simply does not have. */
  readonly fault: boolean;
}

export interface Absence {
  readonly what: string;
  readonly why: string;
}

const GROUP_OF_SOURCE: ReadonlyMap<string, string> = new Map([
  ["nvml", GPU_GROUP],
  ["gpm", GPU_GROUP],
  ["dcgmi", GPU_GROUP],
  ["system", CPU_GROUP],
  ["cgroup", CPU_GROUP],
  ["prometheus", OTHER_GROUP],
  ["user", USER_GROUP],
]);

/** Readable names of what each source reads. */
const NAME_OF_SOURCE: ReadonlyMap<string, string> = new Map([
  ["nvml", "NVIDIA GPUs"],
  ["gpm", "GPU profiling metrics"],
  ["dcgmi", "DCGM metrics"],
  ["system", "The machine's own readings"],
  ["cgroup", "Container limits"],
  ["prometheus", "Prometheus metrics"],
]);

/** The heading a source's card stands under; a source that is not ours says it itself. */
function groupOfSource(status: SourceState): string {
  return ownGroup(status) || (GROUP_OF_SOURCE.get(baseOf(status)) ?? OTHER_GROUP);
}

/** The heading of a source that is not ours; empty for one of ours. */
function ownGroup(status: SourceState): string {
  return GROUP_OF_SOURCE.has(baseOf(status)) ? "" : (status.group?.trim() ?? "");
}

function baseOf({ name }: SourceState): string {
  return name.split(/[:/]/, 1)[0] ?? name;
}

function nameOf({ name, title }: SourceState): string {
  return NAME_OF_SOURCE.get(name) ?? (title?.trim() || name);
}

const WORDS: Readonly<Record<string, string>> = {
  absent: "not available here",
  failed: "stopped with an error",
  stalled: "not answering",
  abandoned: "given up",
};

/** The cards to show, in the order of the groups. Pure. */
export function cardsOf(sources: readonly SourceState[], filled: ReadonlySet<string>): Card[] {
  const cards: Card[] = [];
  for (const status of sources) {
    const group = groupOfSource(status);
    const fault = isFault(status);
    const taken = cards.some((card) => card.group === group);
    // A source of another package is read only where it was asked for by name.
    const expected = ownGroup(status) !== "";
    const blank = status.state === "absent" && expected && !filled.has(group) && !taken;
    if (!fault && !blank) continue;
    const title = `${nameOf(status)}: ${WORDS[status.state]}`;
    cards.push({ group, title, why: status.problem, remedy: status.remedy, fault });
  }
  const headings = headingsWith([...filled, ...cards.map(({ group }) => group)]);
  return cards.sort((a, b) => headings.indexOf(a.group) - headings.indexOf(b.group));
}

/** What a problem of the recording means: while it runs, after its end, and in a replay. */
const RECORDING: Readonly<Record<State["phase"], string>> = {
  running: "The recording is not being saved",
  stopped: "The recording was not saved whole",
  replay: "Something is missing from this recording",
};

/** A recording that cannot be written, or read, concerns everything on the page. Pure. */
export function recordingCards({ phase, recording }: State): Card[] {
  if (recording.problem === null) return [];
  const [why, remedy] = [recording.problem, recording.remedy ?? ""];
  return [{ group: "", title: RECORDING[phase], why, remedy, fault: true }];
}

/**
 * The card of a kernel that went away while its session was running. `remedied`: what to do is
 * said, which is true of a view in a cell.
 */
export function endingCards(source: Source): Card[] {
  const ending = source.ended?.() ?? null;
  if (ending === null) return [];
  const kept = source.state().recording.path !== null;
  const why = "The session ended with it. What is shown is the last that was heard of it.";
  const remedy = kept
    ? "Run the cell again for a new session. `pw.recordings()` finds the recording of this one; at a `record=` path, `pulse-widgets repair` finishes it."
    : "Run the cell again for a new session. This one was not recorded.";
  return [{ group: "", title: endingSentence(ending), why, remedy, fault: true }];
}

function isFault(status: SourceState): boolean {
  return ["failed", "stalled", "abandoned"].includes(status.state);
}

/**
 * What is missing without a card, with the reason: single fields, and sources few people have.
 * `titles` are those of metrics outside the catalog. Pure.
 */
export function absencesOf(
  sources: readonly SourceState[],
  cards: readonly Card[],
  titles: ReadonlyMap<string, string> = new Map(),
): Absence[] {
  return sources.flatMap((status) => {
    const title = `${nameOf(status)}: ${WORDS[status.state] ?? ""}`;
    const shown = cards.some((card) => card.title === title);
    const quiet = !shown && (status.state === "absent" || status.state === "off");
    const why = status.problem || (status.state === "off" ? "switched off" : "");
    const whole = quiet ? [{ what: nameOf(status), why: sentence(why, status.remedy) }] : [];
    const fields = status.missing.map(({ what, why }) => ({
      what: worded(what, status.group ?? "", titles),
      why,
    }));
    return [...whole, ...fields];
  });
}

/** An entity with a number, and the comma after it where several are listed. */
const NUMBERED = /^([A-Za-z_]\w*:\d+(?:\/\S*?)?)(,?)$/;

/** `gpu:0 to gpu:3 gpu.power` (entities and a metric, or a source's own field) as people say it. */
function worded(what: string, group: string, titles: ReadonlyMap<string, string>): string {
  const said = what.split(" ").map((word) => {
    const [, entity, comma] = NUMBERED.exec(word) ?? [];
    return entity ? `${entityLabel(entity, { group })}${comma}` : word;
  });
  const last = what.split(" ").at(-1) ?? "";
  const title = CATALOG[last]?.title ?? titles.get(last);
  if (title === undefined) return said.join(" ");
  const owner = said.slice(0, -1).join(" ");
  return owner ? `${title}, ${owner}` : title;
}

function sentence(why: string, remedy: string): string {
  return [why.trim(), remedy.trim()].filter(Boolean).join(" ");
}

/** Sources that have been asked and have not answered yet. */
export function startingOf(sources: readonly SourceState[]): string[] {
  return sources.filter((status) => status.state === "starting").map(nameOf);
}

function cardElement(card: Card): HTMLElement {
  const parts = [h("strong", {}, card.title)];
  if (card.why) parts.push(h("p", {}, ...withCode(card.why)));
  if (card.remedy) {
    const remedy = h("p", { class: "pulse-remedy" });
    remedy.append(h("b", {}, "Try: "), ...withCode(card.remedy));
    parts.push(remedy);
  }
  const kind = card.fault ? "pulse-card pulse-fault" : "pulse-card";
  return h("div", { class: kind, role: card.fault ? "alert" : "note" }, ...parts);
}

/** Put cards into `el`; those that are there already stay. */
export function writeCards(el: HTMLElement, cards: readonly Card[]): void {
  const text = JSON.stringify(cards);
  if (el.dataset["text"] === text) return;
  el.dataset["text"] = text;
  el.replaceChildren(...cards.map(cardElement));
}

/** Text with what stands between backticks, to be typed as it is, as code. */
function withCode(text: string): (Node | string)[] {
  return text.split("`").map((part, i) => (i % 2 === 1 ? h("code", {}, part) : part));
}

export function absencesElement(absences: readonly Absence[]): HTMLDetailsElement {
  const summary = h("summary", {}, `Not available here (${absences.length})`);
  const list = h("div", { class: "pulse-pairs" });
  for (const { what, why } of absences) {
    list.append(h("b", {}, what), h("span", {}, ...withCode(why)));
  }
  return h("details", { class: "pulse-absent" }, summary, list);
}
