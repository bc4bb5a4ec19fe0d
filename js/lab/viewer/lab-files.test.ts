import { expect, test } from "vitest";
import { MOST_WHOLE } from "../../file/limits";
import { GoneError, type RecordingError } from "../../file/place";
import { MOST_BYTES } from "../../file/running/directory";
import { LabFiles } from "./lab-files";
import { FakeServer, type Manner } from "./testing";

const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
const PATH = "runs/a b.pulse.parquet";

function made(manner: Manner) {
  const server = new FakeServer();
  server.manner = manner;
  server.files.set(PATH, BYTES);
  const fetched: [number, number | null][] = [];
  const stop = new AbortController();
  const watch = {
    signal: stop.signal,
    fetched: (bytes: number, size: number | null) => fetched.push([bytes, size]),
  };
  const files = new LabFiles(server.services, watch);
  return { server, files, file: files.file(() => PATH), fetched, stop };
}

const trouble = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (problem: RecordingError) => problem,
  );

const MANNERS: Manner[] = ["ranges", "whole", "none", "page"];

test.each(MANNERS)("of a server that answers with %s all bytes are right", async (manner) => {
  const { file } = made(manner);

  expect(await file.tail(10)).toEqual(BYTES.slice(-10));
  expect(await file.size()).toBe(1000);
  expect(await file.read(3, 500)).toEqual(BYTES.slice(3, 500));
  expect(await file.tail(5000)).toEqual(BYTES);
});

test("ranges are all that is asked for, at the URL that JupyterLab makes", async () => {
  const { file, server, fetched } = made("ranges");

  await file.tail(10);
  await file.read(0, 20);

  expect(server.asked.map(({ range }) => range)).toEqual(["bytes=-10", "bytes=0-19"]);
  expect(server.asked[0]?.url).toMatch(/^http:\/\/host\/hub\/user\/me\/files\/runs\/a%20b\.pulse/);
  expect(server.got).toEqual([]);
  expect(fetched).toEqual([
    [10, 1000],
    [20, 1000],
  ]);
});

test.each(["none", "page"] as const)("with %s the contents API is asked once", async (manner) => {
  const { file, server } = made(manner);

  await file.tail(10);
  await file.read(0, 20);
  await file.read(20, 40);

  expect(server.asked).toHaveLength(1);
  expect(server.got.map(({ options }) => options?.format ?? "none")).toEqual(["none", "base64"]);
});

test("what is larger than may be read whole is refused, with its size and the limit", async () => {
  const { file, server } = made("none");
  server.size = MOST_WHOLE + 1;

  const problem = await trouble(file.tail(10));

  expect(problem?.trouble).toBe("too large");
  expect(problem?.message).toBe(
    "a b.pulse.parquet has 65 MB. Here files can only be read whole, and up to 64 MB.",
  );
  expect(server.got).toHaveLength(1);
});

const REFUSALS = ["login", "page", "broken", "none"] as const;

test.each(REFUSALS)(
  "a user who may not read hears that, with %s instead of a file",
  async (manner) => {
    for (const status of [401, 403]) {
      const { file, files, server } = made(manner);
      server.refusal = status;
      const told = [
        trouble(file.tail(10)),
        trouble(files.folder(() => "runs").since("a b.pulse.parquet", 0)),
      ];
      for (const problem of await Promise.all([...told, trouble(files.has(PATH))])) {
        expect(problem).not.toBeInstanceOf(GoneError);
        expect(problem?.message).toBe("a b.pulse.parquet may not be read.");
        expect(problem?.remedy).toContain("Log in again");
      }
    }
  },
);

test.each([
  ["login", "a b.pulse.parquet cannot be read: the server wants you to log in"],
  ["broken", "a b.pulse.parquet cannot be read: the server answers 503"],
] as const)(
  "a page of the kind %s is not taken for a file that is missing",
  async (manner, said) => {
    const { file, server } = made(manner);
    server.refusal = 500;

    const problem = await trouble(file.tail(10));

    expect(problem).not.toBeInstanceOf(GoneError);
    expect(problem?.message).toBe(said);
  },
);

