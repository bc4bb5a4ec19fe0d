import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BOLD, DIM, INVERSE, type Ink, ITALIC, piecesOf, plainOf, rgbOf, UNDERLINE } from "./ansi";

const E = "\u001b";
const ink = (some: Partial<Ink>): Ink => ({ text: null, ground: null, style: 0, ...some });

/** The look of the letter X in some text. */
function lookOf(text: string): Ink | null | undefined {
  return piecesOf(text).find((piece) => piece.text.includes("X"))?.ink;
}

describe("what is chosen by codes", () => {
  test.each<[string, Ink | null]>([
    ["", null],
    ["1", ink({ style: BOLD })],
    ["01", ink({ style: BOLD })],
    ["2", ink({ style: DIM })],
    ["3", ink({ style: ITALIC })],
    ["4", ink({ style: UNDERLINE })],
    ["4:3", ink({ style: UNDERLINE })],
    ["4;4:0", null],
    ["21", ink({ style: UNDERLINE })],
    ["7", ink({ style: INVERSE })],
    ["1;2;22", null],
    ["3;23", null],
    ["4;24", null],
    ["7;27", null],
    ["1;0", null],
    ["1;", null],
    ["31", ink({ text: 1 })],
    ["97", ink({ text: 15 })],
    ["40", ink({ ground: 0 })],
    ["107", ink({ ground: 15 })],
    ["31;39", null],
    ["41;49", null],
    ["31;42;1", ink({ text: 1, ground: 2, style: BOLD })],
    ["38;5;208", ink({ text: 208 })],
    ["48;5;16;1", ink({ ground: 16, style: BOLD })],
    ["38;2;1;2;3", ink({ text: 2 ** 24 + 0x010203 })],
    ["38;2;1;2;3;4", ink({ text: 2 ** 24 + 0x010203, style: UNDERLINE })],
    ["38:2:1:2:3", ink({ text: 2 ** 24 + 0x010203 })],
    ["38:2::1:2:3;1", ink({ text: 2 ** 24 + 0x010203, style: BOLD })],
    ["38:5:9", ink({ text: 9 })],
    ["58;5;9;1", ink({ style: BOLD })],
    ["58;2;4;4;4", null],
    ["38;5;256;1", ink({ style: BOLD })],
    ["38;2;1;2;999;1", ink({ style: BOLD })],
    ["38;5", null],
    ["38;2;1", null],
    ["38", null],
    ["38;9;1", null],
    ["5;6;8;9;10;53;73;1000", null],
    ["?25", null],
    [">4;1", null],
    ["99999999999999999999", null],
  ])("%s", (codes, look) => {
    expect(lookOf(`${E}[${codes}mX`)).toEqual(look);
    expect(lookOf(`\u009b${codes}mX`)).toEqual(look);
  });

  test.each(["h", "K", "2J", "1;1H", "?25l", "1 m", "31 q", "31$m", "1", ""])(
    "nothing by the sequence %j",
    (rest) => {
      const [piece] = piecesOf(`${E}[${rest}${/[a-zA-Z]$/.test(rest) ? "" : "\u0007"}X`);
      expect(piece).toEqual({ text: "X", ink: null });
    },
  );

  test("one after the other, up to a reset", () => {
    const red = ink({ text: 1 });
    expect(piecesOf(`a${E}[31mb${E}[1mc${E}[md`)).toEqual([
      { text: "a", ink: null },
      { text: "b", ink: red },
      { text: "c", ink: { ...red, style: BOLD } },
      { text: "d", ink: null },
    ]);
  });
});

describe("what is left out", () => {
  test.each([
    ["a title", `${E}]0;title\u0007text`, "text"],
    ["a title that ends otherwise", `${E}]0;title${E}\\text`, "text"],
    ["a link", `${E}]8;;http://x.y${E}\\shown${E}]8;;${E}\\`, "shown"],
    ["a title without an end", `a${E}]0;text to the end`, "a"],
    ["a device string", `${E}Pq#0;2${E}\\text`, "text"],
    ["a choice of letters", `${E}(Btext`, "text"],
    ["a reset", `${E}ctext`, "text"],
    ["an escape at the end", `text${E}`, "text"],
    ["a sequence that is cut short", `text${E}[3`, "text"],
    ["a sequence that is broken", `a${E}[3\u00e9b`, "a\u00e9b"],
    ["an escape in an escape", `${E}${E}[31mtext`, "text"],
    ["control characters", "\u0000a\u0007\u0008b\u007f\u0085c", "abc"],
    ["no tab", "a\tb", "a\tb"],
    ["no other letters", "é 漢字 🎈 <b>&amp;", "é 漢字 🎈 <b>&amp;"],
  ])("%s", (_, text, plain) => {
    expect(plainOf(text)).toBe(plain);
    expect(
      piecesOf(text)
        .map((piece) => piece.text)
        .join(""),
    ).toBe(plain);
  });

  const word = fc
    .string({ unit: "grapheme-composite" })
    .map((text) => text.replace(/\p{Cc}/gu, ""));
  const codes = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 });
  const control = fc.oneof(
    codes.map((all) => `${E}[${all.join(";")}m`),
    codes.map((all) => `${E}[${all.join(":")}m`),
    fc.constantFrom(`${E}[2K`, `${E}[?25h`, `${E}]0;t\u0007`, `${E}(0`, "\u0008", "\u0007"),
  );

  test("is every escape, and nothing of the words between them", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(word, control)), (parts) => {
        const words = parts.map(([text]) => text).join("");
        const pieces = piecesOf(parts.flat().join(""));
        expect(pieces.map(({ text }) => text).join("")).toBe(words);
      }),
    );
  });

  test("never leaves a control character, whatever the text", () => {
    const letters = fc.constantFrom(E, "[", "]", ";", "m", "3", ":", "\u009b", "\u0007", "\\", "x");
    fc.assert(
      fc.property(
        fc.array(letters).map((all) => all.join("")),
        (text) => {
          const pieces = piecesOf(text);
          expect(plainOf(text)).not.toMatch(/\p{Cc}/u);
          expect(pieces.map((piece) => piece.text).join("")).toBe(plainOf(text));
          expect(pieces.every((piece) => piece.text !== "")).toBe(true);
        },
      ),
    );
  });

  test("a line of nothing but colours has few pieces, and all of its text", () => {
    const text = Array.from({ length: 5000 }, (_, i) => `${E}[3${i % 8}mx`).join("");
    const pieces = piecesOf(text);
    expect(pieces.length).toBeLessThan(500);
    expect(pieces.map((piece) => piece.text).join("")).toBe("x".repeat(5000));
  });

  test("very long sequences take no time that grows faster than they", () => {
    const codes = `${E}[${"1;".repeat(30_000)}`.repeat(4);
    const text = `${codes}${E}]${"y".repeat(60_000)}`;
    expect(plainOf(text)).toBe("");
  });
});

test.each([
  [16, [0, 0, 0]],
  [21, [0, 0, 255]],
  [46, [0, 255, 0]],
  [196, [255, 0, 0]],
  [208, [255, 135, 0]],
  [231, [255, 255, 255]],
  [232, [8, 8, 8]],
  [255, [238, 238, 238]],
  [2 ** 24 + 0x0a0b0c, [10, 11, 12]],
  [2 ** 24, [0, 0, 0]],
])("colour %d is %j", (color, rgb) => {
  expect(rgbOf(color)).toEqual(rgb);
});

test("the first sixteen colours differ", () => {
  const all = Array.from({ length: 16 }, (_, color) => rgbOf(color).join());
  expect(new Set(all).size).toBe(16);
});
