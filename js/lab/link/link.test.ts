import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ActionError } from "../shared/monitors";
import { Link } from "./link";
import { FakeKernel, type Nature, tick, words } from "./testing";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "clearTimeout", "clearInterval"] });
});

afterEach(() => {
  vi.useRealTimers();
});

function linked(nature: Partial<Nature> = {}, introduced = true) {
  const kernel = new FakeKernel(nature, introduced);
  return { kernel, link: new Link(kernel.as(), words) };
}

const running = (kernel: FakeKernel) => kernel.begin();
const stopped = (kernel: FakeKernel) => kernel.begin({ running: false });
const busy = (kernel: FakeKernel) => {
  kernel.busy = true;
};
const loadedAndBusy = (kernel: FakeKernel) => {
  kernel.busy = kernel.loaded = true;
};
const nothing = () => undefined;
/** What was sent of a type. */
const sentOf = (kernel: FakeKernel, type: string) =>
  kernel.sent.filter(({ header }) => header.msg_type === type);

test.each<[string, Partial<Nature>, (kernel: FakeKernel) => void, string, RegExp]>([
  ["nothing runs", {}, nothing, "idle", /^$/],
  ["a monitor runs", {}, running, "running", /^$/],
  ["a monitor has stopped", {}, stopped, "ended", /^$/],
  ["a cell runs beside which nothing was loaded", {}, busy, "unloaded", /not loaded/],
  ["a cell runs, and the package is loaded", {}, loadedAndBusy, "idle", /^$/],
  ["a cell runs, without subshells", { subshells: false }, busy, "busy", /between cells/],
  ["no cell runs, without subshells", { subshells: false }, nothing, "idle", /^$/],
  ["the package is absent", { installed: "nothing" }, nothing, "absent", /not installed/],
  ["the package has no link", { installed: "older" }, nothing, "mismatch", /older/],
  ["the package is newer", { installed: "other version" }, nothing, "mismatch", /newer/],
  ["the package breaks", { installed: "broken" }, nothing, "failed", /libfoo/],
  ["monitoring is switched off", { disabled: true }, nothing, "failed", /PULSE_DISABLED/],
  ["it is dead", {}, (kernel) => kernel.die(), "dead", /^$/],
  ["it goes", {}, (kernel) => kernel.set("restarting"), "starting", /^$/],
  ["it comes up", {}, (kernel) => kernel.set("starting"), "idle", /^$/],
])("says so when %s", async (_, nature, happens, condition, problem) => {
  const { kernel, link } = linked(nature);
  happens(kernel);

  link.watch();
  await kernel.settle();
  vi.advanceTimersByTime(1000);
  await kernel.settle();

  expect(link.state.condition).toBe(condition);
  expect(link.state.problem).toMatch(problem);
});

test("a page that was reloaded while a cell runs is answered, though the kernel is silent", async () => {
  const { kernel, link } = linked({}, false);
  kernel.begin();
  kernel.busy = true;

  link.watch();
  await kernel.settle();

  expect(link.state.condition).toBe("running");
});

test("a package that is not loaded is not loaded beside a cell, but when that has ended", async () => {
  const { kernel, link } = linked();
  kernel.busy = true;
  link.watch();
  await kernel.settle();
  vi.advanceTimersByTime(1000);
  await expect(link.act("recordings", {})).rejects.toThrow(/not loaded/);
  expect([kernel.disturbed, kernel.comms.size]).toEqual([false, 0]);

  kernel.endCell();
  await kernel.settle();

  expect(link.state.condition).toBe("idle");
  expect(kernel.disturbed).toBe(false);
  expect([kernel.comms.size, kernel.subshells.size]).toEqual([1, 1]);
});

test("it is loaded beside a cell when the user wants that", async () => {
  const { kernel, link } = linked();
  kernel.busy = true;
  link.watch();
  await kernel.settle();
  vi.advanceTimersByTime(1000);

  link.retry(true);
  await kernel.settle();

  expect([link.state.condition, kernel.busy, kernel.disturbed]).toEqual(["idle", true, true]);
});

test.each([false, true])(
  "where the package is loaded nothing is executed, busy or not: %j",
  async (isBusy) => {
    const { kernel, link } = linked();
    kernel.begin();
    kernel.busy = isBusy;

    link.watch();
    await kernel.settle();

    expect(link.state.condition).toBe("running");
    expect(sentOf(kernel, "execute_request")).toEqual([]);
  },
);

const WITHOUT = ([true, false] as const).flatMap((subshells) =>
  (["nothing", "older", "broken"] as const).map((installed) => ({ subshells, installed })),
);

