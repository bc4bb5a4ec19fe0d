/** The browser's picture says, word for word, what the kernel's says of the same screen. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodePacket, type KeyframePacket } from "../wire/packet";
import { stillHtml } from "./html";

const HOME = new URL("../../../tests/data/figure/", import.meta.url);

function textsOf(markup: string): string[] {
  return markup.split(/<[^>]+>/).filter((text) => text.trim() !== "");
}

/** The same screen as it is written today, and as notebooks of older wire versions have kept it. */
test.each([
  ["screen", "words"],
  ["screen-1.1", "words-without-means"],
  ["screen-1.0", "words-without-means"],
])("the picture of %s says what that of the kernel says", (name, said) => {
  const bytes = readFileSync(new URL(`${name}.packet`, HOME));
  const packet = decodePacket(bytes) as KeyframePacket;
  const words = JSON.parse(readFileSync(new URL(`${said}.json`, HOME), "utf8"));

  const html = stillHtml(packet);
  const [, data = ""] = /base64,([^"]*)"/.exec(html) ?? [];
  const svg = Buffer.from(data, "base64").toString("utf8");
  const texts = [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/gs)].map(([, inner]) =>
    (inner as string).replace(/<[^>]+>/g, ""),
  );

  expect(/alt="([^"]*)"/.exec(html)?.[1]).toBe(words.alt);
  expect(texts.filter((text) => text.trim() !== "")).toEqual(words.svg);
  expect(textsOf(html.replace(/<img[^>]*>/, ""))).toEqual(words.figure);
});

test("a screen that a packet holds exactly is drawn path for path as the kernel draws it", () => {
  const packet = decodePacket(readFileSync(new URL("exact.packet", HOME))) as KeyframePacket;
  const html = stillHtml(packet);
  const [, data = ""] = /base64,([^"]*)"/.exec(html) ?? [];
  const marks = "14:13:15 too early, 14:18:20 epoch &lt;2&gt;, 14:18:20 mark, 14:18:30 close";
  expect(html).toContain(`<p>4 marks (UTC): ${marks}</p>`);

  const svg = Buffer.from(data, "base64").toString("utf8").replaceAll("><", ">\n<");

  expect(svg.split("\n")).toEqual(readFileSync(new URL("exact.svg", HOME), "utf8").split("\n"));
});
