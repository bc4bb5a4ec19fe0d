/**
 * The colours and styles of printed text. Of the control sequences of terminals only those are
 * followed that choose them (SGR); all others are left out, whole or cut short.
 */

export const BOLD = 1;
export const DIM = 2;
export const ITALIC = 4;
export const UNDERLINE = 8;
export const INVERSE = 16;

/** How a piece of text looks. A colour is 0 to 255 of the palette, or `TRUE` and 24 bits. */
export interface Ink {
  readonly text: number | null;
  readonly ground: number | null;
  readonly style: number;
}

export interface Piece {
  readonly text: string;
  /** Null: as any text. */
  readonly ink: Ink | null;
}

const TRUE = 2 ** 24;
/** What comes after so many pieces of a line looks like the last one. */
const MOST_PIECES = 400;

/** Sequences with parameters; strings that end with ST or BEL; other escapes; control characters. */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  /(?:\x1b\[|\x9b)([0-?]*)([ -/]*)([@-~]?)|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0a-\x1f\x7f-\x9f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const ANY = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/;

/** The text without control characters and sequences; a tab stays. */
export function plainOf(text: string): string {
  return ANY.test(text) ? text.replace(CONTROLS, "") : text;
}

/** The same text in pieces that look alike. */
export function piecesOf(text: string): Piece[] {
  if (!ANY.test(text)) return text ? [{ text, ink: null }] : [];
  const pieces: { text: string; ink: Ink | null }[] = [];
  let [ink, at] = [null as Ink | null, 0];
  const add = (end: number) => {
    if (end <= at) return;
    const last = pieces[pieces.length - 1];
    const part = text.slice(at, end);
    if (last && (last.ink === ink || pieces.length >= MOST_PIECES)) last.text += part;
    else pieces.push({ text: part, ink });
  };
  for (const { index, 0: all, 1: codes = "", 2: between, 3: end } of text.matchAll(CONTROLS)) {
    add(index);
    at = index + all.length;
    if (end === "m" && between === "") ink = inked(ink, codes);
  }
  add(text.length);
  return pieces;
}

const NO_INK: Ink = { text: null, ground: null, style: 0 };
/** What switches styles on, and what switches them off. */
const ON: Readonly<Record<number, number>> = {
  1: BOLD,
  2: DIM,
  3: ITALIC,
  4: UNDERLINE,
  7: INVERSE,
  21: UNDERLINE,
};
const OFF: Readonly<Record<number, number>> = {
  22: BOLD | DIM,
  23: ITALIC,
  24: UNDERLINE,
  27: INVERSE,
};

function inked(before: Ink | null, codes: string): Ink | null {
  // These are of a terminal's own.
  if (/[<-?]/.test(codes)) return before;
  let { text, ground, style } = before ?? NO_INK;
  const all = codes.split(";");
  for (let i = 0; i < all.length; i++) {
    const [first = "", ...parts] = (all[i] as string).split(":");
    const code = Number(first);
    if (code === 38 || code === 48 || code === 58) {
      const given = parts.length > 0 ? parts : all.slice(i + 1, i + 5);
      const [color, length] = colorIn(given.map(Number), parts.length > 0);
      if (parts.length === 0) i += length;
      if (color !== null && code === 38) text = color;
      if (color !== null && code === 48) ground = color;
    } else if (code === 0) ({ text, ground, style } = NO_INK);
    else if (code === 4 && parts[0] === "0") style &= ~UNDERLINE;
    else if (ON[code]) style |= ON[code];
    else if (OFF[code]) style &= ~OFF[code];
    else if (code >= 30 && code <= 37) text = code - 30;
    else if (code >= 90 && code <= 97) text = code - 82;
    else if (code === 39) text = null;
    else if (code >= 40 && code <= 47) ground = code - 40;
    else if (code >= 100 && code <= 107) ground = code - 92;
    else if (code === 49) ground = null;
  }
  return text === null && ground === null && style === 0 ? null : { text, ground, style };
}

/** A colour, null for none that is one, and how many parameters it takes. */
function colorIn(given: readonly number[], apart: boolean): [number | null, number] {
  const isByte = (one: number | undefined) => Number.isInteger(one) && (one as number) <= 255;
  const [how, ...rest] = given;
  if (how === 5) return [isByte(rest[0]) ? (rest[0] as number) : null, 2];
  // Where it stands apart, a colour space may come first.
  const rgb = apart ? rest.slice(rest.length > 3 ? 1 : 0).slice(0, 3) : rest.slice(0, 3);
  if (how !== 2) return [null, given.length];
  if (rgb.length < 3 || !rgb.every(isByte)) return [null, 4];
  const [red, green, blue] = rgb as [number, number, number];
  return [TRUE + red * 65536 + green * 256 + blue, 4];
}

/** The sixteen colours of terminals, in a form that is told apart on light and dark grounds. */
const SIXTEEN = [
  0x1c2733, 0xc43a31, 0x2e8b3d, 0xa87b00, 0x2f6fd0, 0xa347ba, 0x0f8a96, 0xb8c0c8, 0x6b7785,
  0xe5554b, 0x4caf50, 0xd5a021, 0x5b96f0, 0xc678dd, 0x2bb0bd, 0xf4f6f9,
];
const STEPS = [0, 95, 135, 175, 215, 255];

/** Red, green and blue of a colour, 0 to 255 each. */
export function rgbOf(color: number): readonly [number, number, number] {
  if (color >= 232 && color < 256) {
    const grey = 8 + 10 * (color - 232);
    return [grey, grey, grey];
  }
  if (color >= 16 && color < 256) {
    const place = color - 16;
    const step = (one: number) => STEPS[Math.floor(one) % 6] as number;
    return [step(place / 36), step(place / 6), step(place)];
  }
  const all = SIXTEEN[color] ?? color;
  return [(all >> 16) & 255, (all >> 8) & 255, all & 255];
}
