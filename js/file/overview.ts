/**
 * The overview of a finished file, read piece by piece, and believed only as far as it has been
 * checked; as `pulse_widgets/storage/overview_file.py` does.
 */

import type { CachedFile, Held, Range } from "./cache";
import { type Extent, lowerBound } from "./columns";
import type { Envelopes } from "./envelopes";
import { isObject, parseJson } from "./json";
import {
  MOST_BLOCK_BYTES,
  MOST_BLOCKS,
  MOST_MARK,
  MOST_OVERVIEW,
  MOST_OVERVIEW_FOOTER,
  type Price,
} from "./limits";
import { readRows } from "./parquet/column";
import { crc32 } from "./parquet/crc";
import { DamageError } from "./parquet/damage";
import { type Chunk, DOUBLE, FLOAT, INT32, INT64, readFooter, TAIL } from "./parquet/footer";
import { footerLength } from "./parquet/table";
import { Turns } from "./turns";

/** Rows of a block of the finest level, and blocks of one level that make one of the next. */
export const BLOCK = 64;
const COARSER = 8;
/** So many row groups stay unpacked, about 1 MB each. */
const KEPT = 16;

const KINDS = {
  series: INT32,
  cell: INT32,
  rows: INT32,
  start: INT64,
  end: INT64,
  min: FLOAT,
  max: FLOAT,
  mean: FLOAT,
  count: INT32,
  last: DOUBLE,
} as const;
const NAMES = Object.keys(KINDS) as (keyof typeof KINDS)[];

type Blocks = Readonly<Record<keyof typeof KINDS, Float64Array>>;

interface BlockGroup {
  readonly chunks: Readonly<Record<keyof typeof KINDS, Chunk>>;
  readonly blocks: number;
  /** Rows of a full block of its level. */
  readonly size: number;
  /** Least and greatest number of a series in it. */
  readonly series: readonly [number, number];
  /** Where it lies in the file. */
  readonly range: Range;
  readonly sum: number;
}

export class Overview {
  readonly #file: CachedFile;
  readonly #offset: number;
  readonly #groups: readonly BlockGroup[];
  readonly #unpacked = new Map<BlockGroup, Blocks>();
  /** Rows of a full block, of every level, finest first. */
  readonly sizes: readonly number[];

  private constructor(file: CachedFile, offset: number, groups: readonly BlockGroup[]) {
    this.#file = file;
    this.#offset = offset;
    this.#groups = groups;
    this.sizes = [...new Set(groups.map(({ size }) => size))].sort((a, b) => a - b);
    if (this.sizes.some((size, level) => size !== BLOCK * COARSER ** level)) {
      throw new DamageError("the overview has other levels than any");
    }
  }

  /**
   * @param mark What the footer of the file says of the overview.
   * @throws DamageError when that cannot be true.
   */
  static async open(file: CachedFile, mark: Uint8Array): Promise<Overview> {
    const said = mark.length <= MOST_MARK ? parseJson(mark) : null;
    if (!isObject(said)) throw new DamageError("the mark of the overview is no object");
    const offset = count(said["offset"], file.size);
    const length = count(said["length"], Math.min(file.size - offset, MOST_OVERVIEW));
    const footer = count(said["footer"], Math.min(length, MOST_OVERVIEW_FOOTER));
    const range = [offset + length - footer, offset + length] as const;
    const content = (await file.hold([range])).bytes(...range);
    if (crc32(content) !== said["footer_crc32"]) {
      throw new DamageError("the footer of the overview is damaged");
    }
    if (footerLength(content, length, footer) !== footer - TAIL) {
      throw new DamageError("a footer is not as long as it says");
    }
    const about = readFooter(content.subarray(0, -TAIL), length, {
      groupRows: MOST_BLOCKS,
      groupBytes: MOST_BLOCK_BYTES,
    });
    const sums = Array.isArray(said["sums"]) ? said["sums"] : [];
    if (sums.length !== about.groups.length) {
      throw new DamageError("the overview has other row groups than its mark says");
    }
    const groups = about.groups.map(({ rows, chunks }, place) =>
      groupOf(rows, chunks, offset, count(sums[place], 2 ** 32 - 1)),
    );
    return new Overview(file, offset, groups);
  }

  /** The level to answer from: the coarsest with at least `enough` blocks, else the finest. */
  sizeFor(rows: number, enough: number): number | null {
    // A block has at most `size` rows, so there are at least so many blocks.
    return this.sizes.findLast((size) => rows >= enough * size) ?? this.sizes[0] ?? null;
  }

