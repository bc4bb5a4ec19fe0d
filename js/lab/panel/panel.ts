/** The panel in the sidebar: the monitor of the kernel that is followed. */

import type { TranslationBundle } from "@jupyterlab/translation";
import type { IDisposable } from "@lumino/disposable";
import type { Message } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import { h, setText } from "../../core/dom";
import { formatValue } from "../../core/vocabulary/format";
import { ActionError, type Followed, type IMonitors } from "../shared/monitors";
import type { Action, Actions } from "../shared/protocol";
import { baseName, contentsPath, nameForCopy } from "../shared/server-files";
import type { ISettings } from "../shared/settings";
import { Ask } from "./ask";
import { Board, WHOLE } from "./board";
import { Head } from "./head";
import type { Host } from "./host";
import { Moved } from "./moved";
import { Recordings } from "./recordings";
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
  /** Which recording the kernel is at, and whether it is still written. */
  #at = "";

  constructor({ monitors, host, trans, settings, reveal }: PanelOptions) {
    super();
    this.#monitors = monitors;
    this.#host = host;
    this.#trans = trans;
    this.#settings = settings;
    this.addClass("pulse-panel");
    this.moved = new Moved(monitors, reveal);
    this.#ask = new Ask(trans);
    this.#recordings = new Recordings(monitors, host, this.#ask, trans, {
      say: (text) => this.#say(text),
      fail: (problem) => this.#fail(problem),
    });
    this.#head = new Head(
      {
        choose: (session) => monitors.choose(session),
        choices: () => void this.#offerChoices(),
        stop: () => void this.#stop(),
        mark: () => void this.#mark(),
        save: () => void this.#save(),
        giveBack: () => this.moved.giveBack(),
      },
      trans,
    );
    const style = h("style", {}, STYLE);
    const { el } = this.#board;
    this.node.append(style, this.#head.el, this.#ask.el, this.#note, this.#state, el);
    this.node.append(this.#recordings.el);
    monitors.changed.connect(this.#update, this);
    this.moved.subscribe(() => this.#update());
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#leave();
    this.#monitors.changed.disconnect(this.#update, this);
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
    this.#look?.dispose();
    this.#look = null;
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
  }

  #draw(): void {
    const { followed, chosen } = this.#monitors;
    if (followed.session !== this.#session) {
      this.#session = followed.session;
      this.#ask.cancel();
      this.#say("");
    }
    const view = this.moved.shown;
    this.#head.update(followed, chosen, view !== null);
    this.#write(followed);
    if (!this.#look) return;
    this.#board.show(followed.store, view ?? WHOLE);
    const known = ["idle", "running", "ended"].includes(followed.condition);
    this.#recordings.from(known ? "kernel" : "files");
    const { running, path, t0 } = followed.status?.session ?? {};
    const at = JSON.stringify([running, path, t0]);
    if (!known || at === this.#at) return;
    this.#at = at;
    this.#recordings.refresh();
  }

  /** The sentence of this condition, and the buttons that help. */
  #write(followed: Followed): void {
    const { sentence, detail, code, offers } = saidOf(followed, this.#trans);
    const here = offers.filter((offer) => offer !== "open recording" || this.#host.open !== null);
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
      case "install":
        this.#say(this.#trans.__("Installing, in a cell of the notebook…"));
        return this.#try(() => this.#monitors.help(offer), "");
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
    await this.#try(async () => {
      const { path } = await this.#act(this.#trans.__("Stopping…"), "stop", {});
      if (path === null) this.#say(this.#trans.__("Stopped. Nothing was recorded."));
      else this.#tell(this.#trans.__("Stopped. The recording: %1", baseName(path)), path);
    });
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
    const { message } = problem as Error;
    const remedy = problem instanceof ActionError ? problem.remedy : "";
    this.#say(remedy ? `${message} ${remedy}` : message);
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
