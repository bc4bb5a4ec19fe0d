// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { encodeKeyframe } from "../core/testing/packets";
import { render } from "./dashboard-entry";
import { FakeModel } from "./testing";

const past = encodeKeyframe(
  3,
  [0, 10, 20],
  [
    {
      id: 0,
      lo: 0,
      hi: 65533,
      codes: [
        [1, 5],
        [2, 4],
      ],
    },
  ],
  {
    state: { phase: "running", title: "a run" },
  },
);

test("says which side to upgrade instead of drawing what it cannot read", () => {
  const el = document.createElement("div");
  const feed = new FakeModel({ wire: [9, 0] }).asModel();

  render({ model: new FakeModel({}).asModel(), feed, id: "old", el });

  expect(el.textContent).toContain("Upgrade this page's pulse_widgets");
});

test("draws in the place of the loader's text, and leaves nothing behind", () => {
  const el = document.createElement("div");
  el.textContent = "Pulse: loading";
  const feed = new FakeModel({ wire: [1, 0], snapshot: new DataView(past.slice().buffer) });

  const leave = render({ model: new FakeModel({}).asModel(), feed: feed.asModel(), id: "new", el });
  expect(el.querySelector(".pulse")?.textContent).toContain("a run");
  expect(el.textContent).not.toContain("Pulse: loading");

  leave();
  expect(el.childElementCount).toBe(0);
});

test("leaves the user's box alone, and sets nothing that a host clears", () => {
  const el = document.createElement("div");
  const box = document.createElement("div");
  box.className = "jupyter-widgets widget-box";
  box.append(el);
  const feed = new FakeModel({ wire: [1, 0], snapshot: new DataView(past.slice().buffer) });

  render({ model: new FakeModel({}).asModel(), feed: feed.asModel(), id: "boxed", el });

  expect([box, el].map((one) => one.getAttribute("style"))).toEqual([null, null]);
  expect(el.querySelector("style")?.textContent).toContain(`.${el.className} {`);
});
