/** Directories that cannot be shown say why; what is too large is refused before it is fetched. */

import { expect, test } from "vitest";
import { GoneError, type RecordingError } from "../place";
import { MOST_BYTES, MOST_ROWS, readDirectory } from "./directory";
import { entityCalled, nameGpus, nameMachines, type Renames } from "./machines";
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

test("GPUs with one number and two UUIDs are two, and a GPU with two numbers is one", () => {
  const sees = (...uuids: string[]) =>
    new Map([["h0", Object.fromEntries(uuids.map((uuid, n) => [`gpu:${n}`, { uuid }]))]]);
  const told = [sees("a"), sees("b"), sees("b", "a"), sees(""), sees("c"), sees("d")];
  const hosts = told.map((_, k) => new Map(k === 5 ? [["h0", "h1"]] : []));
  const renames = nameGpus(told, hosts).map((gpus) => ({ hosts: new Map(), gpus }));
  const called = (k: number, entity: string) => entityCalled(entity, "h0", renames[k] as Renames);

  expect(told.map((_, k) => called(k, "gpu:0"))).toEqual([
    ...["gpu:0", "gpu:2", "gpu:2", "gpu:0", "gpu:3", "gpu:0"],
  ]);
  expect(called(2, "gpu:1")).toBe("gpu:0");
  expect(called(1, "pid:7/gpu:0")).toBe("pid:7/gpu:2");
  expect(called(1, "gpu:0/mig:1")).toBe("gpu:2/mig:1");
  expect(["gpu:01", "fs:/gpu:0/x", "host"].map((one) => called(1, one))).toEqual([
    ...["gpu:01", "fs:/gpu:0/x", "host"],
  ]);
});
