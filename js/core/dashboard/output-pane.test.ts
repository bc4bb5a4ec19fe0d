// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { arrivalOf, type Channel, type Listener, type Request } from "../history/channel";
import { LiveStore } from "../history/live-store";
import { Store } from "../history/store";
import { encodePacket, frameOf } from "../testing/packets";
import { mountDashboard } from "./dashboard";
import { OutputPane, type OutputView } from "./output-pane";
import { ROW_PX } from "./printed-list";

const HEIGHT = 10 * ROW_PX;
const about = { host: "h0", entity: "kernel", unit: "", kind: "text", labels: {} };
const OUT = { ...about, id: 0, metric: "log.stdout" };
const ERR = { ...about, id: 1, metric: "log.stderr" };

type Line = { series: number; time: number; text: string };

/** A kernel that has printed some lines, and answers when a test lets it. */
class Kernel implements Channel {
  readonly closed = false;
  readonly asked: Request[] = [];
  printed: Line[] = [];
  #listener: Listener | null = null;
  #seq = 0;

  subscribe(listener: Listener): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  send(request: Request): boolean {
    this.asked.push(request);
    return true;
  }

  says(news: Record<string, unknown>): void {
    this.#listener?.hear(frameOf(++this.#seq, [], news));
  }

  /** Print lines, which a page sees that asked for them. */
  prints(...lines: Line[]): void {
    this.printed.push(...lines);
    this.says({ lines });
  }

  get waiting(): Extract<Request, { kind: "text" }>[] {
    return this.asked.filter((one) => one.kind === "text");
  }

  /** Answer the request that came last; returns whether there was one that is not answered. */
  answers(): boolean {
    const asked = this.waiting.at(-1);
    if (!asked || asked.request === this.#answered) return false;
    this.#answered = asked.request;
    const { request, t0, t1, most } = asked;
    const all = this.printed.filter(({ time }) => time >= t0 && time <= t1);
    const lines = all.slice(-most);
    const more = lines.length < all.length;
    this.#listener?.hear(arrivalOf(encodePacket({ kind: "lines", request, t0, t1, lines, more })));
    return true;
  }

  #answered = 0;

  get switches(): boolean[] {
    const all = this.asked.flatMap((one) => (one.kind === "lines" ? [one.on] : []));
    return all.filter((on, i) => on !== all[i - 1]);
  }
}

class Sight {
  static tell: (isIntersecting: boolean) => void = () => undefined;
  constructor(told: (entries: unknown[]) => void) {
    Sight.tell = (isIntersecting) => told([{ isIntersecting }]);
  }
  observe(): void {}
  disconnect(): void {}
}

const lines = (count: number, from = 0, series = 0): Line[] =>
  Array.from({ length: count }, (_, i) => ({
    series,
    time: 1 + from + i,
    text: `line ${from + i}`,
  }));

let clean = (): void => {};

function shown(some: Line[] = [], options: { series?: object[]; entities?: object[] } = {}) {
  const kernel = new Kernel();
  const store = new LiveStore(kernel);
  kernel.printed = some;
  const { series = [OUT, ERR], entities = [] } = options;
  kernel.says({ series, entities, state: { phase: "running", t0: 1 } });
  const [opened, cursors] = [[] as boolean[], [] as (number | null)[]];
  const pane = new OutputPane(store, {
    dispatch: (action) => opened.push(action.type === "open" && action.open),
    cursor: (time) => {
      cursors.push(time);
      pane.point(time);
    },
  });
  document.body.append(pane.el);
  let view: OutputView = { open: true, range: [0, Infinity], isPart: false };
  const draw = (change: Partial<OutputView> = {}) => {
    view = { ...view, ...change };
    pane.draw(view);
  };
  store.subscribe(({ series, entities }) => {
    if (series || entities) pane.know();
    draw();
  });
  pane.know();
  clean = () => pane.destroy();
  const find = (query: string) => pane.el.querySelector<HTMLElement>(query) as HTMLElement;
  const list = find(".pulse-out-list");
  const input = find("input") as HTMLInputElement;
  return {
    kernel,
    store,
    pane,
    draw,
    opened,
    cursors,
    find,
    list,
    /** Let the kernel answer until nothing more is asked. */
    settle: () => {
      for (let i = 0; i < 200 && kernel.answers(); i++) draw();
    },
    rows: () => [...pane.el.querySelectorAll<HTMLElement>(".pulse-out-row")],
    texts: () => [...pane.el.querySelectorAll(".pulse-out-text")].map((el) => el.textContent),
    marked: () => pane.el.querySelector(".pulse-out-at .pulse-out-text")?.textContent ?? null,
    note: () => find(".pulse-note").textContent,
    said: () => (find(".pulse-out-say").hidden ? "" : find(".pulse-out-say").textContent),
    count: () => find(".pulse-out-tools .pulse-detail").textContent,
    scroll: (top: number) => {
      list.scrollTop = top;
      list.dispatchEvent(new Event("scroll"));
    },
    type: (text: string) => {
      input.value = text;
      input.dispatchEvent(new Event("input"));
    },
    press: (key: string, shiftKey = false) => {
      input.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true }));
    },
    current: () => pane.el.querySelector(".pulse-out-hit .pulse-out-text")?.textContent ?? null,
  };
}

