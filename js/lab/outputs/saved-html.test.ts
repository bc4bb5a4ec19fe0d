/** What JupyterLab leaves of a saved view in a notebook that is not trusted. */

import { Sanitizer } from "@jupyterlab/apputils/lib/sanitizer";
import { expect, test } from "vitest";
import { stillHtml } from "../../core/still/html";
import { encodeKeyframe } from "../../core/testing/packets";
import { decodePacket, type KeyframePacket } from "../../core/wire/packet";

test("the picture, its sentences and the folded table survive JupyterLab's sanitizer", () => {
  const series = [
    { id: 0, host: "h0", entity: "user", metric: "loss", unit: "", kind: "gauge", labels: {} },
  ];
  const lines = [{ id: 0, lo: 0, hi: 1, codes: [[0, 65533]] as const }];
  const html = stillHtml(
    decodePacket(encodeKeyframe(0, [0, 10], lines, { series })) as KeyframePacket,
  );

  const left: string = new Sanitizer().sanitize(html);

  const tags = (text: string) => [...text.matchAll(/<[a-z]+/g)].map(([tag]) => tag);
  expect(tags(left)).toEqual(tags(html));
  expect(tags(left)).toContain("<details");
  const image = /src="data:image\/svg\+xml;base64,[^"]*"/;
  expect(image.exec(left)?.[0]).toBe(image.exec(html)?.[0]);
});
