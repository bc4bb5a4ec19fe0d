// @vitest-environment happy-dom
import type { TranslationBundle } from "@jupyterlab/translation";
import { DisposableDelegate } from "@lumino/disposable";
import { Signal } from "@lumino/signaling";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Arrival, Listener } from "../../core/history/channel";
import { LiveStore } from "../../core/history/live-store";
import { keyframeOf } from "../../core/testing/packets";
import { ActionError, type IMonitors } from "../shared/monitors";
import { KernelTab } from "./kernel-tab";
import { FakeServer } from "./testing";

const trans: TranslationBundle = new FakeServer().services.trans;
let el: HTMLElement;
let tab: KernelTab | null = null;

beforeEach(() => {
  vi.useFakeTimers();
  el = document.body.appendChild(document.createElement("div"));
});

afterEach(() => {
  tab?.dispose();
  tab = null;
  el.remove();
  vi.useRealTimers();
});

const replayed = () => {
  const channel = { closed: false, subscribe: () => () => undefined, send: () => true };
  return { store: new LiveStore(channel), dispose: vi.fn() };
};
const monitors = (replay: IMonitors["replay"]) =>
  Object.assign(new FakeMonitors(), { replay }).asMonitors;
const said = () => [...el.querySelectorAll(".pulse-said")].map((card) => card.textContent ?? "");
const press = (label: string) => {
  const buttons = [...el.querySelectorAll<HTMLElement>(".pulse-said button")];
  buttons.find(({ textContent }) => textContent === label)?.click();
  return vi.advanceTimersByTimeAsync(0);
};
const isDrawn = () => el.querySelector(".pulse") !== null;

async function opened(from: IMonitors | null): Promise<KernelTab> {
  tab = new KernelTab(el, "/home/me/a", from, trans);
  await vi.advanceTimersByTimeAsync(0);
  return tab;
}

test("what the kernel gives is drawn, and let go of with the tab", async () => {
  const replay = replayed();
  const shown = await opened(monitors(() => Promise.resolve(replay)));
  expect(isDrawn()).toBe(true);
  expect(said()).toEqual([]);

  shown.dispose();
  expect(replay.dispose).toHaveBeenCalledTimes(1);
});

test("while it is waited for a sentence says so", async () => {
  await opened(monitors(() => new Promise(() => undefined)));
  expect(said()).toEqual([]);
  await vi.advanceTimersByTimeAsync(1100);
  expect(said()).toEqual(["Waiting for the kernel to open /home/me/a"]);
});

test("a kernel that a cell holds up says why it is waited for, and goes on", async () => {
  let open: (made: ReturnType<typeof replayed>) => void = () => undefined;
  const opening = new Promise<ReturnType<typeof replayed>>((resolve) => {
    open = resolve;
  });
  await opened(
    monitors((_, waits) => {
      waits?.("A cell is running.");
      return opening;
    }),
  );
  expect(said()).toEqual(["Waiting for the kernel to open /home/me/aA cell is running."]);
  await vi.advanceTimersByTimeAsync(1100);
  expect(said()).toEqual(["Waiting for the kernel to open /home/me/aA cell is running."]);

  open(replayed());
  await vi.advanceTimersByTimeAsync(0);
  expect([said(), isDrawn()]).toEqual([[], true]);
});

test("a refusal is a sentence with a remedy, and is tried again", async () => {
  const replay = vi
    .fn()
    .mockRejectedValueOnce(new ActionError("There is no recording.", "Look elsewhere."))
    .mockResolvedValueOnce(replayed());
  await opened(monitors(replay));
  expect(said()[0]).toContain("There is no recording.Look elsewhere.");
  expect(said()[0]).toContain('pw.replay("/home/me/a")');

  el.querySelector<HTMLElement>(".pulse-said button")?.click();
  await vi.advanceTimersByTimeAsync(0);
  expect(isDrawn()).toBe(true);
});

test("without the plugin that asks kernels it is said how to open it", async () => {
  await opened(null);
  expect(said()[0]).toContain("No kernel can be asked for /home/me/a.");
  expect(said()[0]).toContain('pw.replay("/home/me/a")');
});

/** Monitors that follow a kernel, whose session may be the recording. */
class FakeMonitors {
  readonly changed = new Signal<unknown, void>(this);
  readonly replay = vi.fn(() => Promise.resolve(replayed()));
  watchers = 0;
  followed: object = { status: null, store: null };

