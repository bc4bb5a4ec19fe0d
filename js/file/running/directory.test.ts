/** Directories that cannot be shown say why; what is too large is refused before it is fetched. */

import { expect, test } from "vitest";
import { GoneError, type RecordingError } from "../place";
import { MOST_BYTES, MOST_ROWS, readDirectory } from "./directory";
import { nameMachines } from "./machines";
import { standing } from "./names";
import { MemoryFolder } from "./testing";

const DATA = new URL("../../../tests/data/running/", import.meta.url).pathname;
const WRITER = "w-h0-1-1790000000000000";

const text = (content: unknown) =>
  new TextEncoder().encode(typeof content === "string" ? content : JSON.stringify(content));
const RUN = { version: "1.0", id: "a", start: 1_790_000_000_000_000 };

const refused = (folder: MemoryFolder) =>
  readDirectory(folder).then(
    () => null,
    (problem: RecordingError) => problem,
  );

test.each([
  ["no JSON", "{", "damaged"],
  ["no object", "[]", "damaged"],
  ["no id", { ...RUN, id: 3 }, "damaged"],
  ["a start before the epoch", { ...RUN, start: -1 }, "damaged"],
  ["a newer version", { ...RUN, version: "2.0" }, "newer"],
  ["no version", { ...RUN, version: "x" }, "damaged"],
])("a run with %s is refused", async (_, run, trouble) => {
  const problem = await refused(new MemoryFolder("a.pulse", [["run.pulse.json", text(run)]]));

  expect(problem?.trouble).toBe(trouble);
  expect(problem?.message).toContain("a.pulse");
  expect(problem?.remedy).not.toBe("");
});

test("a higher minor version is read", async () => {
  const files = [["run.pulse.json", text({ ...RUN, version: "1.9" })] as const];
  expect((await readDirectory(new MemoryFolder("a.pulse", files))).series.size).toBe(0);
});

test("of a directory without a description it is said that it is gone", async () => {
  const folder = MemoryFolder.of(`${DATA}crashed.pulse`);
  folder.files.delete("run.pulse.json");
  expect(await refused(folder)).toBeInstanceOf(GoneError);
});

test.each([
  ["rows", { rows: { "part-000000.parquet": MOST_ROWS + 1 } }],
  ["bytes", {}],
])("a directory of too many %s is refused, and nothing of it is fetched", async (what, about) => {
  const folder = MemoryFolder.of(`${DATA}crashed.pulse`);
  folder.files.set(`${WRITER}/writer.json`, text(about));
  if (what === "bytes") {
    folder.sizes.set(`${WRITER}/journal-000001.arrows`, MOST_BYTES + 1);
  }

  const problem = await refused(folder);

  expect(problem?.trouble).toBe("too large");
  expect(problem?.message).toContain("4 million rows or 96 MB");
  expect(folder.asked.filter((asked) => /part-|journal-/.test(asked))).toEqual([]);
});

test("files that come and go while they are read are read again", async () => {
  const folder = MemoryFolder.of(`${DATA}crashed.pulse`);
  const journal = `${WRITER}/journal-000001.arrows`;
  const bytes = folder.files.get(journal) as Uint8Array<ArrayBuffer>;
  // It is listed and cannot be read, once.
  const since = folder.since.bind(folder);
  let times = 0;
  folder.since = (path, begin) => {
    if (times++ > 0) return since(path, begin);
    return Promise.reject(new GoneError(`${path} is not there.`));
  };

  const { series } = await readDirectory(folder);

  expect(times).toBe(2);
  expect(bytes.length).toBeGreaterThan(0);
  expect([...series.values()].reduce((sum, { rows }) => sum + rows.length, 0)).toBeGreaterThan(300);
});

test("a part inside of another, and a journal inside of a part, do not count", () => {
  const names = [
    "part-000000-000015.parquet",
    "part-000003.parquet",
    "part-000016.parquet",
    "part-16.parquet",
    "part-0000017.parquet",
    "part-000009-000003.parquet",
    "journal-000004.arrows",
    "journal-000017.arrows",
    "journal-17.arrows",
    "lock",
  ];
  const { parts, journals } = standing(names);
  expect(parts.map(({ name }) => name)).toEqual([
    "part-000000-000015.parquet",
    "part-000016.parquet",
  ]);
  expect(journals.map(({ name }) => name)).toEqual(["journal-000017.arrows"]);
});

test("each machine has an id of its own, and the rows of two never mix", () => {
  const machine = (name: string) => ({ h0: { name, boot_id: `of ${name}` } });
  const { renames, machines } = nameMachines([
    { hosts: machine("a"), used: ["h0"] },
    { hosts: machine("b"), used: ["h0", "h1"] },
    { hosts: machine("a"), used: ["h0"] },
    { hosts: null, used: ["h0"] },
  ]);
  // "h1" is what a reader told of, so the machine b gets the next one.
  expect(renames.map((rename) => rename.get("h0") ?? "h0")).toEqual(["h0", "h2", "h0", "h3"]);
  expect([...machines.keys()]).toEqual(["h0", "h2"]);
});
