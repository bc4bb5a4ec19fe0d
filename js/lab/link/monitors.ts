/** Which kernel is followed, and the links to kernels: what `IMonitors` is. */

import type { KernelMessage, KernelSpec, Session } from "@jupyterlab/services";
import type { TranslationBundle } from "@jupyterlab/translation";
import { DisposableDelegate, type IDisposable } from "@lumino/disposable";
import { type ISignal, Signal } from "@lumino/signaling";
import type { LiveStore } from "../../core/history/live-store";
import {
  ActionError,
  type Choice,
  type Condition,
  type Followed,
  type Help,
  type IMonitors,
  type Waits,
} from "../shared/monitors";
import type { Action, Actions } from "../shared/protocol";
import { Asked } from "./asked";
import { Link } from "./link";
import type { Place } from "./place";
import { INSTALL } from "./refusal";
import { type Own, openReplay } from "./replay";
import { SessionPlace } from "./session-place";

/** Documents whose history is kept, the newest. */
const MOST_KEPT = 6;

/** No comm of ours is JupyterLab's, and a connection of our own draws no widgets. */
const OWN = { handleComms: false };

/** Then a monitor that is heard is news. */
const SILENT: readonly Condition[] = ["idle", "absent", "unloaded"];

const NOBODY: Followed = {
  ...{ name: "", session: null, kernel: "", condition: "no kernel", problem: "", remedy: "" },
  ...{ status: null, store: null },
};

/** The documents of this page, as `Places` has them. */
export interface Documents {
  readonly all: readonly Place[];
  readonly active: Place | null;
  readonly changed: ISignal<unknown, void>;
}

export interface Services {
  readonly sessions: Session.IManager;
  readonly kernelspecs: KernelSpec.IManager;
}

export class Monitors implements IMonitors {
  readonly #places: Documents;
  readonly #services: Services;
  readonly #trans: TranslationBundle;
  readonly #changed = new Signal<this, void>(this);
  readonly #choicesChanged = new Signal<this, void>(this);
  /** The documents and sessions of which that was told last. */
  #known = "";
  readonly #links = new Map<string, Link>();
  /** The kernel of each place, as it was last. */
  readonly #kernels = new Map<Place, string | null>();
  /** What was shown of each place last. */
  readonly #kept = new Map<Place, LiveStore>();
  /** Kernels in which a monitor was heard of in passing. */
  readonly #heard = new Set<string>();
  #chosen: string | null = null;
  #own: SessionPlace | null = null;
  #link: Link | null = null;
  #look: IDisposable | null = null;
  #watchers = 0;
  /** What kernels have told that nobody follows. */
  readonly #asked = new Asked((id) => this.#connectionTo(id));

