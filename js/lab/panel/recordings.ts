/** The list of recordings: those a kernel knows, or those in the folder of the file browser. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { h } from "../../core/dom";
import { formatValue } from "../../core/vocabulary/format";
import { ActionError, type IMonitors, type Waits } from "../shared/monitors";
import type { Listed } from "../shared/protocol";
import { baseName, contentsPath, endingOf, isPlainName, stemOf } from "../shared/server-files";
import type { Ask } from "./ask";
import type { Filed, Host, IconName } from "./host";

/** Recordings that are listed, the newest. */
const MOST_LINES = 100;

/** A line of the list, wherever it comes from. */
interface Line {
  readonly name: string;
  readonly about: string;
  readonly problem: string;
  /** Its path of the contents API; null where the file browser does not reach it. */
  readonly file: string | null;
  /** It may be: to rename or delete it would lose what is written next. */
  readonly isWritten: boolean;
  open(): void;
  rename(name: string, waits: Waits): Promise<unknown>;
  remove(waits: Waits): Promise<unknown>;
}

/** Where it is told what became of a button that was pressed. */
export interface Teller {
  say(text: string): void;
  fail(problem: unknown): void;
}

export class Recordings {
  readonly el: HTMLDetailsElement;
  readonly #monitors: IMonitors;
  readonly #host: Host;
  readonly #ask: Ask;
  readonly #trans: TranslationBundle;
  readonly #list = h("ul", { class: "pulse-panel-list" });
  readonly #teller: Teller;
  #source: "kernel" | "files" = "files";
  #turn = 0;