/** Open, in sight, and with everything that was asked for. */
function opened(some: Line[] = [], options = {}) {
  const page = shown(some, options);
  page.draw();
  Sight.tell(true);
  page.settle();
  return page;
}

beforeEach(() => {
  vi.stubGlobal("IntersectionObserver", Sight);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(HEIGHT);
});

afterEach(() => {
  clean();
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
    clean = () => pane.destroy();
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
    Sight.tell(false);
    Sight.tell(true);
    page.draw({ open: false });
    expect(page.kernel.switches).toEqual([true, false, true, false]);
    page.draw({ open: true });
    page.pane.destroy();
    expect(page.kernel.switches).toEqual([true, false, true, false, true, false]);
  });

  test("it shows the newest lines, and those that are printed", () => {
    const page = opened(lines(50));
    expect(page.texts().at(-1)).toBe("line 49");
    expect(page.note()).toBe("50 lines in view");
    page.kernel.prints(...lines(3, 50));
    expect(page.texts().at(-1)).toBe("line 52");
    expect(page.note()).toBe("53 lines in view");
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
    page.kernel.says({});
    page.kernel.printed.push(...lines(5, 20));
    Sight.tell(false);
    Sight.tell(true);
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

describe("a line", () => {
  test("is text, in colours, and nothing else", () => {
    const text = "\u001b[1;31m<img src=x onerror=alert(1)>\u001b[0m &amp; \u001b]0;t\u0007end";
    const page = opened([{ series: 0, time: 1, text }]);
    expect(page.texts()).toEqual(["<img src=x onerror=alert(1)> &amp; end"]);
    expect(page.pane.el.querySelector("img")).toBeNull();
    const [span] = page.pane.el.querySelectorAll<HTMLElement>(".pulse-out-text span");
    expect(span?.className).toBe("pulse-a-bold pulse-a-ink");
    expect(span?.style.getPropertyValue("--ink")).toMatch(/^rgb\(/);
  });

  test.each([
    ["\u001b[7mX", "pulse-a-inverse", "", ""],
    ["\u001b[44mX", "pulse-a-on", "rgb(47 111 208)", "#fff"],
    ["\u001b[48;5;231mX", "pulse-a-on", "rgb(255 255 255)", "#111"],
    ["\u001b[38;2;1;2;3;48;2;4;5;6mX", "pulse-a-on", "rgb(4 5 6)", "rgb(1 2 3)"],
    ["\u001b[38;2;1;2;3;48;2;4;5;6;7mX", "pulse-a-on", "rgb(1 2 3)", "rgb(4 5 6)"],
    ["\u001b[38;2;1;2;3;7mX", "pulse-a-on", "rgb(1 2 3)", "#fff"],
    ["\u001b[2;3;4mX", "pulse-a-dim pulse-a-italic pulse-a-under", "", ""],
  ])("%j looks so", (text, names, on, ink) => {
    const page = opened([{ series: 0, time: 1, text }]);
    const span = page.find(".pulse-out-text span");
    expect(span.className).toBe(names);
    expect(span.style.getPropertyValue("--on")).toBe(on);
    expect(span.style.getPropertyValue("--ink")).toBe(ink);
  });

  test("of the stream of errors has a mark", () => {
    const page = opened([...lines(1), ...lines(1, 1, 1)]);
    expect(page.rows().map((row) => row.querySelector("b")?.textContent)).toEqual(["", "err"]);
    expect(page.rows().map((row) => row.classList.contains("pulse-out-err"))).toEqual([
      false,
      true,
    ]);
  });

  test("that is very long is cut, and says so", () => {
    const page = opened([{ series: 0, time: 1, text: "x".repeat(5000) }]);
    expect(page.texts()[0]).toBe(`${"x".repeat(4000)} \u2026 1,000 more letters`);
  });

  test.each<[string, object[], string[]]>([
    ["of one kernel names nobody", [OUT, ERR], []],
    [
      "of ranks names its rank",
      ["rank:0/kernel", "rank:1/kernel"].map((entity, id) => ({ ...OUT, id, entity })),
      ["Rank 0", "Rank 1"],
    ],
    [
      "of machines names the machine",
      ["h0", "h1"].map((host, id) => ({ ...OUT, id, host })),
      ["node-a", "h1"],
    ],
  ])("%s", (_, series, names) => {
    const entities = [{ host: "h0", entity: "host", labels: { name: "node-a" } }];
    const page = opened([...lines(1), ...lines(1, 1, 1)], { series, entities });
    const owners = [...page.pane.el.querySelectorAll(".pulse-out-row > i")];
    expect(owners.map((el) => el.textContent?.toLowerCase())).toEqual(
      names.map((n) => n.toLowerCase()),
    );
  });
});

describe("the cursor", () => {
  test.each([
    [20, "line 19"],
    [20.7, "line 19"],
    [1, "line 0"],
    [0.5, null],
    [1e6, "line 199"],
  ])("at %d marks the last line at or before it", (time, text) => {
    const page = opened(lines(200));
    page.pane.point(time);
    expect(page.marked()).toBe(text);
    expect(text === null || page.texts().includes(text)).toBe(true);
  });

  test("brings the line into sight, and leaves the list as it was", () => {
    const page = opened(lines(200));
    const bottom = page.list.scrollTop;
    page.pane.point(20);
    expect(page.list.scrollTop).toBeLessThan(30 * ROW_PX);
    page.kernel.prints(...lines(1, 200));
    expect(page.marked()).toBe("line 19");
    page.pane.point(null);
    expect(page.marked()).toBeNull();
    expect(page.list.scrollTop).toBe(bottom + ROW_PX);
    page.scroll(50 * ROW_PX);
    page.pane.point(150);
    page.pane.point(null);
    expect(page.list.scrollTop).toBe(50 * ROW_PX);
  });

  test("where no lines are here brings them", () => {
    const page = opened(lines(30_000));
    expect(page.store.lines()[0]?.text).toBe("line 29000");
    page.pane.point(5001);
    page.settle();
    expect(page.marked()).toBe("line 5000");
    expect(page.texts()).toContain("line 4999");
    // And those after it, but not all up to the newest.
    expect(page.texts()).toContain("line 5001");
    expect(page.store.lines().length).toBeLessThan(5000);
    page.pane.point(null);
    expect(page.texts().at(-1)).toBe("line 29999");
  });

  test("goes to the line that is pointed at, and stays at one that was clicked", () => {
    const page = opened(lines(200));
    const top = page.list.scrollTop;
    const row = page.rows().find((el) => el.textContent?.includes("line 195")) as HTMLElement;
    row.dispatchEvent(new Event("pointermove", { bubbles: true }));
    expect([page.cursors.at(-1), page.marked(), page.list.scrollTop]).toEqual([
      196,
      "line 195",
      top,
    ]);
    page.list.dispatchEvent(new Event("pointerleave"));
    expect([page.cursors.at(-1), page.marked()]).toEqual([null, null]);
    row.click();
    page.list.dispatchEvent(new Event("pointerleave"));
    expect([page.cursors.at(-1), page.marked()]).toEqual([196, "line 195"]);
    page.pane.point(20);
    expect(page.marked()).toBe("line 19");
    page.list.dispatchEvent(new Event("pointerleave"));
    expect(page.cursors.at(-1)).toBeNull();
  });
});

describe("the search", () => {
  test("marks what it finds, and goes from one to the next and back", () => {
    const page = opened(lines(200));
    page.scroll(0);
    page.type("LINE 1");
    expect([page.count(), page.current()]).toEqual(["1 of 111", "line 1"]);
    page.press("Enter");
    expect([page.count(), page.current()]).toEqual(["2 of 111", "line 10"]);
    page.press("Enter", true);
    page.press("Enter", true);
    expect([page.count(), page.current()]).toEqual(["111 of 111", "line 199"]);
    page.press("Enter");
    expect(page.current()).toBe("line 1");
    const marks = [...page.pane.el.querySelectorAll("mark")].map((el) => el.textContent);
    expect(new Set(marks)).toEqual(new Set(["line 1"]));
    // Nothing is left out.
    expect(page.texts()).toContain("line 2");
  });

  test("marks across the colours of a line", () => {
    const page = opened([{ series: 0, time: 1, text: "a\u001b[31mbc\u001b[0md" }]);
    page.type("bcd");
    const marks = [...page.pane.el.querySelectorAll("mark")].map((el) => el.textContent);
    expect([marks, page.texts()]).toEqual([["bc", "d"], ["abcd"]]);
  });

  test("says that nothing was found, and is left with Escape", () => {
    const page = opened(lines(20));
    page.type("nothing like it");
    expect([page.count(), page.current()]).toEqual(["no match", null]);
    page.press("Escape");
    expect((page.find("input") as HTMLInputElement).value).toBe("");
    expect(page.find(".pulse-out-tools .pulse-detail").hidden).toBe(true);
    const focus = vi.spyOn(page.list, "focus");
    page.press("Escape");
    expect(focus).toHaveBeenCalled();
  });

  test("keeps its keys from the dashboard", () => {
    const page = opened(lines(20));
    const heard = vi.fn();
    page.pane.el.addEventListener("keydown", heard);
    for (const key of ["p", "1", "/", "Enter", "Escape"]) page.press(key);
    expect(heard).not.toHaveBeenCalled();
  });

  test("goes on where it was while lines come", () => {
    const page = opened(lines(30));
    page.scroll(0);
    page.type("line 2");
    page.kernel.prints({ series: 0, time: 99, text: "line 2 again" });
    expect([page.count(), page.current()]).toEqual(["1 of 12", "line 2"]);
  });
});

describe("in a dashboard", () => {
  const mounted = (layout: "dashboard" | "strip" | "charts", metrics: string[] | null = null) => {
    const kernel = new Kernel();
    const store = new LiveStore(kernel);
    kernel.says({ series: [OUT], state: { phase: "running", t0: 1 } });
    const el = document.body.appendChild(document.createElement("div"));
    const leave = mountDashboard(el, store, { layout, metrics, title: "", page: "/here.ipynb" });
    clean = () => {
      leave();
      el.remove();
    };
    const pane = () => el.querySelector<HTMLElement>('[aria-label="Output"]');
    return { pane, leave: clean };
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
    const { pane } = mounted(layout, metrics && [...metrics]);
    vi.advanceTimersByTime(400);
    expect(pane()?.hidden === false).toBe(is);
  });

  test("it is folded at first, and opened again where it was opened", () => {
    const first = mounted("dashboard");
    vi.advanceTimersByTime(400);
    expect(first.pane()?.dataset["open"]).toBe("false");
    first.pane()?.querySelector("button")?.click();
    vi.advanceTimersByTime(400);
    expect(first.pane()?.dataset["open"]).toBe("true");
    first.leave();

    const again = mounted("dashboard");
    vi.advanceTimersByTime(400);
    expect(again.pane()?.dataset["open"]).toBe("true");
  });
});
