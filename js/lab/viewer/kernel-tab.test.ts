// @vitest-environment happy-dom
import type { TranslationBundle } from "@jupyterlab/translation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveStore } from "../../core/history/live-store";
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
const monitors = (replay: IMonitors["replay"]) => ({ replay }) as unknown as IMonitors;
const said = () => [...el.querySelectorAll(".pulse-said")].map((card) => card.textContent ?? "");
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
