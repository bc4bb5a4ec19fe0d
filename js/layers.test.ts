/** The folders of `js/`: which may import which, that no imports go in a circle, and file sizes. */

import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { expect, test } from "vitest";

/** From each file to the files it imports; names are relative to `js/` and end in `.ts`. */
type Graph = ReadonlyMap<string, readonly string[]>;

const TOP = ["core/dashboard", "core/still"];
const LOW = ["core/wire", "core/vocabulary", "core"];
const CORE = [...TOP, "core/charts", "core/history", ...LOW];
const LAB = ["lab/shared", "lab/kernel", "lab/link"];

/** What each folder may import besides itself. `dev/` and tests may import everything. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  core: [],
  "core/wire": ["core"],
  "core/vocabulary": ["core"],
  "core/history": LOW,
  "core/charts": ["core/history", ...LOW],
  "core/dashboard": ["core/charts", "core/history", ...LOW],
  "core/still": ["core/charts", "core/history", ...LOW],
  "file/parquet": [],
  file: [...CORE, "file/parquet"],
  "file/running": [...CORE, "file/parquet", "file"],
  widget: CORE,
  "lab/shared": CORE,
  "lab/kernel": [...CORE, "lab/shared"],
  "lab/link": [...CORE, "lab/shared", "lab/kernel"],
  "lab/outputs": [...CORE, "lab/shared", "lab/kernel"],
  "lab/panel": [...CORE, ...LAB],
  "lab/shell": [...CORE, ...LAB],
  "lab/viewer": [...CORE, ...LAB, "file", "file/running"],
  lab: [...CORE, ...LAB, "lab/outputs", "lab/panel", "lab/shell", "lab/viewer"],
};

const MOST_LINES = 600;

function isFree(file: string): boolean {
  return file.startsWith("dev/") || /\.test\.ts$|\btesting\b/.test(file);
}

/** Every import, of values and of types, at the top of a file or inside a function. */
function importsIn(text: string): string[] {
  const code = text.replace(/^\s*(?:\/\/|\/?\*).*$/gm, "");
  const found = code.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*["'`](\.[^"'`]*)["'`]/g);
  return [...found].map(([, path]) => path as string);
}

function graphOf(texts: ReadonlyMap<string, string>): Graph {
  const target = (file: string, path: string) =>
    `${posix.join(posix.dirname(file), path).replace(/\.[jt]s$/, "")}.ts`;
  return new Map(
    [...texts].map(([file, text]) => [file, importsIn(text).map((path) => target(file, path))]),
  );
}

/** Imports that no rule allows, as "importer -> imported". */
function forbidden(graph: Graph): string[] {
  const arrows = [...graph].flatMap(([from, all]) => all.map((to) => [from, to] as const));
  const isAllowed = (from: string, to: string) => {
    const [here, there] = [posix.dirname(from), posix.dirname(to)];
    return isFree(from) || (!isFree(to) && (here === there || MAY[here]?.includes(there)));
  };
  return arrows.filter(([from, to]) => !isAllowed(from, to)).map((arrow) => arrow.join(" -> "));
}

/** Files that import themselves, most often by way of others. */
function inCircles(graph: Graph): string[] {
  const reaches = (from: string) => {
    const seen = new Set<string>();
    const next = [...(graph.get(from) ?? [])];
    for (let file = next.pop(); file !== undefined; file = next.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      next.push(...(graph.get(file) ?? []));
    }
    return seen;
  };
  return [...graph.keys()].filter((file) => reaches(file).has(file));
}

function sources(): Map<string, string> {
  const here = new URL(".", import.meta.url);
  const names = readdirSync(here, { recursive: true, encoding: "utf8" });
  const files = names
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => /^(core|file|widget|lab|dev)\/.*(?<!\.d)\.ts$/.test(name));
  return new Map(files.map((name) => [name, readFileSync(new URL(name, here), "utf8")]));
}

const texts = sources();
const graph = graphOf(texts);

test("all files are read, and each import is of one of them", () => {
  expect(texts.size).toBeGreaterThan(90);
  const folders = [...texts.keys()].filter((file) => !isFree(file)).map(posix.dirname);
  expect([...new Set(folders)].filter((folder) => !(folder in MAY))).toEqual([]);
  expect([...graph.values()].flat().filter((file) => !texts.has(file))).toEqual([]);
});

test("each folder imports only what lies below it", () => {
  expect(forbidden(graph)).toEqual([]);
});

test("no imports go in a circle", () => {
  expect(inCircles(graph)).toEqual([]);
});

test("no file is too long to be read", () => {
  const lines = [...texts].map(([file, text]) => [file, text.split("\n").length] as const);
  const long = lines.filter(([file, count]) => !/\.gen\.ts$/.test(file) && count > MOST_LINES);
  expect(long).toEqual([]);
});

const WAYS = [
  'import { a } from "PATH";',
  'import type { A } from "PATH";',
  'import {\n  a,\n  type B,\n} from "PATH";',
  'import "PATH";',
  'export { a } from "PATH";',
  'export type { A } from "PATH";',
  'export * from "PATH";',
  'const later = () => import("PATH");',
  'let one: import("PATH").A;',
];

test.each(WAYS)("%j is an import", (way) => {
  const text = way.replace("PATH", "../still/html");
  const graph = graphOf(new Map([["core/charts/chart.ts", text]]));
  expect(forbidden(graph)).toEqual(["core/charts/chart.ts -> core/still/html.ts"]);
});

test.each([
  '// import { a } from "./b";',
  '/**\n * from "./b"\n */',
  'import { h } from "preact";',
])("%j is none", (text) => {
  expect(importsIn(text)).toEqual([]);
});

/** Folders from the highest to the lowest; those of one line know nothing of each other. */
const ORDER = [
  ["lab", "widget"],
  ["core/dashboard", "core/still"],
  ["core/charts"],
  ["core/history"],
  ["core/wire", "core/vocabulary"],
  ["core"],
];
const PLACES = ORDER.flatMap((folders, level) => folders.map((folder) => ({ folder, level })));
const PAIRS = PLACES.flatMap((from) => PLACES.map((to) => ({ from, to })));

test.each(PAIRS)("$from.folder may import $to.folder only from above", ({ from, to }) => {
  const made: Graph = new Map([[`${from.folder}/a.ts`, [`${to.folder}/b.ts`]]]);
  const isRight = from.level < to.level || from.folder === to.folder;
  expect(forbidden(made)).toHaveLength(isRight ? 0 : 1);
});

test.each(["core/testing/packets.ts", "dev/samples.ts", "core/a.test.ts", "core/new/a.ts"])(
  "nothing that ships imports %s",
  (to) => {
    expect(forbidden(new Map([["widget/entry.ts", [to]]]))).toHaveLength(1);
  },
);

test("a circle is seen, however long, and a diamond is none", () => {
  const made = new Map([
    ["a.ts", ["b.ts", "c.ts"]],
    ["b.ts", ["d.ts"]],
    ["c.ts", ["d.ts"]],
    ["d.ts", []],
  ]);
  expect(inCircles(made)).toEqual([]);
  expect(inCircles(new Map([...made, ["d.ts", ["c.ts"]]]))).toEqual(["c.ts", "d.ts"]);
  expect(inCircles(new Map([["a.ts", ["a.ts"]]]))).toEqual(["a.ts"]);
});
