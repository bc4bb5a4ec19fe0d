// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Movable, offerSidebar, type Sidebar } from "../core/sidebar";
import { stubIntersections } from "../core/testing/observers";
import { encodeFrame, encodeKeyframe, frameOf } from "../core/testing/packets";
import { render } from "./dashboard-entry";
import { storeOf } from "./feed-store";
import { isMoved } from "./movable-view";
import { FakeModel } from "./testing";

const codes = [
  [1, 5],
  [2, 4],
] as const;
const past = encodeKeyframe(3, [0, 10, 20], [{ id: 0, lo: 0, hi: 65533, codes }], {
  state: { phase: "running", title: "a run" },
});

/** A sidebar as a host would have one. */
class FakeSidebar implements Sidebar {
  feed: string | null = null;
  readonly taken: Movable[] = [];
  readonly listeners = new Set<() => void>();

  take(view: Movable): void {
    this.taken.push(view);
    this.show(view.feed);
  }

  giveBack(): void {
    this.show(null);
  }

  show(feed: string | null): void {
    this.feed = feed;
    for (const listener of [...this.listeners]) listener();
  }

  subscribe(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }
}

type View = Partial<Pick<Movable, "layout" | "metrics">>;

let leave: (() => void)[] = [];
let ids = 0;

/** A feed of its own, and views of it in cells. */
function cells(first: View, ...more: View[]) {
  const views = [first, ...more];
  const id = `feed-${++ids}`;
  const feed = new FakeModel({ wire: [1, 0], snapshot: new DataView(past.slice().buffer) });
  const els = views.map(({ layout = "dashboard", metrics = null }) => {
    const el = document.createElement("div");
    document.body.append(el);
    const model = new FakeModel({ kind: layout, metrics, title: "mine" }).asModel();
    leave.push(render({ model, feed: feed.asModel(), id, el }));
    return el;
  });
  return { id, feed, els, el: els[0] as HTMLElement, source: storeOf(feed.asModel(), id) };
}

function buttonOf(el: HTMLElement, name: string): HTMLButtonElement | undefined {
  const all = [...el.querySelectorAll("button")];
  return all.find((one) => one.textContent === name && !one.hidden);
}

const press = (el: HTMLElement, name: string) => buttonOf(el, name)?.click();
const move = (el: HTMLElement) => press(el, "Move to sidebar");
const isLine = (el: HTMLElement) =>
  el.querySelectorAll(".pulse").length === 1 &&
  el.textContent?.includes("Shown in the sidebar.") === true &&
  !el.querySelector(".pulse-board");
const isWhole = (el: HTMLElement) => el.querySelector(".pulse-toolbar") !== null;

beforeEach(() => {
  stubIntersections();
  localStorage.clear();
});