  follow(path: string | null, store: LiveStore | null, running = true): void {
    this.followed = { status: { session: { path, running } }, store };
    this.changed.emit();
  }

  watch() {
    this.watchers++;
    return new DisposableDelegate(() => {
      this.watchers--;
    });
  }

  get asMonitors(): IMonitors {
    return this as unknown as IMonitors;
  }
}

/** A session that runs, and says so to whoever attaches. */
function session(as_of: number | null = null, phase = "running") {
  let hear: (arrival: Arrival) => void = () => undefined;
  const send = vi.fn(() => true);
  const subscribe = (listener: Listener) => {
    hear = listener.hear;
    return () => undefined;
  };
  const store = new LiveStore({ closed: false, subscribe, send });
  const line = { id: 0, lo: 0, hi: 1, codes: [[0, 0]] as [number, number][] };
  const tell = () => hear(keyframeOf(0, [0, 100], [line], { state: { phase, t0: 0, as_of } }));
  return { store, tell, send };
}

const status = () => el.querySelector(".pulse")?.textContent ?? "";
const HERE = "/home/me/a";

test("the session that the followed kernel records is shown as it runs", async () => {
  const from = new FakeMonitors();
  const live = session();
  live.tell();
  from.follow(HERE, live.store);
  const shown = await opened(from.asMonitors);

  expect(from.replay).not.toHaveBeenCalled();
  expect(from.watchers).toBe(1);
  expect(live.send).toHaveBeenCalledWith({ kind: "hello" });
  expect(isDrawn()).toBe(true);
  expect(status()).not.toContain("Replay");

  // Where nothing of it changes, nothing is drawn anew.
  const drawn = el.querySelector(".pulse");
  from.changed.emit();
  expect(el.querySelector(".pulse")).toBe(drawn);
  shown.dispose();
  expect(from.watchers).toBe(0);
  from.changed.emit();
  expect(el.childElementCount).toBe(0);
});

test.each<[string, (from: FakeMonitors) => void]>([
  ["another recording", (from) => from.follow("/home/me/b", session().store)],
  ["no recording", (from) => from.follow(null, session().store)],
  ["nothing heard yet", (from) => from.follow(HERE, null)],
  ["one that has ended", (from) => from.follow(HERE, session().store, false)],
])("of a kernel with %s the recording is read", async (_, follow) => {
  const from = new FakeMonitors();
  follow(from);
  await opened(from.asMonitors);

  expect(from.replay).toHaveBeenCalledWith(HERE, expect.any(Function));
  expect(from.watchers).toBe(0);
  expect(isDrawn()).toBe(true);
});

test("when another kernel is followed, what was live is read, and can be live again", async () => {
  const from = new FakeMonitors();
  const live = session();
  from.follow(HERE, live.store);
  await opened(from.asMonitors);
  const old = session(100, "replay");
  from.replay.mockResolvedValue({ store: old.store, dispose: vi.fn() });

  from.follow("/home/me/b", session().store);
  await vi.advanceTimersByTimeAsync(0);
  expect(from.replay).toHaveBeenCalledTimes(1);
  expect(from.watchers).toBe(0);

  old.tell();
  from.follow(HERE, live.store);
  await press("Reload");
  expect(from.watchers).toBe(1);
  expect(said()).toEqual([]);
});

test.each([
  [100, "replay", true],
  [null, "replay", false],
])("as of %s, %s: a still can be read again: %s", async (as_of, phase, offered) => {
  const from = new FakeMonitors();
  const old = session(as_of, phase);
  const dispose = vi.fn();
  from.replay.mockResolvedValueOnce({ store: old.store, dispose });
  await opened(from.asMonitors);
  old.tell();

  expect(said().length).toBe(Number(offered));
  if (!offered) return;
  expect(said()[0]).toContain("does not run on here");
  await press("Reload");
  expect(from.replay).toHaveBeenCalledTimes(2);
  expect(dispose).toHaveBeenCalledTimes(1);
  expect(said()).toEqual([]);
});

test("what comes after the tab was closed is let go of", async () => {
  const replay = replayed();
  let come: (value: ReturnType<typeof replayed>) => void = () => undefined;
  const shown = await opened(
    monitors(
      () =>
        new Promise((resolve) => {
          come = resolve;
        }),
    ),
  );
  shown.dispose();
  come(replay);
  await vi.advanceTimersByTimeAsync(2000);
  expect(replay.dispose).toHaveBeenCalledTimes(1);
  expect(el.childElementCount).toBe(0);
});
