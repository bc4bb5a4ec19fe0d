// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Channel, Listener } from "../../core/history/channel";
import { GoneError, type RandomAccess, RecordingError, type Trouble } from "../../file/place";
import type { RecordingChannel } from "../../file/recording";
import { RecordingTab } from "./tab";
import { FakeServer } from "./testing";

const opening = vi.hoisted(() => ({ file: vi.fn(), directory: vi.fn() }));
vi.mock("../../file/open", () => ({ openFile: opening.file }));
vi.mock("../../file/running/open", () => ({ openDirectory: opening.directory }));

/** A recording that has nothing to tell. */
class Silent implements RecordingChannel {
  problems: string[] = [];
  running = false;
  readonly cost = { requests: 0, bytes: 0 };
  closed = false;
  readonly sent: unknown[] = [];
  subscribe(_: Listener): () => void {
    return () => undefined;
  }
  send(request: Parameters<Channel["send"]>[0]): boolean {
    this.sent.push(request);
    return true;
  }
  close(): void {
    this.closed = true;
  }
}

let server: FakeServer;
let el: HTMLElement;
let tab: RecordingTab | null = null;
const beside = vi.fn();
const instead = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  opening.file.mockReset();
  opening.directory.mockReset();
  beside.mockReset();
  instead.mockReset();
  server = new FakeServer();
  server.files.set("runs/a.pulse.parquet", new Uint8Array(10));
  el = document.body.appendChild(document.createElement("div"));
});

afterEach(() => {
  tab?.dispose();
  tab = null;
  el.remove();
  vi.useRealTimers();
});

async function opened(path = "runs/a.pulse.parquet", isFolder = false): Promise<RecordingTab> {
  const { services } = server;
  const hidden = () => false;
  const around = { services, openBeside: beside, openInstead: instead, hidden };
  tab = new RecordingTab(el, { path, isFolder }, around);
  await vi.advanceTimersByTimeAsync(0);
  return tab;
}

const said = () => [...el.querySelectorAll(".pulse-said")].map((card) => card.textContent ?? "");
const buttons = () => [...el.querySelectorAll<HTMLElement>(".pulse-said button")];
const press = (label: string) => {
  buttons()
    .find(({ textContent }) => textContent === label)
    ?.click();
  return vi.advanceTimersByTimeAsync(0);
};
const isDrawn = () => el.querySelector(".pulse") !== null;

const TROUBLES: [Trouble, string[]][] = [
  ["unreachable", ["Try again"]],
  ["foreign", ["Try again"]],
  ["empty", ["Try again"]],
  ["damaged", ["Try again"]],
  ["newer", ["Try again"]],
  ["too large", ["Copy the line"]],
];

test.each(TROUBLES)("%s is a sentence, a remedy and buttons", async (trouble, labels) => {
  opening.file.mockRejectedValue(new RecordingError(trouble, "What is wrong.", "What helps."));

  await opened();

  expect(said()).toHaveLength(1);
  expect(said()[0]).toContain("What is wrong.What helps.");
  expect(buttons().map(({ textContent }) => textContent)).toEqual(labels);
  const line = labels.includes("Copy the line");
  expect(said()[0]?.includes('pw.replay("runs/a.pulse.parquet")')).toBe(line);
  expect(isDrawn()).toBe(false);
});

test("an error that nobody foresaw is a sentence, too", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  opening.file.mockRejectedValue(new TypeError("x is not a function"));

  await opened();

  expect(said()[0]).toContain("a.pulse.parquet cannot be read: x is not a function");
});

test("what is tried again is drawn when it can be read", async () => {
  opening.file.mockRejectedValueOnce(new RecordingError("unreachable", "Gone for a moment."));
  opening.file.mockResolvedValueOnce(new Silent());
  await opened();

  await press("Try again");

  expect(said()).toEqual([]);
  expect(isDrawn()).toBe(true);
});