  constructor(monitors: IMonitors, host: Host, ask: Ask, trans: TranslationBundle, teller: Teller) {
    this.#monitors = monitors;
    this.#host = host;
    this.#ask = ask;
    this.#trans = trans;
    this.#teller = teller;
    const refresh = this.#button("refresh", trans.__("Read the list again"), () => this.refresh());
    const summary = h("summary", {}, h("span", {}, trans.__("Recordings")));
    this.el = h("details", { class: "pulse-panel-recordings" }, summary, refresh, this.#list);
    this.el.addEventListener("toggle", () => this.refresh());
  }

  /** Whose list it is; read anew when that is another. */
  from(source: "kernel" | "files"): void {
    if (source === this.#source) return;
    this.#source = source;
    this.refresh();
  }

  /** Read the list again, if it is open. */
  refresh(): void {
    if (this.el.open) void this.#read(++this.#turn);
  }

  async #read(turn: number): Promise<void> {
    if (this.#list.childElementCount === 0) this.#list.append(plain(this.#trans.__("Reading…")));
    try {
      const lines = await this.#lines((why) => {
        if (turn === this.#turn) this.#list.replaceChildren(plain(why));
      });
      if (turn !== this.#turn) return;
      const items = lines.slice(0, MOST_LINES).map((line) => this.#item(line));
      if (items.length === 0) items.push(plain(this.#noneText()));
      const more = lines.length - MOST_LINES;
      if (more > 0) items.push(plain(this.#trans.__("%1 more are not listed.", more)));
      this.#list.replaceChildren(...items);
    } catch (problem) {
      if (turn !== this.#turn) return;
      const text = this.#trans.__("The list cannot be read: %1", (problem as Error).message);
      this.#list.replaceChildren(plain(text));
    }
  }

  #noneText(): string {
    return this.#source === "kernel"
      ? this.#trans.__("There are none yet. A monitor records as long as it runs.")
      : this.#trans.__("There are none in the folder that the file browser shows.");
  }

  async #lines(waits: Waits): Promise<readonly Line[]> {
    if (this.#source === "files") return (await this.#host.list()).map((one) => this.#filed(one));
    const { recordings } = await this.#monitors.act("recordings", {}, waits);
    return recordings.map((one) => this.#listed(one));
  }

  #listed(one: Listed): Line {
    const file = contentsPath(one.path, this.#host.root);
    const { path, name } = one;
    return {
      ...{ name: baseName(path) || name, file, problem: one.problem },
      isWritten: one.state === "running",
      about: [
        whenText(one.start),
        formatValue(one.seconds, "s"),
        formatValue(one.bytes, "B"),
        this.#stateText(one.state),
      ].join(" · "),
      open: () => this.#host.open?.(file === null ? { path, title: one.title || name } : { file }),
      rename: (name, waits) => this.#monitors.act("rename", { path, name }, waits),
      remove: (waits) => this.#monitors.act("delete", { path }, waits),
    };
  }

  #filed({ name, path, changed, bytes, isFolder }: Filed): Line {
    const state = isFolder
      ? this.#trans.__("still written, or left by a crash")
      : this.#stateText("finished");
    return {
      // Only a kernel can tell whether somebody still writes to a directory.
      ...{ name, file: path, problem: "", isWritten: isFolder },
      about: [whenText(changed), ...(isFolder ? [] : [formatValue(bytes, "B")]), state].join(" · "),
      open: () => this.#host.open?.({ file: path }),
      rename: async (name) => {
        if (!isPlainName(name)) throw this.#noName(name);
        await this.#host.rename(path, name);
      },
      remove: () => this.#host.remove(path),
    };
  }

  #noName(name: string): ActionError {
    const trans = this.#trans;
    return new ActionError(
      trans.__("A recording cannot be called %1.", name),
      trans.__("Give it a plain name, without a slash and with no dot at its beginning."),
    );
  }

  #stateText(state: Listed["state"]): string {
    const trans = this.#trans;
    return {
      running: trans.__("running"),
      unfinished: trans.__("unfinished"),
      finished: trans.__("finished"),
      unreadable: trans.__("unreadable"),
    }[state];
  }

  #item(line: Line): HTMLLIElement {
    const trans = this.#trans;
    const title = h("span", { class: "pulse-panel-name", title: line.name }, line.name);
    const about = h("div", { class: "pulse-panel-about" }, line.about);
    const open = h("button", { type: "button", class: "pulse-panel-open" }, title);
    open.addEventListener("click", line.open);
    open.disabled = this.#host.open === null;
    open.setAttribute("aria-label", trans.__("Open %1", line.name));
    const { file } = line;
    const { show } = this.#host;
    const buttons = [
      ...(file !== null && show
        ? [
            this.#button("folder", trans.__("Show %1 in the file browser", line.name), () =>
              show(file),
            ),
          ]
        : []),
      ...(line.isWritten
        ? []
        : [
            this.#button("rename", trans.__("Rename %1", line.name), () => this.#rename(line)),
            this.#button("delete", trans.__("Delete %1", line.name), () => this.#remove(line)),
          ]),
    ];
    const text = h("div", { class: "pulse-panel-line" }, open, about);
    if (line.problem) text.append(h("div", { class: "pulse-panel-problem" }, line.problem));
    return h("li", {}, text, ...buttons);
  }

  #button(icon: IconName, title: string, act: () => void): HTMLButtonElement {
    const drawn = this.#host.icon(icon);
    const made = h("button", { type: "button", class: "pulse-panel-icon", title });
    made.setAttribute("aria-label", title);
    made.append(drawn ?? title);
    made.addEventListener("click", act);
    return made;
  }

  async #rename(line: Line): Promise<void> {
    const trans = this.#trans;
    const ending = endingOf(line.name);
    const question = trans.__("New name of %1", line.name);
    const name = await this.#ask.ask(question, trans.__("Rename"), stemOf(line.name));
    if (name === null || name === stemOf(line.name)) return;
    const full = name.endsWith(ending) ? name : `${name}${ending}`;
    await this.#try(trans.__("Renaming…"), (waits) => line.rename(full, waits));
  }

  async #remove(line: Line): Promise<void> {
    const trans = this.#trans;
    const sure = await this.#host.confirm(
      trans.__("Delete %1?", line.name),
      trans.__("The recording is removed from disk. This cannot be undone."),
      trans.__("Delete"),
    );
    if (sure) await this.#try(trans.__("Deleting…"), line.remove);
  }

  async #try(doing: string, act: (waits: Waits) => Promise<unknown>): Promise<void> {
    const teller = this.#teller;
    teller.say(doing);
    try {
      await act((why) => teller.say(`${doing} ${why}`));
      teller.say("");
    } catch (problem) {
      teller.fail(problem);
    }
    this.refresh();
  }
}

function plain(text: string): HTMLLIElement {
  return h("li", { class: "pulse-panel-none" }, text);
}

/** Date and time of day, as this browser writes them. */
function whenText(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return "–";
  const style = { dateStyle: "short", timeStyle: "short" } as const;
  return new Date(seconds * 1000).toLocaleString(undefined, style);
}
