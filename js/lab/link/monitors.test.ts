import { Signal } from "@lumino/signaling";
import { expect, test, vi } from "vitest";
import { Monitors, type Services } from "./monitors";
import type { Place } from "./place";
import { FakeKernel, FakeSignal, words } from "./testing";

class FakePlace {
  readonly changed: Signal<unknown, void> = new Signal<unknown, void>(this);
  readonly heard: Signal<unknown, unknown> = new Signal<unknown, unknown>(this);
  standing = "no kernel";
  readonly run: ((code: string) => Promise<void>) | null = vi.fn(async () => undefined);
  readonly restart = vi.fn(async () => undefined);
  readonly chooseKernel = vi.fn(async () => undefined);
  readonly name: string;
  readonly session: string;
  kernel: FakeKernel | null;

  constructor(name: string, kernel: FakeKernel | null) {
    this.name = name;
    this.session = `session of ${name}`;
    this.kernel = kernel;
  }

  turnTo(kernel: FakeKernel | null): void {
    this.kernel = kernel;
    this.changed.emit();
  }

  dispose(): void {}
}

class Page {
  readonly changed: Signal<unknown, void> = new Signal<unknown, void>(this);
  places: FakePlace[];
  current: FakePlace | null;
  readonly sessions = new Map<string, FakeKernel>();
  readonly runningChanged = new FakeSignal();
  readonly connected: { end(): void; isDisposed: boolean }[] = [];
  readonly monitors: Monitors;

  constructor(...places: FakePlace[]) {
    this.places = places;
    this.current = places[0] ?? null;
    this.monitors = new Monitors(this as never, this.#services(), words);
  }

  get all(): readonly Place[] {
    return this.places as never;
  }

  get active(): Place | null {
    return this.current as never;
  }

  turnTo(place: FakePlace | null): void {
    this.current = place;
    this.changed.emit();
  }

  close(place: FakePlace): void {
    this.places = this.places.filter((one) => one !== place);
    if (this.current === place) this.current = this.places[0] ?? null;
    this.changed.emit();
  }

  #services(): Services {
    const specs = { kernelspecs: { python3: PYTHON, ir: { language: "R", display_name: "R" } } };
    const sessions = {
      refreshRunning: async () => undefined,
      runningChanged: this.runningChanged,
      running: () =>
        [...this.sessions].map(([id, { id: kernel, name }]) => ({
          ...{ id, name: `${id}.ipynb`, path: "", kernel: { id: kernel, name } },
        })),
      connectTo: ({ model }: { model: { id: string } }) => this.#connectTo(model.id),
    };
    return { sessions, kernelspecs: { specs, specsChanged: new FakeSignal() } } as never;
  }

  #connectTo(id: string): object {
    const signals = { kernelChanged: new FakeSignal(), statusChanged: new FakeSignal() };
    const more = { propertyChanged: new FakeSignal(), disposed: new FakeSignal() };
    const kernel = this.sessions.get(id);
    const connection = {
      ...{ ...signals, ...more, id, kernel, name: `${id}.ipynb`, path: "" },
      isDisposed: false,
      dispose: () => {
        connection.isDisposed = true;
      },
      end: () => {
        connection.isDisposed = true;
        more.disposed.emit(undefined);
      },
    };
    this.connected.push(connection);
    return connection;
  }
}

const PYTHON = { language: "python", display_name: "Python 3" };
const PACKET = {
  header: { msg_type: "comm_msg" },
  content: { comm_id: "feed", data: { method: "custom", content: { kind: "packet" } } },
};

async function settle(...kernels: FakeKernel[]): Promise<void> {
  for (let i = 0; i < 3; i++) for (const one of kernels) await one.settle();
}

test("what is followed is the kernel of the document the user works in", async () => {
  const [a, b] = [new FakeKernel(), new FakeKernel()];
  const page = new Page(new FakePlace("a", a), new FakePlace("b", b));
  a.begin();
  const look = page.monitors.watch();
  await settle(a, b);
  expect(page.monitors.followed).toMatchObject({
    ...{ name: "a", kernel: "Python 3", condition: "running" },
  });
  const { store } = page.monitors.followed;

  page.turnTo(page.places[1] as FakePlace);
  await settle(a, b);
  expect(page.monitors.followed).toMatchObject({ name: "b", condition: "idle", store: null });
  expect([a.comms.size, b.comms.size]).toEqual([0, 1]);
  page.turnTo(page.places[0] as FakePlace);
  await settle(a, b);

  expect(page.monitors.followed.store).toBe(store);
  look.dispose();
  await settle(a, b);
  expect([a, b].map(({ comms, subshells }) => comms.size + subshells.size)).toEqual([0, 0]);
});

