// @vitest-environment happy-dom
import { StackedPanel, Widget } from "@lumino/widgets";
import { afterEach, expect, test, vi } from "vitest";
import { FakeServer } from "./testing";
import { type Drawn, RecordingView, Shelf } from "./view";

const { trans } = new FakeServer().services;
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
let panel: Widget | null = null;

afterEach(() => {
  panel?.dispose();
  panel = null;
});

interface Made {
  readonly view: RecordingView;
  readonly drawn: { dispose: ReturnType<typeof vi.fn>; focus(): void }[];
}

function made(shelf: Shelf | null, restored?: Promise<unknown>): Made {
  const drawn: Made["drawn"] = [];
  const load = async (): Promise<Drawn> => {
    const one = { focus: () => undefined, dispose: vi.fn() };
    drawn.push(one);
    return one;
  };
  return { view: new RecordingView(trans, load, shelf, restored), drawn };
}

/** Tabs of which one is seen; the first at the beginning. */
async function tabs(count: number, shelf: Shelf | null = new Shelf(), restored?: Promise<unknown>) {
  const all = Array.from({ length: count }, () => made(shelf, restored));
  const stack = new StackedPanel();
  panel = stack;
  for (const [i, { view }] of all.entries()) {
    if (i > 0) view.hide();
    stack.addWidget(view);
  }
  Widget.attach(stack, document.body);
  await settled();
  let seen = 0;
  const show = async (next: number) => {
    all[seen]?.view.hide();
    all[next]?.view.show();
    seen = next;
    await settled();
  };
  const open = () =>
    all.flatMap(({ drawn }, i) =>
      drawn.some(({ dispose }) => dispose.mock.calls.length === 0) ? [i] : [],
    );
  return { all, show, open };
}

test("a tab that nobody sees reads nothing, until somebody does", async () => {
  const { all, show, open } = await tabs(10);
  expect(open()).toEqual([0]);

  await show(7);
  expect(open()).toEqual([0, 7]);
  expect(all[7]?.drawn).toHaveLength(1);
});

test("of many tabs few hold what they have read; the others read again when they are seen", async () => {
  const { all, show, open } = await tabs(10);
  for (let i = 1; i < 10; i++) await show(i);
  expect(open()).toEqual([6, 7, 8, 9]);

  await show(0);
  expect(open()).toEqual([0, 7, 8, 9]);
  expect(all[0]?.drawn).toHaveLength(2);
  await show(9);
  expect(all[9]?.drawn).toHaveLength(1);
  expect(open()).toEqual([0, 7, 8, 9]);
});

test("a tab that is closed makes room for another that is hidden", async () => {
  const { all, show, open } = await tabs(10);
  for (let i = 1; i < 4; i++) await show(i);
  all[0]?.view.dispose();
  await show(4);

  expect(open()).toEqual([1, 2, 3, 4]);
});

test("what only a kernel can read again is kept", async () => {
  const { show, open } = await tabs(10, null);
  for (let i = 1; i < 10; i++) await show(i);

  expect(open()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a tab that is hidden while its code is loaded begins when it is seen again", async () => {
  const { all, show, open } = await tabs(2);
  all[1]?.view.show();
  all[1]?.view.hide();
  await settled();
  expect(open()).toEqual([0]);

  await show(1);
  expect(open()).toEqual([0, 1]);
});

test("tabs that are in front only while JupyterLab brings them back read nothing", async () => {
  let done: () => void = () => undefined;
  const restored = new Promise<void>((resolve) => {
    done = resolve;
  });
  const { show, open } = await tabs(4, new Shelf(), restored);
  for (let i = 1; i < 4; i++) await show(i);
  expect(open()).toEqual([]);

  done();
  await settled();
  expect(open()).toEqual([3]);
  await show(1);
  expect(open()).toEqual([1, 3]);
});