test("whether there is a file is told only where the server tells", async () => {
  const { files, server } = made("ranges");

  expect(await files.has(PATH)).toBe(true);
  expect(await files.has("runs/other")).toBe(false);
  server.refusal = 500;
  expect((await trouble(files.has(PATH)))?.trouble).toBe("unreachable");
});

test("a file that is renamed while it is open is read where it is then", async () => {
  for (const manner of ["ranges", "none"] as const) {
    const { files, server } = made(manner);
    let path = PATH;
    const file = files.file(() => path);
    const folder = files.folder(() => path.slice(0, path.lastIndexOf("/")));
    await file.size();
    path = "moved/c.pulse.parquet";
    server.files.set(path, BYTES);
    server.files.delete(PATH);

    expect(await file.read(5, 10)).toEqual(BYTES.slice(5, 10));
    expect(await folder.since("c.pulse.parquet", 995)).toEqual(BYTES.slice(995));
    expect(await folder.file("c.pulse.parquet").tail(3)).toEqual(BYTES.slice(-3));
  }
});

test("of a journal no more is taken than a page can hold, whatever is sent", async () => {
  const { files, server } = made("endless");

  const problem = await trouble(files.folder(() => "runs").since("a b.pulse.parquet", 0));

  expect(problem?.trouble).toBe("too large");
  expect(server.sent).toBeLessThan(MOST_BYTES + 2 ** 23);
});

test("a drive that tells no sizes does not make a page decode what it cannot hold", async () => {
  const { file, server } = made("none");
  server.size = 0;
  server.text = "A".repeat(Math.ceil(((MOST_WHOLE + 2 ** 21) * 4) / 3));

  expect((await trouble(file.tail(10)))?.trouble).toBe("too large");
});

test("a file that is gone is told from one that cannot be reached", async () => {
  const { files, server } = made("none");
  const gone = await trouble(files.file(() => "no.pulse.parquet").tail(10));
  server.refusal = 500;
  const other = await trouble(files.file(() => PATH).tail(10));

  expect(gone).toBeInstanceOf(GoneError);
  expect(gone?.message).toBe("no.pulse.parquet is not there.");
  expect(other).not.toBeInstanceOf(GoneError);
  expect(other?.trouble).toBe("unreachable");
});

test("the new bytes of a file that grows are read, and none where it has not grown", async () => {
  const { files, server } = made("ranges");
  const folder = files.folder(() => "runs");
  const name = "a b.pulse.parquet";

  expect(await folder.since(name, 990)).toEqual(BYTES.slice(990));
  expect(await folder.since(name, 1000)).toHaveLength(0);
  server.files.set(PATH, Uint8Array.from([...BYTES, 7, 8]));
  expect(await folder.since(name, 1000)).toEqual(Uint8Array.of(7, 8));
  server.manner = "whole";
  expect(await folder.since(name, 1001)).toEqual(Uint8Array.of(8));
  server.manner = "none";
  expect(await folder.since(name, 1000)).toEqual(Uint8Array.of(7, 8));
  expect(await trouble(folder.since("none", 0))).toBeInstanceOf(GoneError);
});

test("a file that does not grow is never asked for bytes it does not have", async () => {
  const { files, server } = made("ranges");
  const folder = files.folder(() => "runs");
  const statuses: number[] = [];
  server.answered = (status) => statuses.push(status);
  for (const begin of [0, 1, 999, 1000]) {
    expect(await folder.since("a b.pulse.parquet", begin)).toEqual(BYTES.slice(begin));
  }
  // One that was cut off since has no such bytes.
  expect(await folder.since("a b.pulse.parquet", 1500)).toHaveLength(0);

  expect(statuses).toEqual([206, 206, 206, 206, 416]);
});

test("what was cancelled asks for nothing more", async () => {
  const { file, server, stop } = made("ranges");
  stop.abort();

  expect(await trouble(file.tail(10))).not.toBeNull();
  expect(server.got).toEqual([]);
});
