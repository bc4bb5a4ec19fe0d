// @vitest-environment happy-dom
import { Widget } from "@lumino/widgets";
import { afterEach, expect, test } from "vitest";
import { Toggle } from "./toggle";

afterEach(() => {
  document.body.replaceChildren();
});

test.each(["left", "right"])("at the %s: go into it, then close it and go back", (side) => {
  const panel = new Widget();
  const button = panel.node.appendChild(document.createElement("button"));
  const cell = document.body.appendChild(document.createElement("textarea"));
  Widget.attach(panel, document.body);
  panel.hide();
  const closed: string[] = [];
  const close = (where: string) => () => {
    closed.push(where);
    panel.hide();
  };
  const shell = {
    widgets: (where: string) => (where === side ? [panel] : []).values(),
    ...{ collapseLeft: close("left"), collapseRight: close("right"), currentWidget: null },
  };
  const open = { reveal: () => panel.show(), enter: () => button.focus() };
  const toggle = new Toggle(shell as never, panel, open);

  cell.focus();
  toggle.press();
  expect(document.activeElement).toBe(button);
  // Seen, but not in use: it is not closed.
  cell.focus();
  toggle.press();
  expect([document.activeElement, closed]).toEqual([button, []]);
  toggle.press();

  expect([document.activeElement, closed]).toEqual([cell, [side]]);
});