test.each(WITHOUT)("no comm is opened in a kernel that cannot take it: %j", async (nature) => {
  const { kernel, link } = linked(nature);

  link.watch();
  await kernel.settle();
  link.retry(true);
  await kernel.settle();

  expect(["absent", "mismatch", "failed"]).toContain(link.state.condition);
  expect(sentOf(kernel, "comm_open")).toEqual([]);
});

test("a cell that ends before anybody still looks is followed by nothing", async () => {
  const { kernel, link } = linked();
  kernel.busy = true;
  const look = link.watch();
  await kernel.settle();

  look.dispose();
  kernel.endCell();
  await kernel.settle();

  expect(sentOf(kernel, "comm_open")).toEqual([]);
  expect(kernel.subshells.size).toBe(0);
});

test.each([
  [false, { label: "x", time: 1000 }],
  [true, { label: "x" }],
])("a mark that waits for its cell is of when it was made; with subshells %j", async (...of) => {
  const [subshells, sent] = of;
  const { kernel, link } = linked({ subshells });
  kernel.begin();
  kernel.busy = true;
  const done: unknown[] = [];
  kernel.act = (_, options) => void done.push(options);

  vi.spyOn(Date, "now").mockReturnValue(1_000_000);
  const marked = link.act("mark", { label: "x" });
  await kernel.settle();
  vi.mocked(Date.now).mockReturnValue(2_000_000);
  kernel.endCell();
  await kernel.settle();
  await marked;
  vi.mocked(Date.now).mockRestore();

  expect(done).toEqual([sent]);
});

test("who goes on over another connection leaves nothing behind the first", async () => {
  const { kernel, link } = linked();
  const other = new FakeKernel();
  kernel.begin();
  other.begin();
  link.watch();
  await kernel.settle();

  link.use(other.as());
  await kernel.settle();
  await other.settle();

  expect([kernel.comms.size, kernel.subshells.size, kernel.connections]).toEqual([0, 0, 0]);
  expect([other.comms.size, other.subshells.size]).toEqual([1, 1]);
});

test("without subshells it waits for the end of that cell, and then goes on by itself", async () => {
  const { kernel, link } = linked({ subshells: false }, false);
  kernel.busy = true;
  link.watch();
  await kernel.settle();
  vi.advanceTimersByTime(1000);
  // It has not said yet that it has none.
  expect(link.state).toMatchObject({
    condition: "starting",
    problem: expect.stringMatching(/^Connecting to the kernel, in which a cell runs/),
  });

  kernel.endCell();
  await kernel.settle();

  expect(link.state.condition).toBe("idle");
});

test("nothing is sent to a kernel at which nobody looks", async () => {
  const { kernel, link } = linked();

  kernel.begin();
  kernel.restart();
  kernel.connect("connecting");
  kernel.connect("connected");
  await kernel.settle();

  expect(kernel.sent).toEqual([]);
  expect(link.state.condition).toBe("unasked");
});

test("all who look share one comm, and it closes with the last of them", async () => {
  const { kernel, link } = linked();
  kernel.begin();
  const [a, b] = [link.watch(), link.watch()];
  await kernel.settle();
  expect(kernel.comms.size).toBe(1);

  a.dispose();
  a.dispose();
  await kernel.settle();
  expect(kernel.comms.size).toBe(1);
  b.dispose();
  await kernel.settle();

  expect([kernel.comms.size, kernel.subshells.size]).toEqual([0, 0]);
});

test("who looks again sees the same history go on, and another session's on its own", async () => {
  const { kernel, link } = linked();
  kernel.begin({ t0: 1000 });
  const look = link.watch();
  await kernel.settle();
  const { store } = link.state;
  look.dispose();
  await kernel.settle();
  expect(link.state.store).toBe(store);

  link.watch();
  await kernel.settle();
  expect(link.state.store).toBe(store);
  kernel.begin({ t0: 2000 });
  await kernel.settle();

  expect(link.state.store).not.toBe(store);
  expect(link.state.store?.state().t0).toBe(2000);
});

test.each([
  ["restarting", "restarted"],
  ["autorestarting", "died"],
] as const)(
  "after %s what was shown is still there, and the new kernel is asked",
  async (sign, how) => {
    const { kernel, link } = linked();
    kernel.begin();
    link.watch();
    await kernel.settle();
    const { store } = link.state;

    kernel.restart(sign);
    await kernel.settle();

    expect(store?.ended()).toBe(how);
    expect(link.state).toMatchObject({ condition: "ended", store });
    expect(kernel.comms.size).toBe(1);
    kernel.begin({ t0: 1000 });
    expect(link.state.condition).toBe("running");
    expect(link.state.store).not.toBe(store);
  },
);

