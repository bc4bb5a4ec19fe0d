import { expect, test } from "vitest";
import { contentsPath, endingOf, isRecording, nameForCopy, stemOf } from "./server-files";

test.each([
  ["/srv/work/a.pulse.parquet", "/srv/work", "a.pulse.parquet"],
  ["/srv/work/runs/a.pulse", "/srv/work/", "runs/a.pulse"],
  ["/srv/work2/a.pulse", "/srv/work", null],
  ["/tmp/a.pulse", "/srv/work", null],
  ["/a.pulse", "/", "a.pulse"],
  ["/srv/a.pulse", "", null],
  ["/home/ada/runs/a.pulse", "~", "runs/a.pulse"],
  ["/home/ada/work/runs/a.pulse", "~/work", "runs/a.pulse"],
  ["/root/work/a.pulse", "~/work", "a.pulse"],
  ["/Users/ada/work/a.pulse", "~/work", "a.pulse"],
  ["C:\\Users\\ada\\work\\a.pulse", "~/work", "a.pulse"],
  ["C:\\data\\a.pulse", "C:/data", "a.pulse"],
  ["/mnt/work/a.pulse", "~/work", null],
  // What is hidden a server does not have, unless it is told otherwise.
  ["/home/ada/.local/share/pulse_widgets/recordings/a.pulse.parquet", "~", null],
  ["/srv/work/runs/.kept/a.pulse", "/srv/work", null],
  ["/srv/work/.a.pulse", "/srv/work", null],
  ["/home/ada/.work/a.pulse", "/home/ada/.work", "a.pulse"],
  ["/srv/work/a..b/v1.2.pulse", "/srv/work", "a..b/v1.2.pulse"],
])("%s under the root %s is %s", (path, root, expected) => {
  expect(contentsPath(path, root)).toBe(expected);
});

test.each([
  ["a.pulse.parquet", true, "a", ".pulse.parquet"],
  ["a.pulse", true, "a", ".pulse"],
  ["a.parquet", false, "a.parquet", ""],
  ["pulse", false, "pulse", ""],
  ["a.pulse.parquet.bak", false, "a.pulse.parquet.bak", ""],
])("%s: a recording is %s", (name, is, stem, ending) => {
  expect([isRecording(name), stemOf(name), endingOf(name)]).toEqual([is, stem, ending]);
});

const NOON = new Date(2026, 10, 30, 12, 5, 9);

test.each([
  ["train.ipynb", "train-20261130-120509.pulse.parquet"],
  ["My run / no. 2", "My-run-no.-2-20261130-120509.pulse.parquet"],
  ["../../etc", "etc-20261130-120509.pulse.parquet"],
  ["Läufe", "Läufe-20261130-120509.pulse.parquet"],
  ["", "pulse-20261130-120509.pulse.parquet"],
  ["///", "pulse-20261130-120509.pulse.parquet"],
])("a copy of %j is called %s", (title, expected) => {
  expect(nameForCopy(title, NOON)).toBe(expected);
});