  constructor(places: Documents, services: Services, trans: TranslationBundle) {
    this.#places = places;
    this.#services = services;
    this.#trans = trans;
    places.changed.connect(this.#follow, this);
    services.kernelspecs.specsChanged.connect(this.#follow, this);
    services.sessions.runningChanged.connect(this.#compareChoices, this);
    this.#follow();
  }

  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  get choicesChanged(): ISignal<this, void> {
    return this.#choicesChanged;
  }

  get chosen(): string | null {
    return this.#chosen;
  }

  get followed(): Followed {
    const place = this.#place;
    if (!place) return NOBODY;
    const { name, session, kernel } = place;
    const store = this.#kept.get(place) ?? null;
    const about = { ...NOBODY, name, session, store };
    if (!kernel) {
      const isOver = place === this.#own && this.#own.isOver;
      const problem = isOver ? this.#trans.__("The kernel of %1 was shut down.", name) : "";
      return { ...about, condition: place.standing ?? "no kernel", problem };
    }
    const known = { ...about, kernel: this.#titleOf(kernel.name) };
    const language = this.#languageOf(kernel.name);
    if (!language.startsWith("python")) {
      return { ...known, condition: "foreign", problem: language };
    }
    if (!this.#link) return { ...known, condition: "starting" };
    const { state } = this.#link;
    const isHeard = state.condition === "unasked" && this.#heard.has(kernel.id);
    return {
      ...known,
      ...state,
      condition: isHeard ? "running" : state.condition,
      store: state.store ?? store,
    };
  }

  async choices(): Promise<readonly Choice[]> {
    await this.#services.sessions.refreshRunning();
    const active = this.#places.active?.session;
    const all = [...this.#services.sessions.running()].filter((one) => one.kernel);
    const sorted = [
      ...all.filter((one) => one.id === active),
      ...all.filter((one) => one.id !== active),
    ];
    return sorted.map(({ id, name, path, kernel }) => ({
      session: id,
      name: name || path,
      kernel: this.#titleOf(kernel?.name ?? ""),
      running: this.#runsIn(kernel?.id ?? ""),
    }));
  }

  async askChoices(): Promise<void> {
    const ids = [...this.#services.sessions.running()]
      .map(({ kernel }) => kernel)
      .filter((kernel) => kernel && this.#languageOf(kernel.name).startsWith("python"))
      .map((kernel) => kernel?.id ?? "");
    await this.#asked.ask(ids.filter((id) => this.#runsIn(id) === null || this.#asked.has(id)));
    this.#choicesChanged.emit();
  }

  choose(session: string | null): void {
    this.#chosen = session;
    this.#follow();
  }

  watch(): IDisposable {
    if (++this.#watchers === 1) this.#look = this.#link?.watch() ?? null;
    return new DisposableDelegate(() => {
      if (--this.#watchers > 0) return;
      this.#look?.dispose();
      this.#look = null;
    });
  }

  async act<A extends Action>(
    action: A,
    options: Actions[A]["options"],
    waits?: Waits,
  ): Promise<Actions[A]["result"]> {
    if (!this.#link) throw this.#nothing();
    return this.#link.act(action, options, waits);
  }

  async replay(path: string, waits?: Waits): Promise<{ store: LiveStore; dispose(): void }> {
    const kernel = this.#link?.kernel;
    if (!kernel) throw this.#nothing();
    return openReplay(kernel, path, this.#trans, {
      again: () => this.#connectionTo(kernel.id),
      waits,
    });
  }

  /** A connection of our own to a kernel; null where no session has it. */
  #connectionTo(id: string): Own | null {
    const { sessions } = this.#services;
    const model = [...sessions.running()].find((one) => one.kernel?.id === id);
    if (!model) return null;
    const session = sessions.connectTo({ model, kernelConnectionOptions: OWN });
    const { kernel } = session;
    return kernel ? { kernel, dispose: () => session.dispose() } : null;
  }

  async help(how: Help): Promise<void> {
    const place = this.#place;
    if (how === "restart") await place?.restart();
    else if (how === "choose kernel") await place?.chooseKernel();
    else {
      if (how === "install") await this.#install(place);
      this.#link?.retry(how === "load");
    }
  }

  async #install(place: Place | null): Promise<void> {
    if (place?.run) return place.run(INSTALL);
    throw new ActionError(
      this.#trans.__("The notebook of this kernel is not open here."),
      this.#trans.__("Open it, or run the line in another way."),
    );
  }

  /** The page ends: take out of the kernels what we put there. */
  leave(): void {
    for (const link of this.#links.values()) link.leave();
  }

  get #place(): Place | null {
    if (this.#chosen === null) return this.#places.active;
    const open = this.#places.all.find((place) => place.session === this.#chosen);
    return open ?? this.#own;
  }

  #nothing(): ActionError {
    return new ActionError(
      this.#trans.__("There is no Python kernel to ask."),
      this.#trans.__("Open a notebook, or choose a kernel in the Pulse panel."),
    );
  }

  /** Keep a connection of our own to what was chosen, as long as no document has one. */
  #keepConnected(): void {
    const chosen = this.#chosen;
    const own = this.#own;
    const isOpen = this.#places.all.some((place) => place.session === chosen);
    // One that has ended stays until the user turns to another: what it showed is not lost.
    if (own && (own.session !== chosen || isOpen)) {
      this.#own = null;
      own.dispose();
    }
    if (this.#chosen !== null && !isOpen && !this.#own) this.#connect(this.#chosen);
  }

  #connect(session: string): void {
    const { sessions } = this.#services;
    const model = [...sessions.running()].find((one) => one.id === session);
    if (!model?.kernel) {
      this.#chosen = null;
      return;
    }
    this.#own = new SessionPlace(sessions.connectTo({ model, kernelConnectionOptions: OWN }));
  }

  /** Something of the documents or their kernels is another. */
  #follow(): void {
    this.#keepConnected();
    const all: readonly Place[] = this.#own ? [...this.#places.all, this.#own] : this.#places.all;
    for (const place of all) this.#note(place);
    for (const place of this.#kernels.keys()) if (!all.includes(place)) this.#gone(place, all);
    for (const place of all) this.#compare(place, all);
    const place = this.#place;
    const link = place ? this.#linkOf(place) : null;
    if (link !== this.#link) {
      this.#look?.dispose();
      this.#look = null;
      this.#link = link;
    }
    // First: who looks only at a monitor that runs may leave now, and then nothing is asked.
    this.#changed.emit();
    if (this.#watchers > 0) this.#look ??= this.#link?.watch() ?? null;
    this.#compareChoices();
  }

  #compareChoices(): void {
    const open = this.#places.all.map(({ name, session, kernel }) => [name, session, kernel?.id]);
    const running = [...this.#services.sessions.running()];
    const known = running.map(({ id, name, path, kernel }) => [id, name, path, kernel?.id]);
    const now = JSON.stringify([open, known, this.#places.active?.session]);
    if (now === this.#known) return;
    this.#known = now;
    this.#choicesChanged.emit();
  }

  #note(place: Place): void {
    if (this.#kernels.has(place)) return;
    const kernel = place.kernel?.id ?? null;
    this.#kernels.set(place, kernel);
    const store = kernel === null ? null : this.#links.get(kernel)?.state.store;
    if (store) this.#kept.set(place, store);
    place.changed.connect(this.#follow, this);
    place.heard.connect(this.#hear, this);
  }

  /** A place was closed; its kernel may be in use elsewhere. */
  #gone(place: Place, all: readonly Place[]): void {
    const kernel = this.#kernels.get(place) ?? null;
    this.#kernels.delete(place);
    this.#kept.delete(place);
    if (kernel !== null) this.#moveOn(kernel, all, null);
  }

  /** A place may have another kernel than before. */
  #compare(place: Place, all: readonly Place[]): void {
    const before = this.#kernels.get(place) ?? null;
    const now = place.kernel?.id ?? null;
    if (before === now) return;
    this.#kernels.set(place, now);
    if (before !== null) this.#moveOn(before, all, now === null ? "shut down" : "replaced");
  }

  /** A kernel that one place no longer uses: go on over another place, or end. */
  #moveOn(id: string, all: readonly Place[], how: "shut down" | "replaced" | null): void {
    const link = this.#links.get(id);
    const other = all.find((place) => place.kernel?.id === id);
    if (other?.kernel) link?.use(other.kernel);
    if (other?.kernel || !link) return;
    if (how) link.end(how);
    this.#links.delete(id);
    this.#heard.delete(id);
    link.changed.disconnect(this.#tell, this);
    link.dispose();
  }

  #linkOf({ kernel }: Place): Link | null {
    if (!kernel || !this.#languageOf(kernel.name).startsWith("python")) return null;
    const known = this.#links.get(kernel.id);
    if (known) {
      if (known.kernel.isDisposed) known.use(kernel);
      return known;
    }
    const link = new Link(kernel, this.#trans);
    this.#links.set(kernel.id, link);
    link.changed.connect(this.#tell, this);
    return link;
  }

  #tell(link: Link): void {
    const { store, condition } = link.state;
    if (condition === "running") this.#heard.add(link.kernel.id);
    else if (condition !== "unasked") this.#heard.delete(link.kernel.id);
    if (store) this.#keep(link, store);
    this.#changed.emit();
  }

  #keep(link: Link, store: LiveStore): void {
    for (const [place, id] of this.#kernels) {
      if (id !== link.kernel.id) continue;
      this.#kept.delete(place);
      this.#kept.set(place, store);
    }
    for (const place of [...this.#kept.keys()].slice(0, -MOST_KEPT)) {
      this.#kept.delete(place);
      const id = this.#kernels.get(place);
      if (id) this.#links.get(id)?.forget();
    }
  }

  /** A feed's packet passes by: a monitor runs, though nobody has asked. */
  #hear(place: Place, message: KernelMessage.IMessage): void {
    const kernel = place.kernel?.id;
    if (!kernel || this.#heard.has(kernel) || !isPacket(message)) return;
    this.#heard.add(kernel);
    const link = this.#links.get(kernel);
    if (link && SILENT.includes(link.state.condition)) link.retry();
    this.#changed.emit();
  }

  #runsIn(kernel: string): boolean | null {
    if (this.#heard.has(kernel)) return true;
    const condition = this.#links.get(kernel)?.state.condition;
    if (condition === "idle" || condition === "ended") return false;
    return this.#asked.get(kernel);
  }

  #specOf(name: string): KernelSpec.ISpecModel | undefined {
    return this.#services.kernelspecs.specs?.kernelspecs[name];
  }

  #titleOf(name: string): string {
    return this.#specOf(name)?.display_name ?? name;
  }

  /** Of a kernel whose specification is not here, only its name can tell. */
  #languageOf(name: string): string {
    const language = this.#specOf(name)?.language ?? (/py|conda/i.test(name) ? "python" : name);
    return language.toLowerCase();
  }
}

function isPacket(message: KernelMessage.IMessage): boolean {
  if (message.header.msg_type !== "comm_msg") return false;
  const { data } = message.content as { data?: { content?: { kind?: unknown } } };
  return data?.content?.kind === "packet";
}