test("a kernel that another page shuts down is dead, and one that it restarts is asked anew", async () => {
  const { kernel, link } = linked();
  kernel.begin();
  link.watch();
  await kernel.settle();
  const reply = (restart: boolean) =>
    kernel.iopubMessage.emit({ header: { msg_type: "shutdown_reply" }, content: { restart } });

  reply(true);
  expect(link.state.store?.ended()).toBe("restarted");
  // All that a page hears when it was not the one that asked.
  kernel.restart("starting");
  await kernel.settle();
  expect(link.state.condition).toBe("ended");
  reply(false);

  expect(link.state.condition).toBe("dead");
});

test("a connection that was lost is taken up again, and nothing of the old one stays", async () => {
  const { kernel, link } = linked();
  kernel.begin();
  link.watch();
  await kernel.settle();
  const { store } = link.state;

  kernel.connect("connecting");
  expect(link.state.problem).toMatch(/connection/);
  kernel.connect("connected");
  await kernel.settle();

  expect(link.state).toMatchObject({ condition: "running", store });
  expect([kernel.comms.size, kernel.subshells.size]).toEqual([1, 1]);
});

test("a comm that the kernel has closed is opened again, but not for ever", async () => {
  const { kernel, link } = linked();
  link.watch();
  await kernel.settle();
  for (let i = 0; i < 3; i++) {
    kernel.close([...kernel.comms.keys()][0] as string);
    await kernel.settle();
    expect(link.state.condition).toBe("idle");
  }
  expect([kernel.comms.size, kernel.subshells.size]).toEqual([1, 1]);
});

test("an action brings its result, its failure, or the end of the kernel", async () => {
  const { kernel, link } = linked();
  kernel.act = (action, options) => {
    if (action === "stop") throw { problem: "No monitor runs.", remedy: "Start one." };
    return { action, options };
  };
  const act = async (...of: Parameters<typeof link.act>) => {
    const acted = link.act(...of).catch((problem: unknown) => problem);
    await kernel.settle();
    return acted;
  };

  expect(await act("mark", { label: "x" })).toEqual({ action: "mark", options: { label: "x" } });
  expect(await act("stop", {})).toMatchObject({
    message: "No monitor runs.",
    remedy: "Start one.",
  });
  const lost = link.act("mark", { label: "y" }).catch((problem: unknown) => problem);
  await tick();
  kernel.step();
  await tick();
  kernel.die();
  expect(await lost).toBeInstanceOf(ActionError);
  await kernel.settle();
  expect(kernel.comms.size).toBe(0);
});

/** What may happen while somebody waits for an answer that never comes. */
const ENDS: readonly [string, (kernel: FakeKernel, link: Link) => void][] = [
  ["the kernel dies", (kernel) => kernel.die()],
  ["the kernel is shut down", (kernel) => kernel.set("terminating")],
  ["the notebook closes", (_, link) => link.dispose()],
  ["the notebook takes another kernel", (_, link) => link.end("replaced")],
  ["JupyterLab gives up the connection", (kernel) => kernel.connect("disconnected")],
];
const WAITS: readonly [string, Partial<Nature>, (kernel: FakeKernel) => void, number][] = [
  ["nothing was answered", {}, nothing, 0],
  ["a subshell was made", {}, nothing, 1],
  ["a cell runs", { subshells: false }, busy, 0],
  ["the kernel restarts", {}, (kernel) => kernel.restart(), 0],
  ["the action was sent", {}, nothing, 4],
];
const ENDED = ENDS.flatMap((end) => WAITS.map((wait) => [...end, ...wait] as const));

test.each(ENDED)("an action ends when %s and %s", async (_, ends, __, nature, waits, steps) => {
  const { kernel, link } = linked(nature);
  waits(kernel);
  const acted = link.act("recordings", {}).catch((problem: unknown) => problem);
  await tick();
  for (let i = 0; i < steps; i++) {
    kernel.step();
    await tick();
  }

  ends(kernel, link);
  if (kernel.status === "terminating") kernel.die();

  const problem = (await acted) as ActionError;
  expect(problem).toBeInstanceOf(ActionError);
  expect([problem.message, problem.remedy].filter((text) => text.length < 10)).toEqual([]);
});

test("an action of a link that is no more is refused", async () => {
  const { kernel, link } = linked();
  link.dispose();

  await expect(link.act("recordings", {})).rejects.toThrow(/gone/);
  await kernel.settle();
  expect(kernel.comms.size).toBe(0);
});