test("after two seconds a line tells how far it is, and it can be cancelled", async () => {
  server.files.set("runs/a.pulse.parquet", new Uint8Array(3e6));
  opening.file.mockImplementation(async (file: RandomAccess) => {
    await file.tail(1e6);
    server.hangs = true;
    await file.read(0, 1e6);
  });
  await opened();

  await vi.advanceTimersByTimeAsync(1900);
  expect(said()).toEqual([]);
  await vi.advanceTimersByTimeAsync(400);
  expect(said()).toEqual(["Reading a.pulse.parquet: 1.0 of 3.0 MBCancel"]);
  const [button] = buttons();
  await vi.advanceTimersByTimeAsync(400);
  // What has the focus keeps it.
  expect(buttons()[0]).toBe(button);

  await press("Cancel");
  expect(said()).toEqual(["a.pulse.parquet was not read to its end.Read it"]);
  server.hangs = false;
  opening.file.mockResolvedValue(new Silent());
  await press("Read it");
  expect(isDrawn()).toBe(true);
});

test("a file that has changed on disk is read again when the user wants it", async () => {
  opening.file.mockImplementation(() => Promise.resolve(new Silent()));
  const shown = await opened();
  await vi.advanceTimersByTimeAsync(6000);
  await shown.look();
  expect(said()).toEqual([]);

  server.modified = "2026-01-02T00:00:00Z";
  await vi.advanceTimersByTimeAsync(6000);
  await shown.look();
  expect(said()).toEqual(["a.pulse.parquet has changed on disk.Reload"]);
  expect(opening.file).toHaveBeenCalledTimes(1);

  await press("Reload");
  expect(said()).toEqual([]);
  expect(opening.file).toHaveBeenCalledTimes(2);
});

test("what cannot be read for a closer look is told, until it can be read", async () => {
  const channel = new Silent();
  channel.problems = ["3 rows are damaged"];
  opening.file.mockResolvedValue(channel);
  await opened();
  await vi.advanceTimersByTimeAsync(3000);
  expect(said()).toEqual([]);

  channel.problems = [...channel.problems, "a.pulse.parquet has changed since it was opened"];
  await vi.advanceTimersByTimeAsync(1000);
  expect(said()).toEqual(["a.pulse.parquet has changed since it was openedReload"]);
  expect(isDrawn()).toBe(true);

  channel.problems = channel.problems.slice(0, 1);
  await vi.advanceTimersByTimeAsync(1000);
  expect(said()).toEqual([]);
});

test("a second recording that is dropped can be opened beside this one", async () => {
  opening.file.mockResolvedValue(new Silent());
  const shown = await opened();

  shown.tellDropped("other/b.pulse.parquet");
  expect(said()[0]).toContain("Recordings cannot be compared in one picture yet.");
  expect(said()[0]).toContain("b.pulse.parquet can be opened in a tab beside this one.");
  await press("Open beside");

  expect(beside.mock.calls).toEqual([["other/b.pulse.parquet"]]);
  expect(said()).toEqual([]);
});

test("a directory that becomes a file is shown from the file, in the same place", async () => {
  const running = new Silent();
  opening.directory.mockResolvedValue(running);
  await opened("runs/a.pulse", true);
  const options = opening.directory.mock.calls[0]?.[1] as { gone(): void };

  options.gone();
  await vi.advanceTimersByTimeAsync(0);

  expect(running.closed).toBe(true);
  expect(instead.mock.calls).toEqual([["runs/a.pulse.parquet"]]);
});

test("a directory that had become a file before is shown from the file", async () => {
  opening.directory.mockRejectedValue(new GoneError("run.pulse.json is not there."));

  await opened("runs/a.pulse", true);

  expect(instead.mock.calls).toEqual([["runs/a.pulse.parquet"]]);
});

test("of a directory that is gone, and has become no file, the trouble is told", async () => {
  opening.directory.mockResolvedValue(new Silent());
  await opened("runs/b.pulse", true);
  const options = opening.directory.mock.calls[0]?.[1] as { gone(): void };

  options.gone();
  await vi.advanceTimersByTimeAsync(0);

  expect(instead).not.toHaveBeenCalled();
  expect(said()[0]).toContain("b.pulse is not there any more.");
});

test("what is to be read anew is read anew", async () => {
  const first = new Silent();
  opening.directory.mockResolvedValueOnce(first).mockResolvedValueOnce(new Silent());
  await opened("runs/a.pulse", true);
  const options = opening.directory.mock.calls[0]?.[1] as { again(): void; gone(): void };

  options.again();
  options.gone(); // of the first reading, which is over
  await vi.advanceTimersByTimeAsync(0);

  expect(first.closed).toBe(true);
  expect(opening.directory).toHaveBeenCalledTimes(2);
  expect(instead).not.toHaveBeenCalled();
  expect(isDrawn()).toBe(true);
});

