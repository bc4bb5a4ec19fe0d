/** The panel in the sidebar: the monitor of the kernel that is followed. */

import type { TranslationBundle } from "@jupyterlab/translation";
import type { IDisposable } from "@lumino/disposable";
import type { Message } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import { h, setText } from "../../core/dom";
import { formatValue } from "../../core/vocabulary/format";
import type { Followed, IMonitors } from "../shared/monitors";
import type { Action, Actions } from "../shared/protocol";
import { baseName, contentsPath, nameForCopy } from "../shared/server-files";
import type { ISettings } from "../shared/settings";
import { Ask } from "./ask";
import { Board, WHOLE } from "./board";
import { Head } from "./head";
import type { Host } from "./host";
import { Moved } from "./moved";
import { Recordings } from "./recordings";
import { sentenceOf } from "./said";
import { type Offer, recordingOf, saidOf, titleOf } from "./states";
import { STYLE } from "./style";

export interface PanelOptions {
  readonly monitors: IMonitors;
  readonly host: Host;
  readonly trans: TranslationBundle;
  /** Without them a monitor is started as the kernel does by itself. */
  readonly settings: ISettings | null;
  reveal(): void;
}

export class PulsePanel extends Widget {
  readonly moved: Moved;
  readonly #monitors: IMonitors;
  readonly #host: Host;
  readonly #trans: TranslationBundle;
  readonly #settings: ISettings | null;
  readonly #head: Head;
  readonly #ask: Ask;
  readonly #board = new Board();
  readonly #recordings: Recordings;
  readonly #note = h("div", { class: "pulse-panel-note", role: "status" });
  readonly #state = h("div", { class: "pulse-panel-state", role: "status" });
  #look: IDisposable | null = null;
  /** What `#state` shows now. */
  #said = "";
  #session: string | null = null;
  /** An installation has ended; what came of it the kernel will say. */
  #installed = false;

  constructor({ monitors, host, trans, settings, reveal }: PanelOptions) {
    super();
    this.#monitors = monitors;
    this.#host = host;
    this.#trans = trans;
    this.#settings = settings;
    this.addClass("pulse-panel");
    this.moved = new Moved(monitors, reveal);
    this.#ask = new Ask(trans);
    this.#recordings = new Recordings(monitors, host, trans, (text) => this.#say(text));
    this.#head = new Head(
      {
        choose: (session) => monitors.choose(session),
        choices: () => void this.#askChoices(),
        stop: () => void this.#stop(),
        mark: () => void this.#mark(),
        save: () => void this.#save(),
        giveBack: () => this.moved.giveBack(),
      },
      trans,
    );
    const style = h("style", {}, STYLE);
    const body = h("div", { class: "pulse-panel-body" }, this.#state, this.#board.el);
    this.node.append(style, this.#head.el, this.#ask.el, this.#note, body, this.#recordings.el);
    monitors.changed.connect(this.#update, this);
    monitors.choicesChanged.connect(this.#offerSoon, this);
    this.moved.subscribe(() => this.#update());
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#leave();
    this.#monitors.changed.disconnect(this.#update, this);
    this.#monitors.choicesChanged.disconnect(this.#offerSoon, this);
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) this.#enter();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.#enter();
  }

  protected override onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this.#leave();
  }

  protected override onBeforeDetach(message: Message): void {
    super.onBeforeDetach(message);
    this.#leave();
  }

  /** The panel is seen: only now is a kernel asked. */
  #enter(): void {
    this.#look ??= this.#monitors.watch();
    this.#update();
    void this.#offerChoices();
    this.#recordings.refresh();
  }

  #leave(): void {
    this.#board.clear();
    this.#recordings.leave();
    this.#look?.dispose();
    this.#look = null;
  }

  #offerSoon(): void {
    if (this.#look) void this.#offerChoices();
  }

  /** Go into it with the keyboard. */
  enter(): void {
    this.#head.focus();
  }