afterEach(() => {
  for (const one of leave) one();
  leave = [];
  offerSidebar(null);
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a view in a cell", () => {
  test("has nowhere to move to on a page without a sidebar", () => {
    const { el } = cells({});

    expect(buttonOf(el, "Move to sidebar")).toBeUndefined();
  });

  test("moves only while its session goes on", () => {
    const ends: ((source: ReturnType<typeof cells>["source"]) => void)[] = [
      (source) => source.end("died"),
      (source) => source.end("restarted"),
      (source) => source.take(frameOf(4, [], { state: { phase: "stopped" } })),
    ];
    for (const end of ends) {
      offerSidebar(new FakeSidebar());
      const { el, source } = cells({});
      expect(buttonOf(el, "Move to sidebar")).toBeDefined();
      end(source);
      expect(buttonOf(el, "Move to sidebar")).toBeUndefined();
      // Nor does it come back with another sidebar.
      offerSidebar(new FakeSidebar());
      expect(buttonOf(el, "Move to sidebar")).toBeUndefined();
    }
  });

  test("moves, and leaves a line with a way back", () => {
    const sidebar = new FakeSidebar();
    offerSidebar(sidebar);
    const { id, el } = cells({});

    move(el);
    expect(sidebar.taken).toEqual([
      { feed: id, layout: "dashboard", metrics: null, title: "mine" },
    ]);
    expect(isLine(el)).toBe(true);

    press(el, "Bring it back");
    expect(sidebar.feed).toBeNull();
    expect(isWhole(el)).toBe(true);
    expect(isLine(el)).toBe(false);
  });

  test("comes back when the sidebar gives it back, or shows another feed, or goes", () => {
    const ways: ((sidebar: FakeSidebar) => void)[] = [
      (sidebar) => sidebar.giveBack(),
      (sidebar) => sidebar.show("another"),
      () => offerSidebar(null),
      () => offerSidebar(new FakeSidebar()),
    ];
    for (const way of ways) {
      const sidebar = new FakeSidebar();
      offerSidebar(sidebar);
      const { el } = cells({});
      move(el);
      expect(isLine(el)).toBe(true);

      way(sidebar);
      expect(isWhole(el)).toBe(true);
    }
  });

  test("shows the sidebar again where that was closed, and the view stays there", () => {
    const sidebar = Object.assign(new FakeSidebar(), { reveal: vi.fn() });
    offerSidebar(sidebar);
    const { el } = cells({});
    move(el);
    const shown = buttonOf(el, "Show the sidebar");
    shown?.focus();
    shown?.click();

    expect(sidebar.reveal).toHaveBeenCalledTimes(1);
    expect(isLine(el)).toBe(true);
    expect(document.activeElement).toBe(shown);
  });

  test("offers no such thing where the sidebar cannot be shown from here", () => {
    offerSidebar(new FakeSidebar());
    const { el } = cells({});
    move(el);
    expect(buttonOf(el, "Show the sidebar")).toBeUndefined();
    expect(buttonOf(el, "Bring it back")).toBeDefined();
  });

  test("can move as soon as there is a sidebar, which may come late, and go", () => {
    const { el } = cells({});
    const sidebar = new FakeSidebar();

    offerSidebar(sidebar);
    expect(buttonOf(el, "Move to sidebar")).toBeDefined();
    offerSidebar(null);
    expect(buttonOf(el, "Move to sidebar")).toBeUndefined();
  });

  test("is a line from the beginning where a sidebar has it already", () => {
    const sidebar = new FakeSidebar();
    offerSidebar(sidebar);
    sidebar.show(`feed-${ids + 1}`);

    const { els } = cells({}, { layout: "charts", metrics: ["gpu.*"] });
    expect(els.map(isLine)).toEqual([true, false]);
  });

  test("goes on hearing its kernel while it draws nothing, and comes back with what was chosen", () => {
    vi.useFakeTimers();
    const sidebar = new FakeSidebar();
    offerSidebar(sidebar);
    const { feed, el, source } = cells({});
    press(el, "1 h");
    move(el);
    feed.sent.length = 0;

    feed.deliver(encodeFrame(4, [[0, 21, 7]]));
    vi.advanceTimersByTime(45_000);
    expect(source.last(0)).toEqual({ time: 21, value: 7 });
    expect(feed.sent.map((message) => message["kind"])).toEqual(["seen", "seen"]);
    expect(el.querySelectorAll(".pulse-chart, canvas, .pulse-toolbar")).toHaveLength(0);

    sidebar.giveBack();
    const chosen = el.querySelector(".pulse-segments [aria-pressed=true]");
    expect(chosen?.textContent).toBe("1 h");
  });

  test("keeps the keyboard, there and back", () => {
    offerSidebar(new FakeSidebar());
    const { el } = cells({});

    buttonOf(el, "Move to sidebar")?.focus();
    move(el);
    expect(document.activeElement?.textContent).toBe("Bring it back");

    press(el, "Bring it back");
    expect(document.activeElement).toBe(el.querySelector(".pulse"));
  });

  test("takes the keyboard from nobody else", () => {
    const sidebar = new FakeSidebar();
    offerSidebar(sidebar);
    const { el } = cells({});
    const other = document.createElement("button");
    document.body.append(other);
    other.focus();

    move(el);
    sidebar.giveBack();

    expect(document.activeElement).toBe(other);
  });

  test("leaves no listener behind, however often it moves", () => {
    const sidebar = new FakeSidebar();
    offerSidebar(sidebar);
    const { el } = cells({});
    const before = sidebar.listeners.size;
    for (let i = 0; i < 20; i++) {
      move(el);
      sidebar.giveBack();
    }

    expect(sidebar.listeners.size).toBe(before);
    for (const one of leave) one();
    expect(sidebar.listeners.size).toBe(0);
    leave = [];
  });
});

const VIEWS: View[] = [
  { layout: "dashboard" },
  { layout: "dashboard", metrics: ["gpu.*"] },
  { layout: "charts", metrics: ["gpu.*"] },
  { layout: "charts", metrics: ["train/*"] },
  { layout: "strip" },
];

test.each(VIEWS.map((view, place) => ({ ...view, place })))(
  "with $layout $metrics only what looks the same goes",
  ({ place }) => {
    offerSidebar(new FakeSidebar());
    const { els } = cells(VIEWS[0] as View, ...VIEWS.slice(1), ...VIEWS);
    const { el: other } = cells({});

    move(els[place] as HTMLElement);

    const gone = VIEWS[place]?.layout === "strip" ? [] : [place, place + VIEWS.length];
    expect(els.flatMap((el, i) => (isLine(el) ? [i] : []))).toEqual(gone);
    expect(isLine(other)).toBe(false);
  },
);

test("no metrics chosen and an empty choice are the same view", () => {
  const view: Movable = { feed: "f", layout: "dashboard", metrics: [], title: "" };
  expect(isMoved(view, "f", { ...view, metrics: null })).toBe(true);
  expect(isMoved(view, "f", undefined)).toBe(true);
  expect(isMoved(view, null, view)).toBe(false);
});