test.each([
  [true, true, false],
  [true, false, true],
  [false, false, false],
])(
  "folder %s, running %s: that it is unfinished is said: %s",
  async (isFolder, running, isSaid) => {
    const channel = Object.assign(new Silent(), { running });
    opening.directory.mockResolvedValue(channel);
    opening.file.mockResolvedValue(channel);

    await opened(isFolder ? "runs/a.pulse" : "runs/a.pulse.parquet", isFolder);

    expect(isDrawn()).toBe(true);
    expect(said().some((one) => one.includes("a.pulse is unfinished"))).toBe(isSaid);
  },
);

test("a running directory whose writer falls silent is unfinished then", async () => {
  opening.directory
    .mockResolvedValueOnce(Object.assign(new Silent(), { running: true }))
    .mockResolvedValueOnce(new Silent())
    .mockResolvedValueOnce(Object.assign(new Silent(), { running: true }));
  await opened("runs/a.pulse", true);
  expect(said()).toEqual([]);

  const options = opening.directory.mock.calls[0]?.[1] as { again(): void };
  options.again();
  await vi.advanceTimersByTimeAsync(0);
  expect(said()[0]).toContain("a.pulse is unfinished");

  await press("Reload");
  expect(said()).toEqual([]);
});

test("a tab that is closed lets go of its recording, also of one that comes later", async () => {
  const [early, late] = [new Silent(), new Silent()];
  opening.file.mockResolvedValueOnce(early);
  (await opened()).dispose();
  expect(early.closed).toBe(true);

  let come: (channel: Silent) => void = () => undefined;
  opening.file.mockReturnValueOnce(
    new Promise((resolve) => {
      come = resolve;
    }),
  );
  (await opened()).dispose();
  come(late);
  await vi.advanceTimersByTimeAsync(0);
  expect(late.closed).toBe(true);
  expect(el.childElementCount).toBe(0);
});

test("a recording that is renamed stays as it is, and is read under its new name from then on", async () => {
  const channel = new Silent();
  opening.file.mockResolvedValue(channel);
  const shown = await opened();
  const file = opening.file.mock.calls[0]?.[0] as RandomAccess;
  const now = "other/b.pulse.parquet";
  server.files.set(now, new Uint8Array(20));
  server.files.delete("runs/a.pulse.parquet");

  // JupyterLab tells of another date first, then of the path.
  const told = shown.tellChanged();
  shown.tellMoved({ path: now, isFolder: false });
  await told;

  expect(await file.read(0, 20)).toHaveLength(20);
  expect(channel.closed).toBe(false);
  expect(isDrawn()).toBe(true);
  expect(said()).toEqual([]);
  server.modified = "2026-01-02T00:00:00Z";
  await shown.tellChanged();
  expect(said()).toEqual(["b.pulse.parquet has changed on disk.Reload"]);
});

test("a directory that is moved, and then finished, is shown from the file beside it", async () => {
  opening.directory.mockResolvedValue(new Silent());
  const shown = await opened("runs/z.pulse", true);
  const options = opening.directory.mock.calls[0]?.[1] as { gone(): void };
  server.files.set("other/z.pulse.parquet", new Uint8Array(10));

  shown.tellMoved({ path: "other/z.pulse", isFolder: true });
  options.gone();
  await vi.advanceTimersByTimeAsync(0);

  expect(instead.mock.calls).toEqual([["other/z.pulse.parquet"]]);
});

test.each([401, 403, 500])("a server that answers %i has not deleted anything", async (status) => {
  opening.directory.mockResolvedValue(new Silent());
  await opened("runs/a.pulse", true);
  const options = opening.directory.mock.calls[0]?.[1] as { gone(): void };
  server.refusal = status;

  options.gone();
  await vi.advanceTimersByTimeAsync(0);

  expect(instead).not.toHaveBeenCalled();
  expect(said()[0]).toMatch(/may not be read|The server answers 500/);
  expect(said()[0]).not.toContain("not there");
});

test("what JupyterLab holds for changed, and is not, is not told", async () => {
  opening.file.mockResolvedValue(new Silent());
  const shown = await opened();

  await shown.tellChanged();

  expect(said()).toEqual([]);
});