  /** Bytes of a level, as far as they are not at hand. */
  cost(size: number, numbers: readonly number[]): Price {
    return this.#file.cost(this.#of(size, numbers).map(({ range }) => range));
  }

  /**
   * The blocks of some series in the first of these levels, from a coarse one on, that has them.
   * A series whose blocks cannot be believed, or that has none, is not among them.
   */
  async level(
    wanted: ReadonlyMap<number, { readonly extent: Extent; readonly size: number }>,
  ): Promise<Map<number, Envelopes>> {
    const found = new Map<number, Envelopes>();
    const turns = new Turns();
    for (const size of this.sizes.toReversed()) {
      const numbers = [...wanted.keys()].filter(
        (number) => !found.has(number) && (wanted.get(number)?.size as number) >= size,
      );
      if (numbers.length === 0) continue;
      const groups = this.#of(size, numbers);
      const held = await this.#file.hold(
        groups.filter((group) => !this.#unpacked.has(group)).map(({ range }) => range),
      );
      const pieces = new Map<number, Blocks[]>();
      const broken = new Set<number>();
      for (const group of groups) {
        await this.#collect(group, held, numbers, pieces, broken, turns);
      }
      for (const number of numbers) {
        const extent = wanted.get(number)?.extent as Extent;
        const some = pieces.get(number) ?? [];
        const blocks = broken.has(number) ? null : believed(some, size, extent);
        if (blocks) found.set(number, blocks);
        await turns.next();
      }
    }
    return found;
  }

  #of(size: number, numbers: readonly number[]): BlockGroup[] {
    const sorted = Float64Array.from(numbers).sort();
    return this.#groups.filter(({ size: own, series: [least, most] }) => {
      const next = sorted[lowerBound(sorted, least)];
      return own === size && next !== undefined && next <= most;
    });
  }

  /** Cut the blocks of each series out of a row group. */
  async #collect(
    group: BlockGroup,
    held: Held,
    numbers: readonly number[],
    pieces: Map<number, Blocks[]>,
    broken: Set<number>,
    turns: Turns,
  ): Promise<void> {
    const [least, most] = group.series;
    const here = numbers.filter((number) => number >= least && number <= most);
    let blocks: Blocks;
    try {
      blocks = await this.#blocks(group, held, turns);
    } catch (problem) {
      if (!(problem instanceof DamageError)) throw problem;
      for (const number of here) broken.add(number);
      return;
    }
    for (const number of here) {
      const [first, end] = [
        lowerBound(blocks.series, number),
        lowerBound(blocks.series, number + 1),
      ];
      if (first === end) continue;
      const cut = Object.fromEntries(
        NAMES.map((name) => [name, blocks[name].subarray(first, end)]),
      ) as Blocks;
      pieces.set(number, [...(pieces.get(number) ?? []), cut]);
    }
  }

  /** A row group, checked and unpacked. */
  async #blocks(group: BlockGroup, held: Held, turns: Turns): Promise<Blocks> {
    const known = this.#unpacked.get(group);
    if (known) return known;
    if (crc32(held.bytes(...group.range)) !== group.sum) {
      throw new DamageError("a row group of the overview is damaged");
    }
    const bytes = (begin: number, end: number) =>
      held.bytes(this.#offset + begin, this.#offset + end);
    const columns = new Map<string, Float64Array>();
    for (const name of NAMES) {
      await turns.next();
      const rows = readRows(bytes, group.chunks[name], null, 0, group.blocks);
      if (rows.lost || rows.absent) {
        throw new DamageError("a column of the overview is not as its footer says");
      }
      columns.set(name, rows.numbers);
    }
    const blocks = Object.fromEntries(columns) as Blocks;
    const { series, cell } = blocks;
    const isOrdered = series.every((one, i) => i === 0 || one >= (series[i - 1] as number));
    if (!isOrdered || series[0] !== group.series[0] || series.at(-1) !== group.series[1]) {
      throw new DamageError("the series of the overview are not in order");
    }
    if (!cell.every((one) => one === group.size)) {
      throw new DamageError("a row group of the overview is of more than one level");
    }
    this.#unpacked.set(group, blocks);
    for (const oldest of this.#unpacked.keys()) {
      if (this.#unpacked.size <= KEPT) break;
      this.#unpacked.delete(oldest);
    }
    return blocks;
  }
}

