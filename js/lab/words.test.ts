/** Words that users of JupyterLab see go through its translator. */

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Names of states, which users do not see, and what the dashboard says in English everywhere. */
const UNSEEN = new Set([
  "no kernel",
  "shut down",
  "choose kernel",
  "open recording",
  "show recording",
  "not covered",
  "too short",
  "no such reading",
  "too large",
  "Pulse: %.",
  // The id of a document factory; its label is translated.
  "Pulse Recording",
]);
/** Commands and code are the same in every language. */
const COMMAND = /^%?pip install |^import pulse_widgets/;
/** Calls whose texts are translated, or for developers; plugins are described in English. */
const FINE_CALLS = /(?:\b__|\b_n|\b_p|\b_np|\bToken(?:<.*>)?|console\.\w+|\bRegExp|\bimport)$/;
const FINE_KEYS = /\b(?:description|svgstr|selector|name|id)\s*:\s*(?:[^,;{}]*\+\s*)?$/;
const SEEN_KEYS =
  /(?:\b(?:label|caption|title|placeholder|okLabel)|"aria-label")\s*:\s*$|textContent\s*=\s*$/;

/** Literals that look like words for users, and are not translated. */
function untranslated(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) =>
    " ".repeat(comment.length),
  );
  const found = [...code.matchAll(/"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)];
  return found.flatMap((match) => {
    const said = (match[1] ?? match[2] ?? "").replace(/\$\{[^}]*\}/g, "%");
    const before = code.slice(0, match.index);
    const isSeen = isSentence(said) || (SEEN_KEYS.test(before) && /[A-Za-z]{2}/.test(said));
    const isFine =
      UNSEEN.has(said) ||
      COMMAND.test(said) ||
      FINE_CALLS.test(calleeOf(before)) ||
      FINE_KEYS.test(before);
    return isSeen && !isFine ? [said] : [];
  });
}

/** Two words or more; no list of classes, no selector, no style. */
function isSentence(said: string): boolean {
  if (/[{}<>=]|^[.#[:]|: |__|^\S*\(/.test(said)) return false;
  if (said.split(" ").every((word) => word.includes("-") || word === "%")) return false;
  return /\p{L}{2,} [\p{L}%]/u.test(said) || /^\p{Lu}\p{Ll}+ /u.test(said);
}

/** What is called with the arguments in which `before` ends. */
function calleeOf(before: string): string {
  let depth = 0;
  for (let i = before.length - 1; i >= 0; i--) {
    if (before[i] === ")") depth++;
    else if (before[i] === "(" && depth-- === 0) return before.slice(Math.max(0, i - 80), i);
    else if (before[i] === ";" && depth === 0) return "";
  }
  return "";
}

const here = new URL(".", import.meta.url);
const files = readdirSync(here, { recursive: true, encoding: "utf8" }).filter((name) => {
  return name.endsWith(".ts") && !/\.test\.ts$|\btesting\b/.test(name);
});

test.each(files)("%s says nothing that is not translated", (name) => {
  expect(untranslated(readFileSync(new URL(name, here), "utf8"))).toEqual([]);
});

test.each([
  'label: "Stop"',
  'node.textContent = "Stopped"',
  'h("p", {}, "No monitor runs here.")',
  'const a = "Start a monitor";',
  ["say(`$", "{count} GPUs were lost`)"].join(""),
  'h("button", { "aria-label": "Close" })',
  '{ title: trans.__("One"), label: "Two" }',
])("%s is found", (code) => {
  expect(untranslated(code)).toHaveLength(1);
});

test.each([
  'label: trans.__("Stop it now")',
  'trans._n("%1 GPU was lost", "%1 GPUs were lost", n)',
  'trans.__("Busy %1", text("a"))',
  'h("div", { class: "pulse-a pulse-b" })',
  '// a comment "with some words"',
  'description: "What a plugin does."',
  'const style = "color: red; margin: 0 auto";',
])("%s is fine", (code) => {
  expect(untranslated(code)).toEqual([]);
});
