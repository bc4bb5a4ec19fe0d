/** The content of a tab; the code that reads and draws is loaded when the first one is shown. */

import type { TranslationBundle } from "@jupyterlab/translation";
import type { Drag } from "@lumino/dragdrop";
import type { Message } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import { isRecording } from "./names";
import type { Opened } from "./tab";

/** What a file browser puts into a drag: the paths. */
const CONTENTS_MIME = "application/x-jupyter-icontents";

/** What is drawn in a tab. */
export interface Drawn {
  focus(): void;
  dispose(): void;
  /** Somebody looks again. */
  look?(): unknown;
  /** The file is known to be another now. */
  tellChanged?(): unknown;
  /** The file has another name now. */
  tellMoved?(opened: Opened): void;
  tellDropped?(path: string): void;
}

/** So many tabs that nobody sees keep what they have read. */
const MOST_HIDDEN = 3;

/** Tabs that were seen and are hidden now. Those left first let go of all that they hold. */
export class Shelf {
  readonly #hidden = new Set<RecordingView>();

  leave(view: RecordingView): void {
    this.#hidden.delete(view);
    this.#hidden.add(view);
  }

  take(view: RecordingView): void {
    this.#hidden.delete(view);
    // Not in `leave`: a tab is hidden before the one that takes its place is seen.
    for (const oldest of [...this.#hidden].slice(0, -MOST_HIDDEN)) {
      this.#hidden.delete(oldest);
      oldest.putAway();
    }
  }
}

export class RecordingView extends Widget {
  readonly #load: (el: HTMLElement) => Promise<Drawn>;
  readonly #trans: TranslationBundle;
  readonly #onFocus = () => this.#look();
  #drawn: Drawn | null = null;
  #isLoading = false;
  readonly #shelf: Shelf | null;
  readonly #restored: Promise<unknown>;

  /**
   * `shelf` is for what can be read again at any time. Nothing is read before `restored`: until
   * then every tab of the last time is in front for a moment.
   */
  constructor(
    trans: TranslationBundle,
    load: (el: HTMLElement) => Promise<Drawn>,
    shelf: Shelf | null = null,
    restored: Promise<unknown> = Promise.resolve(),
  ) {
    super();
    this.#restored = restored;
    this.#load = load;
    this.#trans = trans;
    this.#shelf = shelf;
    this.addClass("pulse-recording-view");
  }

  tellChanged(): void {
    this.#drawn?.tellChanged?.();
  }

  tellMoved(opened: Opened): void {
    this.#drawn?.tellMoved?.(opened);
  }

  /** Nobody has seen it for long: it is read again when somebody does. */
  putAway(): void {
    this.#drawn?.dispose();
    this.#drawn = null;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#shelf?.take(this);
    this.putAway();
    super.dispose();
  }

  handleEvent(event: Event): void {
    const drag = event as Drag.Event;
    const path = this.#droppedPath(drag);
    if (path === null) return;
    event.preventDefault();
    event.stopPropagation();
    // A file browser offers one action alone; nothing is moved by it.
    drag.dropAction = drag.proposedAction;
    if (event.type === "lm-drop") this.#drawn?.tellDropped?.(path);
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    for (const type of DRAGS) this.node.addEventListener(type, this);
    window.addEventListener("focus", this.#onFocus);
    if (this.isVisible) void this.#begin();
  }

  protected override onBeforeDetach(message: Message): void {
    for (const type of DRAGS) this.node.removeEventListener(type, this);
    window.removeEventListener("focus", this.#onFocus);
    super.onBeforeDetach(message);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.#shelf?.take(this);
    void this.#begin();
    this.#look();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.#shelf?.leave(this);
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    if (this.#drawn) this.#drawn.focus();
    else {
      this.node.tabIndex = -1;
      this.node.focus();
    }
  }

  #look(): void {
    if (this.isVisible) this.#drawn?.look?.();
  }

  #droppedPath(event: Drag.Event): string | null {
    if (!this.#drawn?.tellDropped || !event.mimeData?.hasData(CONTENTS_MIME)) return null;
    const paths = event.mimeData.getData(CONTENTS_MIME) as readonly string[];
    return paths.find(isRecording) ?? null;
  }

  async #begin(): Promise<void> {
    if (this.#drawn || this.#isLoading) return;
    this.#isLoading = true;
    try {
      await this.#restored;
      if (!this.isVisible) return;
      const drawn = await this.#load(this.node);
      this.node.style.padding = "";
      // It begins when it is seen.
      if (this.isDisposed || !this.isVisible) drawn.dispose();
      else this.#drawn = drawn;
    } catch (problem) {
      console.error("Pulse: the viewer could not be loaded", problem);
      this.#sayNotLoaded();
    } finally {
      this.#isLoading = false;
    }
  }

  #sayNotLoaded(): void {
    const line = document.createElement("p");
    line.textContent = this.#trans.__("The viewer of recordings could not be loaded.");
    const again = document.createElement("button");
    again.textContent = this.#trans.__("Try again");
    again.addEventListener("click", () => void this.#begin());
    this.node.replaceChildren(line, again);
    this.node.style.padding = "24px";
  }
}

const DRAGS = ["lm-dragenter", "lm-dragover", "lm-drop"];
