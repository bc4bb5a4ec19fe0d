/** JSON that anybody may have written, parsed within bounds; as `storage/untrusted.py` does. */

import { MOST_DEPTH, MOST_FACTS, MOST_JSON, MOST_TEXT, MOST_VALUES } from "./limits";
import { DamageError } from "./parquet/damage";

export type Json = Readonly<Record<string, unknown>>;

const MOST_SENTENCES = 200;
const MOST_LETTERS = 1000;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectOf(value: unknown): Json {
  return isObject(value) ? value : {};
}

/**
 * The value of a JSON text; what nobody can use is null in it.
 *
 * @throws DamageError when it is not JSON, or larger than any.
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > MOST_JSON) throw new DamageError("it has more JSON than any recording");
  let values = 0;
  for (const byte of bytes) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) values++;
  if (values > MOST_VALUES) throw new DamageError("it has more JSON values than any recording");
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new DamageError("its description is not JSON");
  }
  return tame(content, MOST_DEPTH);
}

function tame(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.slice(0, MOST_TEXT);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return null;
  if (Array.isArray(value)) return value.map((item) => tame(item, depth - 1));
  return record(Object.entries(value).map(([key, item]) => [key, tame(item, depth - 1)]));
}

/** An object in which no key means more than its name, not even `__proto__`. */
export function record<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const made: Record<string, T> = {};
  for (const [name, value] of entries) {
    Object.defineProperty(made, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return made;
}

/** The members of a JSON object as they stand in its text: in their order, with all their digits. */
export function membersOf(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let [depth, begin] = [0, 0];
  let name: string | null = null;
  for (const { 0: token, index } of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g)) {
    if (token === "{" || token === "[") depth++;
    else if (depth === 1 && token === ":") begin = index + 1;
    else if (depth === 1 && token.startsWith('"')) name ??= JSON.parse(token) as string;
    else if (depth === 1 && name !== null) {
      members.set(name, text.slice(begin, index).trim());
      name = null;
    }
    if (token === "}" || token === "]") depth--;
  }
  return members;
}

/** Those of an object's values that are texts. */
export function wordsOf(value: unknown): Record<string, string> {
  return record(
    Object.entries(objectOf(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

/** The sentences of a value that should be a list of them, each once. */
export function sentencesOf(value: unknown): string[] {
  const all = Array.isArray(value) ? value.map((one) => String(one).slice(0, MOST_LETTERS)) : [];
  const once = [...new Set(all)];
  if (once.length <= MOST_SENTENCES) return once;
  return [...once.slice(0, MOST_SENTENCES), `and ${once.length - MOST_SENTENCES} more problems`];
}

/** The JSON object that a text is; null when it is none. Numbers that JSON lacks are texts in it. */
export function factsOf(text: string): Json | null {
  if (text === "" || text.length > MOST_FACTS || !/^\s*\{/.test(text)) return null;
  try {
    return objectOrNull(JSON.parse(text));
  } catch {
    try {
      // Python writes NaN and infinities into JSON; here they become texts, as they do there.
      return objectOrNull(JSON.parse(quoted(text)));
    } catch {
      return null;
    }
  }
}

function objectOrNull(value: unknown): Json | null {
  return isObject(value) ? (tame(value, MOST_DEPTH) as Json) : null;
}

function quoted(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (found) =>
    found.startsWith('"') ? found : `"${found}"`,
  );
}
