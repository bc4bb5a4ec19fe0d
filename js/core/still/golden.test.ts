/** The browser's picture says, word for word, what the kernel's says of the same screen. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodePacket, type KeyframePacket } from "../wire/packet";
import { stillHtml } from "./html";

const HOME = new URL("../../../tests/data/figure/", import.meta.url);

function textsOf(markup: string): string[] {
  return markup.split(/<[^>]+>/).filter((text) => text.trim() !== "");
}

/** The same screen as it is written today, and as notebooks of wire version 1.0 have kept it. */
test.each(["screen", "screen-1.1", "screen-1.0"])(
  "the picture of %s says what that of the kernel says",
  (name) => {
    const bytes = readFileSync(new URL(`${name}.packet`, HOME));
    const packet = decodePacket(bytes) as KeyframePacket;
    const words = JSON.parse(readFileSync(new URL("words.json", HOME), "utf8"));

    const html = stillHtml(packet);
    const [, data = ""] = /base64,([^"]*)"/.exec(html) ?? [];
    const svg = Buffer.from(data, "base64").toString("utf8");
    const texts = [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/gs)].map(([, inner]) =>
      textsOf(inner as string).join(""),
    );

    expect(/alt="([^"]*)"/.exec(html)?.[1]).toBe(words.alt);
    expect(texts.filter((text) => text !== "")).toEqual(words.svg);
    expect(textsOf(html.replace(/<img[^>]*>/, ""))).toEqual(words.figure);
  },
);
