import { readFileSync } from "node:fs";
import { unzlibSync } from "fflate";
import { describe, expect, test } from "vitest";
import { memoryFile } from "./access";
import { readFile } from "./open";
import type { Stored } from "./stored";
import { DATA } from "./testing";

/** Time, value, step and text; a number that JSON lacks is a text. */
type Row = readonly [number, number | string | null, number | null, string];

interface Truth {
  readonly refused?: true;
  readonly series: readonly (readonly [key: readonly string[], rows: readonly Row[]])[];
  readonly problems: readonly string[];
}

interface Case {
  readonly name: string;
  readonly truth: Truth;
  readonly bytes: Uint8Array;
}

/** The files of `tests/storage/browser_types.py`, and what Python reads in them. */
function casesOf(name: string): Case[] {
  const content = unzlibSync(readFileSync(new URL(`${name}.cases`, DATA)));
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < content.length; ) {
    const end = at + 4 + view.getUint32(at, true);
    parts.push(content.slice(at + 4, end));
    at = end;
  }
  const [about, ...files] = parts;
  const { files: told, truths } = JSON.parse(new TextDecoder().decode(about));
  return files.map((bytes, i) => ({
    name: told[i].name,
    truth: truths[told[i].truth],
    bytes,
  }));
}

async function seriesOf(stored: Stored): Promise<Truth["series"]> {
  const rows = new Map<number, Row[]>();
  const numbers = stored.keys.map((_, number) => number);
  await stored.read(numbers, { texts: true }, (number, { time, texts }) => {
    rows.set(
      number,
      Array.from(time, (at, i): Row => [at, null, null, texts?.[i] ?? ""]),
    );
  });
  await stored.read(numbers, {}, (number, { value, missing, step }) => {
    const own = rows.get(number) as Row[];
    for (const [i, [at, , , text]] of own.entries()) {
      const one = value[i] as number;
      const whole = step?.[i] ?? Number.NaN;
      const told = Number.isFinite(one) ? one : one > 0 ? "inf" : one < 0 ? "-inf" : "nan";
      own[i] = [at, missing?.[i] ? null : told, Number.isNaN(whole) ? null : whole, text];
    }
  });
  return stored.keys.map(({ host, entity, metric }, number) => [
    [host, entity, metric],
    rows.get(number) as Row[],
  ]);
}

/** pyarrow multiplies decimals by a power that is no binary number: their last bit is another. */
const NEAR = 1e-15;

/** Numbers of one type of decimals are the same when they are near; all others when they are one. */
function near(ours: Truth["series"], theirs: Truth["series"]): Truth["series"] {
  return ours.map(([key, rows], place) => [
    key,
    rows.map((row, i): Row => {
      const [own, their] = [row[1], theirs[place]?.[1][i]?.[1]];
      if (typeof own !== "number" || typeof their !== "number") return row;
      const isNear = Math.abs(own - their) <= NEAR * Math.abs(their);
      return [row[0], isNear ? their : own, row[2], row[3]];
    }),
  ]);
}

describe.each(["types", "others"])("the files %s are read as Python reads them", (set) => {
  const cases = casesOf(set);

  test.each(cases)("$name", async ({ name, truth, bytes }) => {
    expect(truth.refused).toBeUndefined();
    const { stored } = await readFile(memoryFile("it", bytes));
    expect(stored.problems).toEqual(truth.problems);
    const found = await seriesOf(stored);
    const theirs = truth.series;
    expect(/decimal/i.test(name) ? near(found, theirs) : found).toEqual(theirs);
  });
});