test("without documents, kernels or Python it says so, and asks nobody", async () => {
  const r = new FakeKernel();
  r.name = "ir";
  const page = new Page();
  page.monitors.watch();
  expect(page.monitors.followed).toMatchObject({ name: "", condition: "no kernel" });

  const place = new FakePlace("a", null);
  page.places = [place];
  page.turnTo(place);
  expect(page.monitors.followed).toMatchObject({ name: "a", condition: "no kernel" });
  place.standing = "starting";
  place.turnTo(null);
  expect(page.monitors.followed.condition).toBe("starting");
  place.turnTo(r);
  await settle(r);

  expect(page.monitors.followed).toMatchObject({ condition: "foreign", kernel: "R" });
  expect(r.sent).toEqual([]);
});

test("two notebooks on one kernel share its link, and closing one changes nothing", async () => {
  const kernel = new FakeKernel();
  const [a, b] = [new FakePlace("a", kernel), new FakePlace("b", kernel)];
  const page = new Page(a, b);
  kernel.begin();
  page.monitors.watch();
  await settle(kernel);
  const { store } = page.monitors.followed;
  page.turnTo(b);
  await settle(kernel);
  expect(page.monitors.followed).toMatchObject({ name: "b", store });

  page.close(a);
  await settle(kernel);

  expect(page.monitors.followed).toMatchObject({ name: "b", condition: "running", store });
  expect(kernel.comms.size).toBe(1);
});

test.each([
  ["shut down", null],
  ["replaced", new FakeKernel()],
])("a kernel that is %s leaves what was shown, with its ending", async (how, next) => {
  const kernel = new FakeKernel();
  const place = new FakePlace("a", kernel);
  const page = new Page(place);
  kernel.begin();
  page.monitors.watch();
  await settle(kernel);
  const { store } = page.monitors.followed;

  place.turnTo(next);
  await settle(kernel, ...(next ? [next] : []));

  expect(store?.ended()).toBe(how);
  expect(page.monitors.followed.store).toBe(store);
  expect(page.monitors.followed.condition).toBe(next ? "idle" : "no kernel");
  expect(kernel.connections).toBe(0);
});

test("a kernel is followed though its document is not open, until that is over", async () => {
  const [mine, far] = [new FakeKernel(), new FakeKernel()];
  const page = new Page(new FakePlace("a", mine));
  page.sessions.set("far", far);
  page.sessions.set("session of a", mine);
  far.begin();
  page.monitors.watch();
  const names = (await page.monitors.choices()).map(({ name }) => name);
  expect(names).toEqual(["session of a.ipynb", "far.ipynb"]);

  page.monitors.choose("far");
  await settle(mine, far);
  expect(page.monitors.followed).toMatchObject({ session: "far", condition: "running" });
  expect((await page.monitors.choices()).map(({ running }) => running)).toEqual([null, true]);
  page.monitors.choose(null);
  await settle(mine, far);

  expect(page.monitors.followed.name).toBe("a");
  expect(page.connected.map(({ isDisposed }) => isDisposed)).toEqual([true]);
});

test("what was chosen says so when it ends, and is left to its document when that opens", async () => {
  const [mine, far] = [new FakeKernel(), new FakeKernel()];
  const page = new Page(new FakePlace("a", mine));
  page.sessions.set("far", far);
  far.begin();
  page.monitors.watch();
  page.monitors.choose("far");
  const opened = Object.assign(new FakePlace("far.ipynb", far), { session: "far" });
  page.places.push(opened);
  page.changed.emit();
  await settle(mine, far);
  expect(page.connected.map(({ isDisposed }) => isDisposed)).toEqual([true]);
  expect(page.monitors.followed).toMatchObject({ name: "far.ipynb", condition: "running" });

  // Closed, its kernel goes on; then that ends, too.
  page.close(opened);
  expect(page.monitors.followed.session).toBe("far");
  await settle(mine, far);
  const { store } = page.monitors.followed;
  page.connected[1]?.end();
  page.sessions.delete("far");
  page.changed.emit();

  const { followed } = page.monitors;
  expect(followed).toMatchObject({ session: "far", condition: "no kernel" });
  expect(followed.problem).toMatch(/kernel of far.ipynb was shut down/);
  expect([followed.store === store, store?.ended()]).toEqual([true, "shut down"]);
  page.monitors.choose(null);
  expect(page.monitors.followed.name).toBe("a");
});

test("who offers kernels hears of others, and of nothing else", async () => {
  const kernel = new FakeKernel();
  const page = new Page(new FakePlace("a", kernel));
  const offered = vi.fn();
  page.monitors.choicesChanged.connect(offered);
  page.monitors.watch();
  kernel.begin();
  await settle(kernel);
  page.changed.emit();
  expect(offered).not.toHaveBeenCalled();

  const opened = new FakePlace("b", null);
  page.places.push(opened);
  page.changed.emit();
  expect(offered).toHaveBeenCalledTimes(1);
  opened.turnTo(new FakeKernel());
  expect(offered).toHaveBeenCalledTimes(2);
  page.sessions.set("elsewhere", new FakeKernel());
  page.runningChanged.emit(undefined);

  expect(offered).toHaveBeenCalledTimes(3);
});

