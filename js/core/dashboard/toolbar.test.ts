// @vitest-environment happy-dom
import { describe, expect, test, vi } from "vitest";
import { Store } from "../history/store";
import { statusOf } from "./status";
import { STYLE } from "./styles";
import { Toolbar } from "./toolbar";
import { initialState } from "./view-state";
import type { Window } from "./windows";

describe("the buttons of the window", () => {
  const rules = STYLE.split("}").map((rule) => rule.split("{").map((part) => part.trim()));

  test("only a pressed one looks chosen", () => {
    const fills = rules.filter(
      ([where = "", how = ""]) =>
        /pulse-(controls|segments|beyond)/.test(where) && /background|box-shadow|weight/.test(how),
    );
    expect(fills.length).toBeGreaterThan(0);
    for (const [where, how] of fills) {
      expect(where).toMatch(/button\[aria-pressed="true"\]$/);
      expect(how).toContain("var(--pulse-chip)");
    }
  });

  test.each([
    [30, 130, [300, 3600]],
    [300, 130, [300, 3600]],
    ["all", 130, [300, 3600]],
    ["all", 4000, []],
    [300, Number.NaN, []],
  ] as const)("with %s chosen after %s s, one is pressed and %s are dim", (window, length, dim) => {
    const toolbar = new Toolbar({ dispatch: () => undefined, pause: () => undefined });
    const source = new Store();
    const state = initialState(window);
    const status = { ...statusOf(source, state, 0, ""), sections: true, running: true, length };
    toolbar.update(status, state);
    const buttons = [...toolbar.el.querySelectorAll('[aria-label="Time window"] button')];
    const names = buttons.map((el) => el.textContent);
    const those = (query: string) => names.filter((_, i) => buttons[i]?.matches(query));
    const name = (one: Window) => ({ 30: "30 s", 300: "5 min", 3600: "1 h", all: "All" })[one];
    expect(those("[aria-pressed=true]")).toEqual([name(window)]);
    expect(those(".pulse-beyond")).toEqual(dim.map(name));
    for (const el of buttons.filter((one) => one.matches(".pulse-beyond"))) {
      expect(el.getAttribute("title")).toMatch(/so far/);
    }
  });
});

describe("what a host offers", () => {
  const events = { dispatch: () => undefined, pause: () => undefined };
  const actionOf = (label: string, run = () => {}) => ({ label, title: `${label}, really`, run });
  const seen = (toolbar: Toolbar) =>
    [...toolbar.el.querySelectorAll<HTMLButtonElement>(".pulse-actions button")].filter(
      (one) => !one.hidden,
    );

  test("stands last in the header, as buttons that a keyboard reaches", () => {
    const run = vi.fn();
    const toolbar = new Toolbar(events, [actionOf("One", run), actionOf("Two")]);
    const [one, two] = seen(toolbar) as [HTMLButtonElement, HTMLButtonElement];

    expect([one, two].map(({ textContent, title }) => [textContent, title])).toEqual([
      ["One", "One, really"],
      ["Two", "Two, really"],
    ]);
    expect([...toolbar.el.querySelectorAll("button")].at(-1)).toBe(two);
    one.click();
    expect(run).toHaveBeenCalledTimes(1);
  });

  test("comes and goes with what makes it possible", () => {
    let possible = false;
    const heard = new Set<() => void>();
    const available = {
      now: () => possible,
      subscribe: (changed: () => void) => {
        heard.add(changed);
        return () => heard.delete(changed);
      },
    };
    const toolbar = new Toolbar(events, [{ ...actionOf("Move"), available }, actionOf("Stay")]);
    const names = () => seen(toolbar).map(({ textContent }) => textContent);

    expect(names()).toEqual(["Stay"]);
    possible = true;
    for (const changed of heard) changed();
    expect(names()).toEqual(["Move", "Stay"]);

    toolbar.destroy();
    expect(heard.size).toBe(0);
  });
});
