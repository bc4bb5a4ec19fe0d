/** Opens a finished recording on this page, without a kernel. */

import { CachedFile, type Range } from "./cache";
import { FileChannel } from "./channel";
import { entriesOf, Finished, isOurs } from "./finished";
import {
  FRUGAL,
  type Frugality,
  MOST_FOOTER,
  MOST_GROUP_BYTES,
  MOST_GROUP_ROWS,
  TAIL_BYTES,
} from "./limits";
import { crc32 } from "./parquet/crc";
import { DamageError } from "./parquet/damage";
import { type Footer, MAGIC, readFooter, TAIL } from "./parquet/footer";
import { footerLength } from "./parquet/table";
import { type RandomAccess, RecordingError } from "./place";
import { Provider } from "./provider";
import type { RecordingChannel } from "./recording";
import { checkVersion, decodeRun } from "./run";
import { damagedFooter, type Seal, sealOf } from "./seal";
import type { Run, Stored } from "./stored";

const NO_COST = { requests: 0, bytes: 0 };

/**
 * Open a `.pulse.parquet` file, or a table of another program that can be shown as one.
 *
 * @throws RecordingError when it cannot be shown.
 */
export async function openFile(
  file: RandomAccess,
  frugal: Frugality = FRUGAL,
): Promise<RecordingChannel> {
  const counted = file as Partial<{ cost: typeof NO_COST; close: () => void }>;
  const { stored, cached } = await readFile(file);
  return new FileChannel({
    stored,
    provider: new Provider(stored, frugal),
    cost: counted.cost ?? NO_COST,
    close: () => {
      cached.close();
      counted.close?.();
    },
  });
}

/** Open a finished file. */
export async function readFile(
  file: RandomAccess,
): Promise<{ readonly stored: Stored; readonly cached: CachedFile }> {
  const cached = await CachedFile.open(file, TAIL_BYTES);
  try {
    return { stored: await storedIn(cached), cached };
  } catch (problem) {
    cached.close();
    throw asOurs(problem, file.name);
  }
}

/** Whatever goes wrong while a file is opened, as the one error that is told. */
function asOurs(problem: unknown, name: string): RecordingError {
  if (problem instanceof RecordingError) return problem;
  const why = problem instanceof Error ? problem.message : String(problem);
  return new RecordingError(
    "damaged",
    `${name} cannot be read as a recording: ${why.slice(0, 200)}`,
    "It is damaged or not a pulse recording; use another copy of it.",
  );
}

async function storedIn(file: CachedFile): Promise<Stored> {
  return (await writtenIn(file)) ?? foreign(file);
}

/** A file that this program wrote; `part` is the run of one that has none of its own. */
export async function finishedIn(file: CachedFile, part: Run): Promise<Finished> {
  const found = await writtenIn(file, part);
  if (!found) throw new DamageError("its columns, keys or checksums are not ours");
  return found;
}

/** Null where another program wrote it. */
async function writtenIn(file: CachedFile, part?: Run): Promise<Finished | null> {
  if (file.size === 0) {
    throw new RecordingError("empty", `${file.name} is empty`, "Use another copy of it.");
  }
  const content = await footerOf(file);
  const seal = sealOf(content);
  const footer = readFooter(content, file.size, {
    groupRows: MOST_GROUP_ROWS,
    groupBytes: MOST_GROUP_BYTES,
  });
  if (seal.kind === "doubtful" && (await isAsWritten(file, footer, seal.sums)))
    throw damagedFooter();
  const version = footer.marks.get("pulse.version");
  if (version) checkVersion(new TextDecoder().decode(version), file.name);
  const entries = seal.kind === "whole" && isOurs(footer) ? entriesOf(footer) : null;
  if (!entries) return null;
  const sums = (seal as Seal & { kind: "whole" }).sums;
  if (sums.length !== footer.groups.length * footer.leaves.length) {
    throw new DamageError("its footer has other checksums than columns");
  }
  const run = footer.marks.get("pulse.run");
  if (!run && part) return new Finished(file, footer, entries, sums, part);
  if (!run) {
    throw new RecordingError(
      "damaged",
      `${file.name} is a part of a recording, not a whole one`,
      "Open the .pulse directory it lies in, or a .pulse.parquet file.",
    );
  }
  return new Finished(file, footer, entries, sums, decodeRun(run, file.name));
}

function foreign(file: CachedFile): never {
  throw new RecordingError("foreign", `${file.name} is no recording`);
}

async function footerOf(file: CachedFile): Promise<Uint8Array> {
  const tail: Range = [Math.max(0, file.size - TAIL), file.size];
  const end = (await file.hold([tail])).bytes(...tail);
  let length: number;
  try {
    length = footerLength(end, file.size, MOST_FOOTER);
  } catch (problem) {
    if (await beginsAsParquet(file)) throw problem;
    throw new RecordingError(
      "foreign",
      `${file.name} is not a Parquet file`,
      "A recording is a .pulse.parquet file; pw.recordings() lists those of this machine.",
    );
  }
  const range: Range = [file.size - TAIL - length, file.size - TAIL];
  return (await file.hold([range])).bytes(...range);
}

async function beginsAsParquet(file: CachedFile): Promise<boolean> {
  if (file.size < 4) return false;
  const bytes = (await file.hold([[0, 4]])).bytes(0, 4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === MAGIC;
}

/** Whether some column chunk of the first row group still has its checksum. */
async function isAsWritten(
  file: CachedFile,
  { groups, leaves }: Footer,
  sums: Uint32Array | null,
): Promise<boolean> {
  const [group] = groups;
  if (!group) return true;
  if (sums?.length !== groups.length * leaves.length) return false;
  for (const [place, { begin, end }] of group.chunks.entries()) {
    const bytes = (await file.hold([[begin, end]])).bytes(begin, end);
    if (crc32(bytes) === sums[place]) return true;
  }
  return false;
}
