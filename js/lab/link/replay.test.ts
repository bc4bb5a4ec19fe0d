import { afterEach, expect, test, vi } from "vitest";
import { encodeKeyframe } from "../../core/testing/packets";
import { ActionError } from "../shared/monitors";
import { openReplay } from "./replay";
import { FakeKernel, type Nature, tick, words } from "./testing";

const PACKET = {
  data: { kind: "packet", stream: 1 },
  buffer: encodeKeyframe(0, [1000, 1001], [], { state: { phase: "replay", t0: 1000, t1: 1001 } }),
};
const REFUSAL = { kind: "refused", problem: "There is no such recording.", remedy: "Look." };

function asked(nature: Partial<Nature> = {}, kernel = new FakeKernel(nature)) {
  const others: FakeKernel[] = [];
  const own = () => {
    const kernel = others.shift();
    return kernel ? { kernel: kernel.as(), dispose: () => kernel.dispose() } : null;
  };
  const waits = vi.fn();
  const opening = openReplay(kernel.as(), "/r/a.pulse", words, { again: own, waits });
  return { kernel, others, waits, opening, failed: opening.catch((problem: unknown) => problem) };
}

async function opened() {
  const made = asked();
  made.kernel.replays = () => [PACKET];
  await made.kernel.settle();
  return { ...made, replay: await made.opening };
}

test("a recording is opened, and nothing of it is left in the kernel afterwards", async () => {
  const { kernel, replay } = await opened();
  expect(replay.store.state()).toMatchObject({ phase: "replay", t0: 1000, t1: 1001 });
  expect([kernel.comms.size, kernel.subshells.size]).toEqual([1, 1]);

  replay.dispose();
  await kernel.settle();

  expect([kernel.comms.size, kernel.subshells.size, kernel.connections]).toEqual([0, 0, 0]);
});

test("where nothing is to be monitored a recording is shown all the same", async () => {
  const { kernel, opening } = asked({ disabled: true });
  kernel.replays = () => [PACKET];
  await kernel.settle();

  expect((await opening).store.state().phase).toBe("replay");
});

test.each<[Partial<Nature>, RegExp]>([
  [{ installed: "other version" }, /newer than this extension/],
  [{ installed: "older" }, /older/],
  [{ installed: "nothing" }, /not installed/],
  [{ installed: "broken" }, /libfoo/],
])("a kernel in which %j says why it opens nothing", async (nature, problem) => {
  const { kernel, failed } = asked(nature);
  await kernel.settle();

  expect(await failed).toMatchObject({ message: expect.stringMatching(problem) });
  expect([kernel.comms.size, kernel.subshells.size, kernel.connections]).toEqual([0, 0, 0]);
});

test("what cannot be read is refused in the words of the kernel", async () => {
  const { kernel, failed } = asked();
  kernel.replays = () => [{ data: REFUSAL }];
  await kernel.settle();

  expect(await failed).toMatchObject({ message: REFUSAL.problem, remedy: REFUSAL.remedy });
});

/** What may happen before a recording is open. */
const ENDS: readonly [string, (kernel: FakeKernel) => void][] = [
  ["it is restarted", (kernel) => kernel.restart()],
  ["another page restarts it", (kernel) => kernel.restart("starting")],
  ["it dies and is restarted", (kernel) => kernel.restart("autorestarting")],
  ["it dies", (kernel) => kernel.die()],
  ["it is shut down", (kernel) => kernel.set("terminating")],
  ["it and its session are gone", (kernel) => kernel.dispose()],
  ["the connection is interrupted", (kernel) => kernel.connect("connecting")],
  ["the connection is lost", (kernel) => kernel.connect("disconnected")],
  ["it closes the comm", (kernel) => kernel.close(idOf(kernel))],
];
/** The comm that was opened, or will be. */
function idOf(kernel: FakeKernel): string {
  const opening = kernel.sent.find(({ header }) => header.msg_type === "comm_open");
  return String(opening?.content["comm_id"]);
}
const CASES = ENDS.flatMap((end) => [0, 1, 2, 3, 9].map((steps) => [...end, steps] as const));

test.each(CASES)("a kernel is asked, and %s: nobody waits for ever", async (what, ends, steps) => {
  const { kernel, failed } = asked();
  await tick();
  for (let i = 0; i < steps; i++) {
    kernel.step();
    await tick();
  }
  // It is said on a comm alone.
  if (what === "it closes the comm" && steps < 9) return;

  ends(kernel);

  const problem = (await failed) as ActionError;
  expect(problem).toBeInstanceOf(ActionError);
  expect(problem.message).toMatch(/^The (kernel|connection)/);
  await kernel.settle();
  expect(kernel.connections).toBe(0);
});

test("a kernel that is dead already is not waited for", async () => {
  const kernel = new FakeKernel();
  kernel.die();

  await expect(asked({}, kernel).opening).rejects.toThrow(/gone/);
});

test("a kernel that still comes up is waited for", async () => {
  const kernel = new FakeKernel();
  kernel.status = "unknown";
  kernel.replays = () => [PACKET];
  const { opening } = asked({}, kernel);
  kernel.set("starting");
  kernel.set("idle");
  await kernel.settle();

  expect((await opening).store.ended()).toBeNull();
});

test.each([
  ["it is restarted", (kernel: FakeKernel) => kernel.restart(), "restarted"],
  ["it dies", (kernel: FakeKernel) => kernel.die(), "died"],
  ["it is shut down", (kernel: FakeKernel) => kernel.set("terminating"), "shut down"],
  ["its session is gone", (kernel: FakeKernel) => kernel.dispose(), "shut down"],
  ["it closes the comm", (kernel: FakeKernel) => kernel.close(idOf(kernel)), "restarted"],
] as const)("a recording that is open says so when %s", async (_, ends, how) => {
  const { kernel, replay } = await opened();

  ends(kernel);
  await kernel.settle();

  expect(replay.store.ended()).toBe(how);
  expect(kernel.connections).toBe(0);
  replay.dispose();
});

test.each([
  ["a cell runs, behind which it waits", false, "busy", [/between cells.*ipykernel 7/]],
  ["it reads a large one", false, "idle", []],
  ["a cell runs, beside which it reads", true, "busy", []],
] as const)("a kernel that takes long says why when %s", async (_, subshells, status, said) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const kernel = new FakeKernel({ subshells });
  kernel.busy = status === "busy";
  kernel.status = status;
  const { opening, waits } = asked({}, kernel);
  await tick();

  vi.advanceTimersByTime(1000);
  expect(waits.mock.calls.flat()).toEqual(said.map((one) => expect.stringMatching(one)));
  kernel.replays = () => [PACKET];
  kernel.endCell();
  await kernel.settle();

  expect((await opening).store.state().phase).toBe("replay");
  expect(vi.getTimerCount()).toBe(0);
});

afterEach(() => {
  vi.useRealTimers();
});

test("a recording outlives the notebook whose connection it was opened over", async () => {
  const { kernel, others, replay } = await opened();
  const second = new FakeKernel();
  second.replays = () => [PACKET];
  others.push(second);

  kernel.dispose();
  await second.settle();
  await kernel.settle();

  expect(replay.store.ended()).toBeNull();
  expect([kernel.connections, second.comms.size, second.subshells.size]).toEqual([0, 1, 1]);
  replay.dispose();
  await second.settle();
  expect([second.comms.size, second.subshells.size]).toEqual([0, 0]);
  expect([second.connections, second.isDisposed]).toEqual([0, true]);
});
