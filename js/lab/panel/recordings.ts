/** The list of recordings: those a kernel knows, or those in the folder of the file browser. */

import type { TranslationBundle } from "@jupyterlab/translation";
import { h, setText } from "../../core/dom";
import { formatValue } from "../../core/vocabulary/format";
import { dateText } from "../../core/vocabulary/time-text";
import { ActionError, type Followed, type IMonitors, type Waits } from "../shared/monitors";
import type { Listed } from "../shared/protocol";
import { baseName, contentsPath, endingOf, isPlainName, stemOf } from "../shared/server-files";
import { Ask, type Attempt } from "./ask";
import type { Filed, Host, IconName } from "./host";
import { folderOf, sentenceIn } from "./said";
import { recordingOf } from "./states";

/** Recordings that are listed, the newest. */
const MOST_LINES = 100;
/** How often the list is read while it is open and a monitor writes one of its lines, in ms. */
const FRESH_MS = 5000;

/** A line of the list, wherever it comes from. */
interface Line {
  readonly name: string;
  /** Where it is. */
  readonly key: string;
  readonly about: string;
  readonly problem: string;
  /** Its path of the contents API; null where the file browser does not reach it. */
  readonly file: string | null;
  /** Whether it may be renamed and deleted. */
  readonly isFree: boolean;
  open(): void;
  rename(name: string, waits: Waits): Promise<unknown>;
  remove(waits: Waits): Promise<unknown>;
}

export class Recordings {
  readonly el: HTMLDetailsElement;
  readonly #monitors: IMonitors;
  readonly #host: Host;
  readonly #ask: Ask;
  readonly #trans: TranslationBundle;
  readonly #where = h("div", { class: "pulse-panel-where" });
  readonly #list = h("ul", { class: "pulse-panel-list" });
  /** Tells what goes on, where there is room for it. */
  readonly #say: (text: string) => void;
  #source: "kernel" | "files" = "files";
  #turn = 0;
  /** How often the list is being read just now: a kernel may let us wait. */
  #reading = 0;
  /** What of the followed monitor changes the list. */
  #followed = "";
  /** The recordings that were listed, without the endings of their names. */
  readonly #seen = new Set<string>();
  /** Whose list is shown. */
  #whose = "";
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The folder of the line that is being renamed. */
  #folder = "";
  /** A line that the keyboard is to go to, and the button in it. */
  #wanted: Stop | null = null;
  /** What could not be done with a line. */
  #failed: { readonly key: string; readonly text: string } | null = null;