test("a connection that was given up can be tried again", async () => {
  const { kernel, link } = linked();
  link.watch();
  await kernel.settle();
  kernel.connect("disconnected");
  expect(link.state).toMatchObject({ condition: "failed", problem: expect.stringMatching(/lost/) });

  link.retry();
  expect(kernel.connectionStatus).toBe("connecting");
  kernel.connect("connected");
  await kernel.settle();

  expect(link.state.condition).toBe("idle");
});

test.each([
  [
    "a cell runs that it waits for",
    false,
    "busy",
    [/^A cell is running.*between cells.*ipykernel 7/],
  ],
  ["nothing runs", false, "idle", []],
  ["a cell runs beside which it is done", true, "busy", []],
] as const)("an action that takes long says why when %s", async (_, subshells, status, said) => {
  const { kernel, link } = linked({ subshells });
  kernel.begin();
  link.watch();
  await kernel.settle();
  const waits = vi.fn();
  kernel.busy = status === "busy";
  kernel.status = status;

  const acted = link.act("mark", { label: "x" }, waits);
  await tick();
  vi.advanceTimersByTime(1000);
  expect(link.state.condition).toBe("running");
  kernel.endCell();
  await kernel.settle();
  vi.advanceTimersByTime(10_000);

  expect(await acted).toBeNull();
  expect(waits.mock.calls.flat()).toEqual(said.map((one) => expect.stringMatching(one)));
});

test("an action in a kernel that cannot is refused with the reason", async () => {
  const { kernel, link } = linked({ installed: "nothing" });

  const acted = link.act("start", {}).catch((problem: unknown) => problem);
  await kernel.settle();

  expect(await acted).toMatchObject({ message: expect.stringMatching(/not installed/) });
});

test("nothing is left in a kernel or on its connections, whatever happens in between", async () => {
  const steps = ["watch", "leave", "step", "tick", "restart", "autorestart", "lose", "switch"];
  const more = ["busy", "endCell", "session", "close", "act", "retry"];
  const step = fc.constantFrom(...steps, ...more);
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (all, subshells) => {
      const first = new FakeKernel({ subshells });
      const link = new Link(first.as(), words);
      const own = first.connections;
      const kernel = first;
      const looks: { dispose(): void }[] = [];
      const does: Record<string, () => unknown> = {
        watch: () => looks.push(link.watch()),
        leave: () => looks.pop()?.dispose(),
        step: () => kernel.step(),
        tick,
        restart: () => kernel.restart(),
        autorestart: () => kernel.restart("autorestarting"),
        lose: () => {
          kernel.connect("connecting");
          kernel.connect("connected");
        },
        // Another notebook on the same kernel goes on where this one is closed.
        switch: () => link.use(kernel.as()),
        busy: () => {
          kernel.busy = true;
        },
        endCell: () => kernel.endCell(),
        session: () => kernel.begin({ t0: 1000 + ++opened }),
        close: () => {
          const [comm] = kernel.comms.keys();
          if (comm) kernel.close(comm);
        },
        act: () => void link.act("mark", { label: "x" }).catch(() => undefined),
        retry: () => link.retry(),
      };
      for (const name of all) await does[name]?.();
      kernel.endCell();
      await kernel.settle();
      for (const look of looks) look.dispose();
      await kernel.settle();

      expect([kernel.comms.size, kernel.subshells.size]).toEqual([0, 0]);
      expect(kernel.disturbed).toBe(false);
      expect(kernel.connections).toBe(own);
      link.dispose();
      expect(first.connections).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test.each(["the link", "the connection"])(
  "a notebook that is closed, %s first, leaves nothing in its kernel",
  async (first) => {
    const { kernel, link } = linked();
    kernel.begin();
    link.watch();
    await kernel.settle();

    const ends = [() => link.dispose(), () => kernel.dispose()];
    for (const end of first === "the link" ? ends : ends.reverse()) end();
    await kernel.settle();

    expect([kernel.comms.size, kernel.subshells.size, kernel.connections]).toEqual([0, 0, 0]);
  },
);

test("two hundred rounds of opening and closing leave what was there before them", async () => {
  const { kernel, link } = linked();
  kernel.begin();
  const own = kernel.connections;
  for (let i = 0; i < 200; i++) {
    const look = link.watch();
    // As fast as a user may: before, while and after the kernel answers.
    for (let k = 0; k < i % 4; k++) {
      await tick();
      kernel.step();
    }
    look.dispose();
  }
  await kernel.settle();

  expect([kernel.comms.size, kernel.subshells.size]).toEqual([0, 0]);
  expect(kernel.connections).toBe(own);
  expect(vi.getTimerCount()).toBe(0);
});
