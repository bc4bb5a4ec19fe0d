/** One recording in a tab, read without a kernel: opening, progress, trouble, changes on disk. */

import { LiveStore } from "../../core/history/live-store";
import { openFile } from "../../file/open";
import { GoneError, RecordingError, type Trouble } from "../../file/place";
import type { RecordingChannel } from "../../file/recording";
import { openDirectory } from "../../file/running/open";
import { LabFiles, type Services } from "./lab-files";
import { finishedOf, replayLine } from "./names";
import { type Button, Stage } from "./stage";

/** Work that takes longer is spoken of. */
const PATIENCE_MS = 2000;
const PROGRESS_MS = 250;
/** Whether a file has changed is asked no more often than this. */
const LOOK_MS = 5000;
const TROUBLE_MS = 1000;
const MILLION = 1e6;

export interface Opened {
  readonly path: string;
  /** `path` is that of a directory. */
  readonly isFolder: boolean;
}

export interface Around {
  readonly services: Services;
  /** Open another recording in a tab beside this one. */
  openBeside(path: string): void;
  /** Open another recording in the place of this one. */
  openInstead(path: string): void;
  /** Nobody can see it. */
  hidden(): boolean;
}

export class RecordingTab {
  readonly #stage: Stage;
  readonly #around: Around;
  #opened: Opened;
  #reading = new AbortController();
  #close: () => void = () => undefined;
  #progress: ReturnType<typeof setInterval> | undefined;
  /** What tells this state of the file from a later one; "" before it is known. */
  #stamp = "";
  #looked = 0;
  /** What is said to be wrong with what is drawn. */
  #trouble: string | null = null;

  constructor(el: HTMLElement, opened: Opened, around: Around) {
    this.#stage = new Stage(el);
    this.#opened = opened;
    this.#around = around;
    void this.open();
  }