  constructor(
    monitors: IMonitors,
    host: Host,
    trans: TranslationBundle,
    say: (text: string) => void,
  ) {
    this.#monitors = monitors;
    this.#host = host;
    this.#trans = trans;
    this.#ask = new Ask(trans, (problem) => sentenceIn(problem, this.#folder));
    this.#say = say;
    const refresh = this.#button("refresh", trans.__("Read the list again"), () => this.refresh());
    const summary = h("summary", {}, h("span", {}, trans.__("Recordings")));
    this.el = h("details", { class: "pulse-panel-recordings" }, summary, refresh);
    this.el.append(this.#where, this.#list);
    this.el.addEventListener("toggle", () => {
      this.#turn++;
      this.refresh();
    });
  }

  /** Whose list it is, and what runs there; read anew when that is another. */
  follow(followed: Followed): void {
    const { condition, session, status } = followed;
    this.#source = ["idle", "running", "ended"].includes(condition) ? "kernel" : "files";
    const runs = condition === "running";
    this.#keepFresh(runs);
    const { t0, path } = status?.session ?? {};
    const now = JSON.stringify([this.#source, session, runs, t0, path]);
    if (now === this.#followed) return;
    this.#followed = now;
    const list = `${this.#source} ${session}`;
    if (list !== this.#whose) this.#ask.cancel();
    this.#whose = list;
    // Not at once: it is told of a change amid it, when the kernel may be one that is left.
    queueMicrotask(() => this.refresh());
  }

  /** Nobody sees it any more. */
  leave(): void {
    this.#keepFresh(false);
  }

  /** Read the list again, if it is open and nothing is being typed in it. */
  refresh(): void {
    if (this.el.open && !this.#ask.isOpen) void this.#read(++this.#turn, true);
  }

  /** As `refresh`, by itself: what is shown stays until the answer is there. */
  #renew(): void {
    if (this.el.open && !this.#ask.isOpen && this.#reading === 0)
      void this.#read(++this.#turn, false);
  }

  #keepFresh(isOn: boolean): void {
    if (isOn === (this.#timer !== undefined)) return;
    clearInterval(this.#timer);
    this.#timer = isOn ? setInterval(() => this.#renew(), FRESH_MS) : undefined;
  }

  async #read(turn: number, isTold: boolean): Promise<void> {
    this.#reading++;
    if (this.#list.childElementCount === 0) this.#list.append(plain(this.#trans.__("Reading…")));
    try {
      const lines = await this.#lines((why) => {
        if (isTold && turn === this.#turn && !this.#ask.isOpen) this.#replace([plain(why)]);
      });
      if (turn !== this.#turn || this.#ask.isOpen) return;
      this.#sayWhere(lines);
      const items = lines.slice(0, MOST_LINES).map((line) => this.#item(line));
      if (items.length === 0) items.push(plain(this.#noneText()));
      const more = lines.length - MOST_LINES;
      if (more > 0) items.push(plain(this.#trans.__("%1 more are not listed.", more)));
      this.#replace(items);
    } catch (problem) {
      if (turn !== this.#turn) return;
      const text = this.#trans.__("The list cannot be read: %1", (problem as Error).message);
      this.#list.replaceChildren(plain(text));
    } finally {
      this.#reading--;
    }
  }

  /** Show other lines; the keyboard stays where it was, or goes to the line that has come there. */
  #replace(items: readonly HTMLLIElement[]): void {
    const before = this.#wanted ?? this.#stop();
    this.#wanted = null;
    this.#list.replaceChildren(...items);
    if (!before || !isFree(this.#list)) return;
    const same = items.find((item) => item.dataset["key"] === before.key);
    const line = same ?? items[Math.min(before.at, items.length - 1)];
    const button =
      line?.querySelector<HTMLElement>(`[data-act="${before.act}"]`) ??
      line?.querySelector<HTMLElement>("button:not(:disabled)");
    (button ?? this.el.querySelector("summary"))?.focus();
  }

  /** Where the keyboard is in the list. */
  #stop(): Stop | null {
    const { activeElement } = document;
    const item = activeElement?.closest<HTMLElement>("li");
    if (!item || !this.#list.contains(item)) return null;
    return {
      key: item.dataset["key"] ?? "",
      act: (activeElement as HTMLElement).dataset["act"] ?? "",
      at: [...this.#list.children].indexOf(item),
    };
  }

  /** Where the list is from. */
  #sayWhere(lines: readonly Line[]): void {
    const trans = this.#trans;
    const isKernel = this.#source === "kernel";
    const text = isKernel ? trans.__("On this machine") : trans.__("In this folder");
    const folders = new Set(lines.map(({ key }) => folderOf(key)));
    setText(this.#where, text);
    this.#where.title = isKernel ? [...folders].join("\n") : "";
  }

  #noneText(): string {
    return this.#source === "kernel"
      ? this.#trans.__("There are none yet. A monitor records as long as it runs.")
      : this.#trans.__("There are none in the folder that the file browser shows.");
  }

  async #lines(waits: Waits): Promise<readonly Line[]> {
    if (this.#source === "files") return (await this.#host.list()).map((one) => this.#filed(one));
    const { recordings } = await this.#monitors.act("recordings", {}, waits);
    for (const one of recordings) this.#seen.add(stemOf(one.path));
    const path = recordingOf(this.#monitors.followed);
    const isOwn = (one: Listed) => one.path === path;
    const sorted = [...recordings.filter(isOwn), ...recordings.filter((one) => !isOwn(one))];
    const own = this.#own();
    return [...(own ? [own] : []), ...sorted.map((one) => this.#listed(one))];
  }

  /** The recording of the followed session, where it is none of those that were listed. */
  #own(): Line | null {
    const { followed } = this.#monitors;
    const { status } = followed;
    const path = recordingOf(followed);
    // What was listed once and is no more was renamed or deleted.
    if (path === null || !status?.session || this.#seen.has(stemOf(path))) return null;
    const file = contentsPath(path, this.#host.root);
    const name = baseName(path);
    const state = this.#stateText(status.session.running ? "running" : "finished");
    return {
      ...{ name, key: path, file, problem: "", isFree: false },
      about: [dateText(status.session.t0), state].join(" · "),
      open: () => this.#host.open?.(file === null ? { path, title: name } : { file }),
      rename: async () => undefined,
      remove: async () => undefined,
    };
  }

  #listed(one: Listed): Line {
    const file = contentsPath(one.path, this.#host.root);
    const { path, name } = one;
    return {
      ...{ name: baseName(path) || name, key: path, file, problem: one.problem },
      isFree: one.state !== "running",
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
    // What a file is, only who reads it knows.
    const size = bytes === 0 ? this.#trans.__("empty") : formatValue(bytes, "B");
    const state = isFolder ? this.#trans.__("still written, or left by a crash") : size;
    return {
      // Only a kernel can tell whether somebody still writes to a directory.
      ...{ name, key: path, file: path, problem: "", isFree: !isFolder },
      about: [whenText(changed), state].join(" · "),
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
    const item = h("li", {});
    const title = h("span", { class: "pulse-panel-name", title: line.name }, line.name);
    const about = h("div", { class: "pulse-panel-about" }, line.about);
    const open = h("button", { type: "button", class: "pulse-panel-open" }, title);
    open.addEventListener("click", line.open);
    open.dataset["act"] = "open";
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
      ...(line.isFree
        ? [
            this.#button("rename", trans.__("Rename %1", line.name), () =>
              this.#rename(line, item),
            ),
            this.#button("delete", trans.__("Delete %1", line.name), () => this.#remove(line)),
          ]
        : []),
    ];
    const text = h("div", { class: "pulse-panel-line" }, open, about);
    const problem = this.#failed?.key === line.key ? this.#failed.text : line.problem;
    if (problem) text.append(h("div", { class: "pulse-panel-problem", role: "status" }, problem));
    item.append(text, ...buttons);
    item.dataset["key"] = line.key;
    return item;
  }

  #button(icon: IconName, title: string, act: () => void): HTMLButtonElement {
    const drawn = this.#host.icon(icon);
    const made = h("button", { type: "button", class: "pulse-panel-icon", title });
    made.setAttribute("aria-label", title);
    made.dataset["act"] = icon;
    made.append(drawn ?? title);
    made.addEventListener("click", act);
    return made;
  }

  async #rename(line: Line, item: HTMLLIElement): Promise<void> {
    const trans = this.#trans;
    const ending = endingOf(line.name);
    const question = trans.__("New name of %1", line.name);
    this.#folder = folderOf(line.key);
    this.#failed = null;
    const at = [...this.#list.children].indexOf(item);
    const asking = h("li", { class: "pulse-panel-asking" });
    item.after(asking);
    const attempt: Attempt = async (name, say) => {
      if (name === stemOf(line.name) || name === line.name) return;
      const full = name.endsWith(ending) ? name : `${name}${ending}`;
      const doing = trans.__("Renaming…");
      say(doing);
      const waits = (why: string) => say(`${doing} ${why}`);
      const made = (await line.rename(full, waits)) as { path?: string } | undefined;
      this.#wanted = { key: made?.path ?? `${folderOf(line.key)}${full}`, act: "rename", at };
    };
    const asked = this.#ask.ask(question, trans.__("Rename"), stemOf(line.name), attempt, asking);
    await asked;
    asking.remove();
    this.refresh();
  }

  async #remove(line: Line): Promise<void> {
    const trans = this.#trans;
    const stop = this.#stop() ?? { at: 0, act: "delete", key: line.key };
    const sure = await this.#host.confirm(
      trans.__("Delete %1?", line.name),
      trans.__("The recording is removed from disk. This cannot be undone."),
      trans.__("Delete"),
    );
    if (!sure) return;
    this.#failed = null;
    const doing = trans.__("Deleting…");
    this.#say(doing);
    try {
      await line.remove((why) => this.#say(`${doing} ${why}`));
    } catch (problem) {
      this.#failed = { key: line.key, text: sentenceIn(problem, folderOf(line.key)) };
    }
    this.#say("");
    this.#wanted = stop;
    this.refresh();
  }
}

/** A place of the keyboard in the list: in which line, at which button. */
interface Stop {
  readonly key: string;
  readonly act: string;
  /** The number of the line. */
  readonly at: number;
}

/** Whether the keyboard is in `el` or nowhere, and not somewhere else where the user works. */
function isFree(el: Element): boolean {
  const { activeElement } = document;
  return activeElement === null || activeElement === document.body || el.contains(activeElement);
}

function plain(text: string): HTMLLIElement {
  return h("li", { class: "pulse-panel-none" }, text);
}

function whenText(seconds: number | null): string {
  return seconds === null || !Number.isFinite(seconds) ? "–" : dateText(seconds);
}
