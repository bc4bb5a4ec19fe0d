/** Foreign texts in a picture: safe to show, and short enough for their place. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot hold.
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#x27;",
};

/** A foreign text as markup that shows it and nothing else. */
export function clean(text: string): string {
  const plain = text.replace(NOT_XML, "\ufffd").replace(TURNING, "");
  return plain.replace(/[&<>"']/g, (letter) => ESCAPES[letter] ?? letter);
}

/** What Python takes for spaces. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these separate parts of a text.
const SPACES = /(?:[^\S\ufeff]|[\u001c-\u001f\u0085])+/u;

/** A text of at most `most` code points, its end given up for an ellipsis. */
export function shorten(text: string, most: number): string {
  const letters = [...text.split(SPACES).filter(Boolean).join(" ")];
  if (letters.length <= most) return letters.join("");
  return `${letters.slice(0, Math.max(most, 1) - 1).join("")}…`;
}

/** What a part of a header takes as JSON, where every letter beyond ASCII is written as `\\uXXXX`. */
export function sizeOf(part: unknown): number {
  const text = JSON.stringify(part);
  return text.length + 5 * text.replace(/[ -~]/g, "").length;
}

/** About how many pixels a text takes; a bold one is that of a title. */
export function textWidth(words: string, bold = false): number {
  const plain = [...words].reduce((sum, one) => sum + (/\p{Lu}/u.test(one) ? 7.5 : 6), 0);
  return bold ? plain * 1.3 : plain;
}

/** A text of an SVG. */
export function text(x: number, y: number, words: string, style = ""): string {
  return `<text x="${x}" y="${y}"${style && ` ${style}`}>${clean(words)}</text>`;
}