  /** Read it, or read it again. */
  async open(): Promise<void> {
    this.#leave();
    const reading = new AbortController();
    this.#reading = reading;
    for (const key of ["changed", "unfinished"]) this.#stage.notice(key, null);
    const watch = this.#watch(reading);
    try {
      const stamp = await this.#stampNow();
      reading.signal.throwIfAborted();
      const channel = await this.#channel(new LabFiles(this.#around.services, watch), reading);
      if (reading.signal.aborted) channel.close();
      reading.signal.throwIfAborted();
      this.#stamp = stamp;
      this.#looked = Date.now();
      this.#show(channel);
      if (this.#opened.isFolder && !channel.running) this.#tellUnfinished();
    } catch (problem) {
      if (this.#reading !== reading || reading.signal.reason === CLOSED) return;
      if (reading.signal.aborted) this.#sayCancelled();
      else this.#sayTrouble(problem);
    } finally {
      if (this.#reading === reading) clearInterval(this.#progress);
    }
  }

  focus(): void {
    this.#stage.focus();
  }

  /** Somebody looks at it again: has the file changed meanwhile? */
  async look(): Promise<void> {
    if (Date.now() - this.#looked >= LOOK_MS) await this.tellChanged();
  }

  /** It has been renamed or moved. What is open stays: from now on it is read there. */
  tellMoved(opened: Opened): void {
    if (opened.isFolder === this.#opened.isFolder) this.#opened = opened;
  }

  /** It may have changed: JupyterLab says so of what was only moved with its folder, too. */
  async tellChanged(): Promise<void> {
    const before = this.#stamp;
    if (this.#opened.isFolder || before === "") return;
    this.#looked = Date.now();
    const stamp = await this.#stampNow();
    if (stamp === "" || stamp === before || before !== this.#stamp) return;
    const { trans } = this.#around.services;
    this.#stage.notice("changed", {
      sentence: trans.__("%1 has changed on disk.", this.#name),
      working: true,
      buttons: [{ label: trans.__("Reload"), run: () => void this.open() }],
    });
  }

  /** A directory that nobody writes any more: else it would have become a file. */
  #tellUnfinished(): void {
    const { trans } = this.#around.services;
    this.#stage.notice("unfinished", {
      sentence: trans.__("%1 is unfinished: it has not been written to for 30 s.", this.#name),
      remedy: trans.__("Its program was killed or has crashed. What it had written is shown."),
      buttons: [{ label: trans.__("Reload"), run: () => void this.open() }],
    });
  }

  /** Another recording was dropped here. */
  tellDropped(path: string): void {
    const { services, openBeside } = this.#around;
    const { trans, contents } = services;
    const name = contents.localPath(path).split("/").pop() ?? path;
    const away = () => this.#stage.notice("dropped", null);
    const beside = () => {
      away();
      openBeside(path);
    };
    this.#stage.notice("dropped", {
      sentence: trans.__("Recordings cannot be compared in one picture yet."),
      remedy: trans.__("%1 can be opened in a tab beside this one.", name),
      working: true,
      buttons: [
        { label: trans.__("Open beside"), run: beside },
        { label: trans.__("Dismiss"), run: away },
      ],
    });
  }

  dispose(): void {
    this.#leave();
    this.#stage.dispose();
  }

  get #name(): string {
    const { path } = this.#opened;
    return this.#around.services.contents.localPath(path).split("/").pop() ?? path;
  }

  #leave(): void {
    clearInterval(this.#progress);
    this.#reading.abort(CLOSED);
    this.#close();
    this.#close = () => undefined;
    this.#tellTrouble(null);
    this.#stamp = "";
  }

  async #stampNow(): Promise<string> {
    if (this.#opened.isFolder) return "";
    try {
      const model = await this.#around.services.contents.get(this.#opened.path, { content: false });
      return `${model.last_modified} ${model.size ?? ""}`;
    } catch {
      // Reading it says what is wrong, better.
      return "";
    }
  }

  async #channel(files: LabFiles, reading: AbortController): Promise<RecordingChannel> {
    const where = () => this.#opened.path;
    if (!this.#opened.isFolder) return openFile(files.file(where));
    const now = (then: () => void) => () => {
      if (this.#reading === reading) then();
    };
    const options = {
      hidden: () => this.#around.hidden(),
      gone: now(() => void this.#goOver()),
      again: now(() => void this.open()),
    };
    try {
      return await openDirectory(files.folder(where), options);
    } catch (problem) {
      // It may have been finished meanwhile.
      if (problem instanceof GoneError) await this.#becomeFile(files, reading);
      throw problem;
    }
  }

  /** The directory has become one file, or it was deleted. */
  async #goOver(): Promise<void> {
    const reading = this.#reading;
    const watch = { signal: reading.signal, fetched: () => undefined };
    const isOver = () => reading !== this.#reading || reading.signal.aborted;
    try {
      await this.#becomeFile(new LabFiles(this.#around.services, watch), reading);
      const { trans } = this.#around.services;
      if (!isOver()) throw new GoneError(trans.__("%1 is not there any more.", this.#name));
    } catch (problem) {
      if (!isOver()) this.#sayTrouble(problem);
    }
  }

  /** Opens the file that the directory has become, where there is one, and leaves this. */
  async #becomeFile(files: LabFiles, reading: AbortController): Promise<void> {
    const finished = finishedOf(this.#opened.path);
    if (!finished || !(await files.has(finished))) return;
    if (reading !== this.#reading || reading.signal.aborted) return;
    this.#leave();
    this.#around.openInstead(finished);
  }

  #show(channel: RecordingChannel): void {
    const store = new LiveStore(channel);
    const leave = store.attach();
    this.#stage.draw(store, this.#opened.path);
    const known = channel.problems;
    const watching = setInterval(() => {
      const news = channel.problems.find((problem) => !known.includes(problem));
      this.#tellTrouble(news ?? null);
    }, TROUBLE_MS);
    this.#close = () => {
      clearInterval(watching);
      leave();
      channel.close();
    };
  }

  /** What could not be read for a closer look. */
  #tellTrouble(problem: string | null): void {
    if (problem === this.#trouble) return;
    this.#trouble = problem;
    const label = this.#around.services.trans.__("Reload");
    const buttons = [{ label, run: () => void this.open() }];
    this.#stage.notice("trouble", problem === null ? null : { sentence: problem, buttons });
  }

  /** Tells of work that takes long, how far it is, and how to end it. */
  #watch(reading: AbortController) {
    const { trans } = this.#around.services;
    const begun = Date.now();
    let bytes = 0;
    let size: number | null = null;
    const sentence = () => {
      const read = (bytes / MILLION).toFixed(1);
      if (size === null || size < bytes) return trans.__("Reading %1: %2 MB", this.#name, read);
      const all = (size / MILLION).toFixed(1);
      return trans.__("Reading %1: %2 of %3 MB", this.#name, read, all);
    };
    const cancel = { label: trans.__("Cancel"), run: () => reading.abort(CANCELLED) };
    let isSaid = false;
    this.#progress = setInterval(() => {
      if (Date.now() - begun < PATIENCE_MS) return;
      if (isSaid) this.#stage.reword(sentence());
      else this.#stage.say({ sentence: sentence(), working: true, buttons: [cancel] });
      isSaid = true;
    }, PROGRESS_MS);
    return {
      signal: reading.signal,
      fetched: (some: number, of: number | null) => {
        bytes += some;
        size = of;
      },
    };
  }

  #sayCancelled(): void {
    const { trans } = this.#around.services;
    this.#stage.say({
      sentence: trans.__("%1 was not read to its end.", this.#name),
      working: true,
      buttons: [{ label: trans.__("Read it"), run: () => void this.open() }],
    });
  }

  #sayTrouble(problem: unknown): void {
    const { trans } = this.#around.services;
    this.#stage.notice("unfinished", null);
    const known = problem instanceof RecordingError ? problem : null;
    if (!known) console.error("Pulse: a recording could not be read", problem);
    const what = problem instanceof Error ? problem.message : String(problem);
    const line = replayLine(this.#around.services.contents.localPath(this.#opened.path));
    const again = { label: trans.__("Try again"), run: () => void this.open() };
    const copy = {
      label: trans.__("Copy the line"),
      run: () => this.#stage.copy(),
    };
    const trouble = known?.trouble ?? "damaged";
    const buttons: Record<Trouble, Button[]> = {
      unreachable: [again],
      foreign: [again],
      empty: [again],
      damaged: [again],
      newer: [again],
      "too large": [copy],
    };
    const shown = buttons[trouble];
    this.#stage.say({
      sentence: known ? what : trans.__("%1 cannot be read: %2", this.#name, what),
      remedy: known?.remedy ?? "",
      line: shown.includes(copy) ? line : "",
      buttons: shown,
    });
  }
}

const CANCELLED = new DOMException("cancelled", "AbortError");
const CLOSED = new DOMException("closed", "AbortError");