test("kernels that nobody follows tell whether a monitor runs, and nothing is left in them", async () => {
  const [mine, far, quiet] = [new FakeKernel(), new FakeKernel(), new FakeKernel()];
  const page = new Page(new FakePlace("a", mine));
  for (const [id, kernel] of Object.entries({ far, quiet })) page.sessions.set(id, kernel);
  far.begin();
  const running = async () => (await page.monitors.choices()).map((one) => one.running);
  expect(await running()).toEqual([null, null]);

  const asked = page.monitors.askChoices();
  await settle(mine, far, quiet);
  await asked;
  expect(await running()).toEqual([true, false]);
  for (const kernel of [far, quiet]) {
    expect(kernel.sent.map(({ header }) => header.msg_type)).toEqual(["comm_info_request"]);
    expect([kernel.subshells.size, kernel.comms.size]).toEqual([0, 0]);
  }
  expect(page.connected.every(({ isDisposed }) => isDisposed)).toBe(true);
});

test("a monitor is heard of in passing, though nobody looks and nothing is sent", async () => {
  const kernel = new FakeKernel();
  const place = new FakePlace("a", kernel);
  const page = new Page(place);
  page.sessions.set("session of a", kernel);
  expect(page.monitors.followed.condition).toBe("unasked");
  expect((await page.monitors.choices())[0]?.running).toBeNull();

  place.heard.emit(PACKET);
  expect(page.monitors.followed).toMatchObject({ condition: "running", status: null });
  expect((await page.monitors.choices())[0]?.running).toBe(true);
  expect(kernel.sent).toEqual([]);
  page.monitors.watch();
  await settle(kernel);

  // It has ended meanwhile.
  expect(page.monitors.followed.condition).toBe("idle");
});

test("a monitor that a cell starts beside which nothing was loaded is followed at once", async () => {
  const kernel = new FakeKernel();
  const place = new FakePlace("a", kernel);
  const page = new Page(place);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  kernel.busy = true;
  page.monitors.watch();
  await settle(kernel);
  vi.advanceTimersByTime(1000);
  vi.useRealTimers();
  expect(page.monitors.followed.condition).toBe("unloaded");

  kernel.begin();
  place.heard.emit(PACKET);
  await settle(kernel);

  expect(page.monitors.followed.condition).toBe("running");
  expect([kernel.busy, kernel.disturbed]).toEqual([true, false]);
});

test("who looks only at monitors that run asks nothing of another notebook", async () => {
  const [a, b] = [new FakeKernel(), new FakeKernel()];
  const page = new Page(new FakePlace("a", a), new FakePlace("b", b));
  a.begin();
  const look = page.monitors.watch();
  await settle(a, b);
  page.monitors.changed.connect(({ followed }) => {
    if (followed.condition === "unasked") look.dispose();
  });

  page.turnTo(page.places[1] as FakePlace);
  await settle(a, b);

  expect(b.sent).toEqual([]);
  expect(page.monitors.followed).toMatchObject({ name: "b", condition: "unasked" });
  expect([a.comms.size, a.subshells.size]).toEqual([0, 0]);
});

test("a package that is installed where the user sees it is asked for again", async () => {
  const kernel = new FakeKernel({ installed: "nothing" });
  const place = new FakePlace("a", kernel);
  const page = new Page(place);
  page.monitors.watch();
  await settle(kernel);
  expect(page.monitors.followed.condition).toBe("absent");

  vi.mocked(place.run as NonNullable<typeof place.run>).mockImplementation(async () => {
    Object.assign(kernel.nature, { installed: "ours" });
  });
  await page.monitors.help("install");
  await settle(kernel);

  expect(place.run).toHaveBeenCalledWith("%pip install pulse_widgets");
  expect(page.monitors.followed.condition).toBe("idle");
});

test("a history is kept for each document, and for no more than a few", async () => {
  const kernels = Array.from({ length: 10 }, () => new FakeKernel());
  const page = new Page(...kernels.map((kernel, i) => new FakePlace(`n${i}`, kernel)));
  page.monitors.watch();
  for (const kernel of kernels) kernel.begin();
  for (const place of page.places) {
    page.turnTo(place);
    await settle(...kernels);
  }

  const kept = page.places.filter((place) => {
    page.turnTo(place);
    return page.monitors.followed.store !== null;
  });
  expect(kept.map(({ name }) => name)).toContain("n9");
  expect(kept.length).toBeLessThanOrEqual(6);
});
