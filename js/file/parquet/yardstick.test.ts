import { readdirSync, readFileSync } from "node:fs";
import { parquetMetadata, parquetRead } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { describe, expect, test } from "vitest";
import { readRows } from "./column";
import { type Footer, readFooter } from "./footer";
import { footerLength } from "./table";

const DATA = new URL("../../../tests/data/browser/", import.meta.url);
const LIMITS = { groupRows: 1 << 22, groupBytes: 1 << 29 };
const FILES = readdirSync(DATA).filter(
  (name) => name.endsWith(".parquet") && !name.includes("brotli"),
);

function footerOf(bytes: Uint8Array): Footer {
  const end = bytes.length - 8;
  const length = footerLength(bytes, bytes.length, bytes.length);
  return readFooter(bytes.subarray(end - length, end), bytes.length, LIMITS);
}

/** A column as hyparquet, which many programs use, reads it: numbers, bytes as text, or null. */
async function theirs(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<unknown[]> {
  const metadata = parquetMetadata(bytes.buffer, { geoparquet: false });
  for (const element of metadata.schema) {
    // As they lie in the file, and not as dates or decimals.
    delete element.logical_type;
    delete element.converted_type;
  }
  const rows = await new Promise<unknown[][]>((onComplete, reject) => {
    const columns = [name];
    parquetRead({
      file: bytes.buffer,
      metadata,
      columns,
      compressors,
      utf8: false,
      onComplete,
    }).catch(reject);
  });
  return rows.map(([value]) =>
    value === undefined || value === null
      ? null
      : value instanceof Uint8Array
        ? textOf(value)
        : Number(value),
  );
}

/** A value that hyparquet gives as bytes, where we give the number in them: that of a decimal. */
function asOurs(theirs: unknown, ours: unknown): unknown {
  if (typeof theirs !== "string" || typeof ours !== "number") return theirs;
  return Number(BigInt.asIntN(4 * theirs.length, BigInt(`0x${theirs}`)));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

describe.each(FILES)("%s", (file) => {
  const bytes = new Uint8Array(readFileSync(new URL(file, DATA)));
  const { leaves, groups } = footerOf(bytes);
  // What hyparquet gives as a date, and what is nested, is not compared.
  const places = [...leaves.keys()].filter((place) => {
    const { path, repeated, defined, kind, divisor } = leaves[place] as (typeof leaves)[number];
    return path.length === 1 && repeated === 0 && defined < 2 && kind !== 3 && divisor === 1;
  });

  test.each(places.map((place) => leaves[place]?.path[0] as string))("column %s", async (name) => {
    const place = leaves.findIndex(({ path }) => path[0] === name);
    const ours = groups.flatMap(({ rows, chunks }) => {
      const chunk = chunks[place] as (typeof chunks)[number];
      const found = readRows((begin, end) => bytes.subarray(begin, end), chunk, null, 0, rows);
      expect(found.lost).toBeNull();
      return Array.from({ length: rows }, (_, i) => {
        if (found.absent?.[i]) return null;
        const text = found.texts[i];
        return text ? textOf(text) : (found.numbers[i] as number);
      });
    });
    const right = await theirs(bytes, name);
    expect(ours).toHaveLength(right.length);
    const first = ours.findIndex((value, i) => !Object.is(value, asOurs(right[i], value)));
    expect(first < 0 ? "" : `row ${first}: ${ours[first]} instead of ${right[first]}`).toBe("");
  });
});