  /** The list is opened: say of each kernel whether a monitor runs there. */
  async #askChoices(): Promise<void> {
    await this.#offerChoices();
    await this.#monitors.askChoices().catch(() => undefined);
  }

  async #offerChoices(): Promise<void> {
    try {
      const choices = await this.#monitors.choices();
      this.#head.offer(choices, this.#monitors.followed, this.#monitors.chosen);
    } catch {
      // Without the server's answer the list stays as it was.
    }
  }

  #update(): void {
    const had = this.node.contains(document.activeElement);
    this.#draw();
    // A button that was pressed may be gone: the keyboard goes on near where it was.
    const now = document.activeElement;
    if (had && !(this.node.contains(now) && !now?.closest("[hidden]"))) this.#head.focus();
    this.#sayInstalled(had);
  }

  /** An installation that has failed leaves the offer as it was: say so, and stay at it. */
  #sayInstalled(had: boolean): void {
    const { condition } = this.#monitors.followed;
    if (!this.#installed || ["starting", "busy"].includes(condition)) return;
    this.#installed = false;
    if (condition !== "absent") return;
    this.#say(this.#trans.__("The installation failed; its cell says why."));
    if (had) this.#state.querySelector("button")?.focus();
  }

  #draw(): void {
    const { followed, chosen } = this.#monitors;
    if (followed.session !== this.#session) {
      this.#session = followed.session;
      this.#installed = false;
      this.#ask.cancel();
      this.#say("");
    }
    const view = this.moved.shown;
    this.#head.update(followed, chosen, view !== null);
    this.#write(followed);
    if (!this.#look) return;
    this.#board.show(followed.store, view ?? WHOLE);
    this.#board.grey(isOld(followed));
    this.#recordings.follow(followed);
  }

  /** The sentence of this condition, and the buttons that help. */
  #write(followed: Followed): void {
    const { sentence, detail, code, offers } = saidOf(followed, this.#trans);
    const here = offers.filter((offer) => this.#can(offer, followed));
    const said = JSON.stringify([sentence, detail, code, here, followed.condition]);
    if (said === this.#said) return;
    this.#said = said;
    const parts: HTMLElement[] = [];
    if (sentence) parts.push(h("p", { class: "pulse-panel-sentence" }, sentence));
    if (detail) parts.push(h("p", {}, detail));
    if (code) parts.push(h("code", {}, code));
    const buttons = here.map((offer) => this.#button(offer, followed));
    if (buttons.length > 0) parts.push(h("div", { class: "pulse-panel-buttons" }, ...buttons));
    this.#state.hidden = parts.length === 0;
    this.#state.replaceChildren(...parts);
  }

  #can(offer: Offer, followed: Followed): boolean {
    if (offer === "open recording") return this.#host.open !== null;
    return offer !== "show recording" || this.#fileOf(followed) !== null;
  }

  /** Where the file browser has the recording; null where it does not reach it. */
  #fileOf(followed: Followed): string | null {
    const path = recordingOf(followed);
    return path === null || !this.#host.show ? null : contentsPath(path, this.#host.root);
  }

  #button(offer: Offer, followed: Followed): HTMLButtonElement {
    const title = titleOf(offer, followed.condition, this.#trans);
    const made = h("button", { type: "button" }, title);
    made.addEventListener("click", () => void this.#help(offer));
    return made;
  }

  async #help(offer: Offer): Promise<void> {
    switch (offer) {
      case "launcher":
        return this.#host.launcher();
      case "start":
        return this.#start();
      case "copy":
        return this.#copy();
      case "open recording": {
        const path = recordingOf(this.#monitors.followed);
        return path === null ? undefined : this.#open(path);
      }
      case "show recording": {
        const file = this.#fileOf(this.#monitors.followed);
        return file === null ? undefined : this.#host.show?.(file);
      }
      case "follow":
        return this.#monitors.choose(null);
      case "install":
        this.#say(this.#trans.__("Installing, in a cell of the notebook…"));
        return this.#try(async () => {
          await this.#monitors.help(offer);
          this.#installed = true;
        }, "");
      default:
        this.#say("");
        return this.#try(() => this.#monitors.help(offer));
    }
  }

  async #copy(): Promise<void> {
    const { code } = saidOf(this.#monitors.followed, this.#trans);
    await this.#try(() => this.#host.copy(code), this.#trans.__("Copied."));
  }

  async #start(): Promise<void> {
    const options = this.#settings ? { interval: this.#settings.values.interval } : {};
    await this.#try(() => this.#act(this.#trans.__("Starting a monitor…"), "start", options), "");
  }

  async #stop(): Promise<void> {
    // The state tells the rest.
    await this.#try(() => this.#act(this.#trans.__("Stopping…"), "stop", {}), "");
    this.#recordings.refresh();
  }

  async #mark(): Promise<void> {
    const trans = this.#trans;
    const label = await this.#ask.ask(trans.__("What happens now?"), trans.__("Mark"));
    if (label === null) return;
    const mark = () => this.#act(trans.__("Marking…"), "mark", { label });
    await this.#try(mark, trans.__("Marked: %1", label));
  }

  async #save(): Promise<void> {
    const trans = this.#trans;
    const { status, name } = this.#monitors.followed;
    const suggestion = nameForCopy(status?.session?.title || name, new Date());
    const question = trans.__("File name, in the kernel's folder");
    const path = await this.#ask.ask(question, trans.__("Save"), suggestion);
    if (path === null) return;
    await this.#try(async () => {
      const saved = await this.#act(trans.__("Saving…"), "save", { path });
      const size = formatValue(saved.bytes, "B");
      this.#tell(trans.__("Saved, %1: %2", size, baseName(saved.path)), saved.path);
    });
    this.#recordings.refresh();
  }

  /** Have the kernel do something, and say so; if that takes long, why. */
  #act<A extends Action>(
    doing: string,
    action: A,
    options: Actions[A]["options"],
  ): Promise<Actions[A]["result"]> {
    this.#say(doing);
    return this.#monitors.act(action, options, (why) => this.#say(`${doing} ${why}`));
  }

  async #try(act: () => Promise<unknown>, done?: string): Promise<void> {
    try {
      await act();
      if (done !== undefined) this.#say(done);
    } catch (problem) {
      this.#fail(problem);
    }
  }

  #fail(problem: unknown): void {
    this.#say(sentenceOf(problem));
  }

  #say(text: string): void {
    setText(this.#note, text);
  }

  /** Say something about a recording, and offer it. */
  #tell(text: string, path: string): void {
    this.#note.replaceChildren(h("span", { title: path }, text));
    const offer = (title: string, act: () => void) => {
      const made = h("button", { type: "button" }, title);
      made.addEventListener("click", act);
      this.#note.append(" ", made);
    };
    const file = contentsPath(path, this.#host.root);
    const { show } = this.#host;
    if (this.#host.open) offer(this.#trans.__("Open"), () => this.#open(path));
    if (show && file !== null) offer(this.#trans.__("Show in file browser"), () => show(file));
  }

  #open(path: string): void {
    const file = contentsPath(path, this.#host.root);
    this.#host.open?.(file === null ? { path, title: baseName(path) } : { file });
  }
}

/** Whether what is drawn may be out of date, though nobody has said that it has ended. */
function isOld({ condition, store }: Followed): boolean {
  return store !== null && !store.ended() && !["running", "ended", "idle"].includes(condition);
}
