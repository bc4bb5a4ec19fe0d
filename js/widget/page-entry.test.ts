// @vitest-environment happy-dom
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { encodeKeyframe, encodeRows } from "../core/testing/packets";
import { drawPage } from "./page-entry";

test("draws a page from its packets, in the place of the picture", async () => {
  const el = document.createElement("div");
  el.innerHTML = "<img alt='before'>";
  const state = { phase: "stopped", title: "exported run", t0: 0, t1: 20 };
  const packets = [
    encodeKeyframe(0, [0, 10, 20], [{ id: 0, lo: 0, hi: 65533, codes: [[1, 5], null] }], { state }),
    encodeRows({ ids: [0], t0: 0, t1: 20, reduced: [] }, [[0, 1, 2]]),
  ];

  await drawPage(el, gzipSync(Buffer.concat(packets)).toString("base64"));

  expect(el.querySelector("img[alt=before]")).toBeNull();
  expect(el.textContent).toContain("exported run");
});
