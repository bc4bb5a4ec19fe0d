// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LiveStore } from "../history/live-store";
import { Store } from "../history/store";
import {
  ERR,
  HEIGHT,
  Kernel,
  lines,
  mounted,
  OUT,
  opened,
  Sight,
  shown,
} from "../testing/output-page";
import { frameOf } from "../testing/packets";
import { mountDashboard } from "./dashboard";
import { OutputPane } from "./output-pane";
import { ROW_PX } from "./printed-list";

beforeEach(() => {
  vi.stubGlobal("IntersectionObserver", Sight);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(HEIGHT);
});

afterEach(() => {
  mounted.clean();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("the pane is there", () => {
  test.each([
    ["where lines are printed", [OUT], false],
    ["where only errors are", [ERR], false],
    ["not without either", [{ ...OUT, metric: "cpu.utilization", kind: "gauge" }], true],
    ["not for other texts", [{ ...OUT, metric: "event" }], true],
  ])("%s", (_, series, hidden) => {
    const { pane, draw } = shown([], { series });
    draw();
    expect(pane.el.hidden).toBe(hidden);
  });

  test("not where nobody can be asked, as in what is saved", () => {
    const store = new Store();
    store.take(frameOf(1, [], { series: [OUT] }));
    const pane = new OutputPane(store, { dispatch: () => undefined, cursor: () => undefined });
    mounted.clean = () => pane.destroy();
    pane.know();
    pane.draw({ open: true, range: [0, 9], isPart: false });
    expect(pane.el.hidden).toBe(true);
  });
});

describe("folded", () => {
  test("it is one line, with the newest that is not blank, and asks for no more", () => {
    const some = [...lines(50), { series: 0, time: 99, text: "\u001b[1m  the last \u001b[0m" }];
    const page = shown([...some, { series: 0, time: 100, text: " " }]);
    page.draw({ open: false });
    expect(page.kernel.asked).toEqual([]);
    Sight.tell(true);
    page.settle();

    expect(page.find(".pulse-out-newest").textContent).toMatch(/:\d\dthe last$/);
    expect(page.rows()).toEqual([]);
    expect(page.kernel.waiting.map(({ most }) => most)).toEqual([20]);
    expect(page.kernel.switches).toEqual([]);
    page.draw();
    page.find("button").click();
    expect(page.opened).toEqual([true]);
  });

  test("it asks again once the kernel has been busy", () => {
    const page = shown(lines(5));
    page.draw({ open: false });
    Sight.tell(true);
    page.settle();
    const busy = (is: boolean) =>
      page.kernel.says({ state: { phase: "running", t0: 1, kernel: { busy: is } } });
    busy(true);
    page.kernel.printed.push(...lines(5, 5));
    busy(true);
    expect(page.kernel.waiting).toHaveLength(1);
    busy(false);
    busy(false);
    page.settle();
    expect(page.kernel.waiting).toHaveLength(2);
    expect(page.find(".pulse-out-newest").textContent).toContain("line 9");
  });
});

describe("open", () => {
  test("it asks for new lines only while it can be seen", () => {
    const page = shown(lines(5));
    page.draw();
    expect(page.kernel.switches).toEqual([]);
    Sight.tell(true);
    expect(page.kernel.switches).toEqual([true]);
    const hide = (is: boolean) => {
      vi.spyOn(document, "hidden", "get").mockReturnValue(is);
      document.dispatchEvent(new Event("visibilitychange"));
    };
    hide(true);
    hide(false);
    page.draw({ open: false });
    expect(page.kernel.switches).toEqual([true, false, true, false]);
    page.draw({ open: true });
    page.pane.destroy();
    expect(page.kernel.switches).toEqual([true, false, true, false, true, false]);
  });

  test("new lines go on while a cell runs, whoever looks elsewhere meanwhile", () => {
    const page = opened(lines(5));
    // Starting a cell scrolls to it; what is asked while it runs comes too late.
    Sight.tell(false);
    page.kernel.says({ state: { phase: "running", t0: 1, kernel: { busy: true } } });
    vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(page.kernel.switches).toEqual([true]);
    page.kernel.prints(...lines(1, 5));
    vi.spyOn(document, "hidden", "get").mockReturnValue(false);
    Sight.tell(true);
    expect(page.texts().at(-1)).toBe("line 5");
    expect(page.note()).toBe("6 lines in view");
  });

  test("it shows the newest lines, and those that are printed", () => {
    const page = opened(lines(50));
    expect(page.texts().at(-1)).toBe("line 49");
    expect(page.note()).toBe("50 lines in view");
    page.kernel.prints(...lines(3, 50));
    expect(page.texts().at(-1)).toBe("line 52");
    expect(page.note()).toBe("53 lines in view");
  });

  test("it opens with the newest line, each time", () => {
    const page = shown(lines(50));
    page.draw({ open: false });
    Sight.tell(true);
    page.settle();
    page.draw({ open: true });
    page.settle();
    expect(page.texts().at(-1)).toBe("line 49");
    page.scroll(0);
    page.settle();
    page.scroll(0);
    page.draw({ open: false });
    page.draw({ open: true });
    page.settle();
    expect(page.list.scrollTop).toBe(40 * ROW_PX);
    expect(page.texts().at(-1)).toBe("line 49");
  });

  test("very many lines are few elements, and all are reached", () => {
    const page = opened(lines(45_000));
    expect(page.note()).toBe("1,000 lines in view so far");
    for (let i = 0; i < 60; i++) {
      page.scroll(0);
      page.settle();
      expect(page.rows().length).toBeLessThan(300);
    }
    page.scroll(0);
    expect(page.note()).toBe("45,000 lines in view");
    expect(page.texts()[0]).toBe("line 0");
    page.scroll(20_000 * ROW_PX);
    expect(page.texts()).toContain("line 20000");
    expect(page.rows().length).toBeLessThan(300);
  });

  test.each([
    ["/tmp/run.pulse", " They are in the recording."],
    [null, ""],
  ])("lines that the kernel has let go are told, and asked for once, path %s", (path, more) => {
    const page = shown(lines(3000));
    page.kernel.keeps = 2500;
    page.kernel.says({ state: { phase: "running", t0: 1, recording: { path } } });
    page.draw();
    Sight.tell(true);
    page.settle();
    expect(page.said()).toBe("");
    for (let i = 0; i < 6; i++) {
      page.scroll(0);
      page.settle();
    }
    expect(page.said()).toBe(`Earlier lines are no longer kept here.${more}`);
    expect(page.note()).toBe("2,500 lines in view");
    const asked = page.kernel.waiting.length;
    expect(asked).toBeLessThan(8);
    page.kernel.prints({ series: 0, time: 4000, text: "more" });
    page.settle();
    expect(page.kernel.waiting).toHaveLength(asked);
    expect(page.said()).toContain("no longer kept");
    page.draw({ range: [600, 700], isPart: true });
    expect(page.said()).toBe("");
    page.draw({ range: [20, 30], isPart: true });
    expect(page.said()).toContain("no longer kept");
    expect(page.texts()).toEqual([]);
  });

  test("what was scrolled to stays while lines come before and after it", () => {
    const page = opened(lines(3000));
    page.scroll(0);
    const first = () => page.list.scrollTop / ROW_PX;
    const before = page.store.lines().length;
    page.settle();
    const more = page.store.lines().length - before;
    expect(more).toBeGreaterThan(0);
    expect(first()).toBeGreaterThanOrEqual(more - 1);
    const top = page.list.scrollTop;
    page.kernel.prints(...lines(10, 3000));
    expect(page.list.scrollTop).toBe(top);
    const down = page.find(".pulse-out-tools button");
    expect(down.hidden).toBe(false);
    down.click();
    expect([page.texts().at(-1), down.hidden]).toEqual(["line 3009", true]);
  });

  test("a range that was zoomed to limits what is shown", () => {
    const page = opened(lines(500));
    page.draw({ range: [101, 103], isPart: true });
    page.settle();
    expect(page.texts()).toEqual(["line 100", "line 101", "line 102"]);
    expect(page.note()).toBe("3 lines in view");
    page.draw({ range: [101.2, 101.4], isPart: true });
    page.settle();
    expect([page.texts(), page.said()]).toEqual([[], "Nothing was printed in this stretch."]);
  });

  test("lines that were lost are asked for", () => {
    const page = opened(lines(20));
    page.kernel.printed.push(...lines(5, 20));
    page.draw({ open: false });
    page.draw({ open: true });
    page.settle();
    expect(page.texts().at(-1)).toBe("line 24");
    expect(page.note()).toBe("25 lines in view");
  });
});

describe("it says", () => {
  test("that nothing was printed yet, or at all", () => {
    const page = opened();
    expect(page.said()).toBe("Nothing was printed yet.");
    page.kernel.says({ state: { phase: "stopped", t0: 1 } });
    expect(page.said()).toBe("Nothing was printed.");
  });

  test("what it waits for", () => {
    vi.useFakeTimers();
    const page = shown(lines(9));
    page.draw();
    Sight.tell(true);
    page.draw();
    expect(page.said()).toBe("Loading\u2026");
    page.kernel.says({ state: { phase: "running", t0: 1, kernel: { busy: true } } });
    expect(page.said()).toMatch(/when the running cell has ended/);
    page.kernel.says({ state: { phase: "running", t0: 1 } });
    vi.advanceTimersByTime(20_000);
    page.draw();
    expect(page.said()).toMatch(/older version/);
    page.settle();
    expect([page.said(), page.note()]).toEqual(["", "9 lines in view"]);
    vi.useRealTimers();
  });

  test("that the kernel has gone", () => {
    const page = opened(lines(3000));
    page.store.end("died");
    page.scroll(0);
    page.draw();
    expect(page.said()).toMatch(/the kernel has gone/);
    expect(page.note()).toBe("1,000 lines in view so far");
  });

  test("why nothing is captured", () => {
    const page = opened();
    const off = { name: "output", state: "absent", problem: "Off.", remedy: "Turn it on." };
    page.kernel.says({ state: { phase: "running", t0: 1, sources: [off] } });
    expect(page.said()).toBe("Off. Turn it on.");
  });
});

describe("in a dashboard", () => {
  const inside = (layout: "dashboard" | "strip" | "charts", metrics: string[] | null = null) => {
    const kernel = new Kernel();
    const store = new LiveStore(kernel);
    kernel.says({ series: [OUT], state: { phase: "running", t0: 1 } });
    const el = document.body.appendChild(document.createElement("div"));
    const leave = mountDashboard(el, store, { layout, metrics, title: "", page: "/here.ipynb" });
    mounted.clean = () => {
      leave();
      el.remove();
    };
    const pane = () => el.querySelector<HTMLElement>('[aria-label="Output"]');
    return { pane, leave: mounted.clean };
  };

  beforeEach(() => {
    const none = {
      observe: () => undefined,
      unobserve: () => undefined,
      disconnect: () => undefined,
    };
    vi.stubGlobal(
      "IntersectionObserver",
      class {
        observe = none.observe;
        unobserve = none.unobserve;
        disconnect = none.disconnect;
      },
    );
    localStorage.clear();
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    ["dashboard", null, true],
    ["dashboard", ["cpu.*"], false],
    ["charts", null, false],
    ["strip", null, false],
  ] as const)("%s of %j", (layout, metrics, is) => {
    const { pane } = inside(layout, metrics && [...metrics]);
    vi.advanceTimersByTime(400);
    expect(pane()?.hidden === false).toBe(is);
  });

  test("it is folded at first, and opened again where it was opened", () => {
    const first = inside("dashboard");
    vi.advanceTimersByTime(400);
    expect(first.pane()?.dataset["open"]).toBe("false");
    first.pane()?.querySelector("button")?.click();
    vi.advanceTimersByTime(400);
    expect(first.pane()?.dataset["open"]).toBe("true");
    first.leave();

    const again = inside("dashboard");
    vi.advanceTimersByTime(400);
    expect(again.pane()?.dataset["open"]).toBe("true");
  });
});
