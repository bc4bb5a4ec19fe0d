// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ERR, HEIGHT, lines, mounted, OUT, opened, Sight } from "../testing/output-page";
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
    ["\u001b[48;5;231mX", "pulse-a-on", "rgb(255 255 255)", "#000"],
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