function groupOf(
  blocks: number,
  chunks: readonly Chunk[],
  offset: number,
  sum: number,
): BlockGroup {
  const own = Object.fromEntries(
    NAMES.map((name) => {
      const chunk = chunks.find(({ leaf: { path } }) => path.length === 1 && path[0] === name);
      const isRight = chunk?.leaf.kind === KINDS[name] && chunk.leaf.defined === 0;
      if (!chunk || !isRight || chunk.leaf.repeated !== 0) {
        throw new DamageError(`the column ${name} is not one of an overview`);
      }
      return [name, chunk];
    }),
  ) as BlockGroup["chunks"];
  if (chunks.some(({ begin }, place) => place > 0 && begin !== chunks[place - 1]?.end)) {
    throw new DamageError("the columns of a row group do not lie one after the other");
  }
  const [size, series] = [boundsOf(own.cell), boundsOf(own.series)];
  if (size[0] !== size[1] || blocks === 0) {
    throw new DamageError("a row group holds more than one level");
  }
  const [first, last] = [chunks[0] as Chunk, chunks.at(-1) as Chunk];
  const range = [offset + first.begin, offset + last.end] as const;
  return { chunks: own, blocks, size: size[0], series, range, sum };
}

function boundsOf({ least, most }: Chunk): [number, number] {
  const integer = (bytes: Uint8Array | null) => {
    if (bytes?.length !== 4) throw new DamageError("the overview lacks a statistic");
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true);
  };
  return [integer(least), integer(most)];
}

/** A number that may be from 0 to `most`. */
function count(number: unknown, most: number): number {
  if (!(Number.isInteger(number) && (number as number) >= 0 && (number as number) <= most)) {
    throw new DamageError("the mark of the overview has a number that cannot be");
  }
  return number as number;
}

/** The blocks of a series, in one; null where there are none, or where they cannot be true. */
function believed(pieces: readonly Blocks[], size: number, extent: Extent): Envelopes | null {
  const [first] = pieces;
  if (!first) return null;
  const length = pieces.reduce((sum, { rows }) => sum + rows.length, 0);
  const joined = (name: keyof typeof KINDS) => {
    if (pieces.length === 1) return first[name];
    const whole = new Float64Array(length);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece[name], at);
      at += piece[name].length;
    }
    return whole;
  };
  const blocks = Object.fromEntries(NAMES.map((name) => [name, joined(name)])) as Blocks;
  return problemOf(blocks, size, extent) ? null : envelopesOf(blocks);
}

/** Why these cannot be the blocks of a series; empty when they can. */
function problemOf(blocks: Blocks, size: number, extent: Extent): string {
  const { rows, start, end, count, min, max, mean } = blocks;
  const at = (column: Float64Array, i: number) => column[i] as number;
  const sum = rows.reduce((all, one) => all + one, 0);
  if (start[0] !== extent.start || end.at(-1) !== extent.end || sum !== extent.rows) {
    return "the blocks of a series do not cover its rows";
  }
  const isApart = (i: number) => at(rows, i) === 0 || (at(rows, i) === 1 && at(count, i) === 0);
  for (let i = 0; i < rows.length; i++) {
    if (at(start, i) > at(end, i) || (i > 0 && at(start, i) < at(end, i - 1))) {
      return "the blocks of a series are not in order";
    }
    const [many, values] = [at(rows, i), at(count, i)];
    if (many < 0 || many > size || values < 0 || values > many) {
      return "a block has more values than rows, or more rows than fit";
    }
    const [least, middle, most] = [at(min, i), at(mean, i), at(max, i)];
    if (
      values > 0 ? !(least <= middle && middle <= most) : ![least, middle, most].every(Number.isNaN)
    ) {
      return "the mean of a block does not lie between its extremes";
    }
    const isLast = i + 1 === rows.length;
    // Only the last block of a run has fewer rows than fit: before a gap, or at the end.
    if (!isLast && many < size && !isApart(i) && !isApart(i + 1)) {
      return "a block has fewer rows than it should";
    }
  }
  return "";
}

function envelopesOf({ rows, start, end, min, max, mean, count, last }: Blocks): Envelopes {
  const total = count.map((many, i) => (many > 0 ? (mean[i] as number) * many : 0));
  return { length: rows.length, rows, start, end, least: min, greatest: max, total, count, last };
}
