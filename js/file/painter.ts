/** Draws the whole of a recording; as `RecordingProvider._draw` of Python does. */

import type { OddWire } from "../core/header.gen";
import { isUsers } from "../core/vocabulary/entities";
import { kindStoredAs } from "../core/vocabulary/kinds";
import type { Columns } from "./columns";
import type { Envelopes } from "./envelopes";
import { type Spans, shown, silentSpans } from "./gaps";
import { type Frugality, MOST_ROWS, MOST_SERIES_ROWS, type Price } from "./limits";
import { ODD_MOST, oddOf } from "./odd";
import { BUCKETS, type Screen, ScreenBuilder } from "./screen";
import type { Series } from "./series";
import type { Stored, Summary, Want } from "./stored";
import { Turns } from "./turns";

/** As in a kernel: beyond so many rows a series is answered from the overview. */
export const WHOLE_ROWS = 200_000;
export const BLOCKS_A_BUCKET = 4;
const BLOCK = 64;
const ALL: Price = { requests: Infinity, bytes: Infinity };
const NOTHING: Price = { requests: -1, bytes: -1 };

export interface Drawn {
  readonly screen: Screen;
  readonly odd: readonly OddWire[];
  /** Something was drawn more coarsely than a kernel would. */
  readonly isCoarse: boolean;
}

export class Painter {
  readonly #stored: Stored;
  readonly #frugal: Frugality;
  readonly #series: readonly Series[];
  readonly #byNumber: ReadonlyMap<number, Series>;
  /** Whether so few bytes are to be read that nothing need be spared. */
  readonly isSmall: boolean;
  /** Begin and end of every silence, of the series that have any; known once it is drawn. */
  readonly silent = new Map<number, Spans>();
  /** How many series are too long to be drawn. */
  tooLong = 0;

  constructor(stored: Stored, frugal: Frugality, series: readonly Series[]) {
    this.#stored = stored;
    this.#frugal = frugal;
    this.#series = series;
    this.#byNumber = new Map(series.map((one) => [one.number, one]));
    const drawn = series.filter((one) => one.isDrawn).map(({ number }) => number);
    this.isSmall = stored.cost(drawn, {}).bytes <= frugal.small;
  }

  /** The first and the last moment of what is drawn. */
  span(): [number, number] {
    const { extents, run } = this.#stored;
    const drawn = this.#series.filter((one) => one.isDrawn).map(({ number }) => extents[number]);
    let [first, last] = [Infinity, -Infinity];
    for (const extent of drawn.length > 0 ? drawn : extents) {
      [first, last] = [
        Math.min(first, extent?.start ?? first),
        Math.max(last, extent?.end ?? last),
      ];
    }
    return first <= last ? [first, last] : [run.start, run.start];
  }

  async read(
    some: readonly Series[],
    want: Want,
    each: (series: Series, columns: Columns) => void,
  ): Promise<void> {
    await this.#stored.read(
      some.map(({ number }) => number),
      want,
      (number, columns) => {
        if (columns.time.length > 0) each(this.#byNumber.get(number) as Series, columns);
      },
    );
  }

  /**
   * @param room What may be fetched for it, of a large recording; null for a first picture, which
   *   is drawn from the overview alone.
   */
  async draw(room: Price | null): Promise<Drawn> {
    const isFirst = room === null;
    const drawn = this.#series.filter((one) => one.isDrawn);
    const builder = new ScreenBuilder(
      drawn.map(({ id }) => id),
      ...this.span(),
    );
    const overview = await this.#stored.overview();
    const blocks = overview
      ? await this.#firstBlocks(drawn, overview, room)
      : new Map<number, Envelopes>();
    const turns = new Turns();
    const [odd, whole]: [OddWire[], Series[]] = [[], []];
    const summed = drawn.filter(({ number }) => blocks.has(number));
    for (const { number } of summed) {
      const silent = silencesIn(blocks.get(number) as Envelopes);
      if (silent.length > 0) this.silent.set(number, silent);
    }
    const rates = await this.#newestRates(
      summed.filter(({ isRated }) => isRated),
      this.isSmall ? ALL : (room && this.#left(room, drawn, blocks)) || NOTHING,
    );
    for (const series of drawn) {
      const { id, number, isRated } = series;
      const some = blocks.get(number);
      if (some) {
        const last = isRated ? rates.get(id) : some.last.at(-1);
        builder.drawBlocks(id, some, last ?? Number.NaN);
        await turns.next();
      } else {
        whole.push(series);
      }
    }
    const readable = this.#bounded(whole);
    await this.read(readable, {}, ({ id, info, number, isRated }, columns) => {
      const silent = silentSpans(info, columns);
      // The first reading of a counter has no rate, which does not mean that it is missing.
      const from = Number(isRated);
      const value = shown(info, columns, silent).subarray(from);
      const step = columns.step?.subarray(from) ?? null;
      builder.drawRows(id, { time: columns.time.subarray(from), value, step }, silent);
      if (silent.length > 0) this.silent.set(number, silent);
      odd.push(...oddOf(id, columns));
    });
    odd.sort((a, b) => a.time - b.time);
    const isCoarse = isFirst && summed.length > 0;
    return { screen: builder.screen(), odd: odd.slice(-ODD_MOST), isCoarse };
  }

  /** Those of some series that are read whole, the shortest first: no more rows in all than fit. */
  #bounded(some: readonly Series[]): Series[] {
    const rowsOf = ({ number }: Series) => this.#stored.extents[number]?.rows ?? 0;
    let left = MOST_ROWS;
    const chosen = [...some]
      .sort((a, b) => rowsOf(a) - rowsOf(b))
      .filter((one) => {
        left -= rowsOf(one);
        return left >= 0 && rowsOf(one) <= MOST_SERIES_ROWS;
      });
    this.tooLong = some.length - chosen.length;
    return chosen;
  }

  /** The blocks of the series that are not drawn from their rows. */
  async #firstBlocks(
    drawn: readonly Series[],
    overview: Summary,
    room: Price | null,
  ): Promise<Map<number, Envelopes>> {
    const { extents } = this.#stored;
    const enough = BUCKETS * BLOCKS_A_BUCKET;
    const rowsOf = ({ number }: Series) => extents[number]?.rows ?? 0;
    const long = drawn.filter((series) => {
      const { info, hasBlocks } = series;
      // An overview has no steps, which logged values have, and no newest rate of a counter.
      const isSimple = !kindStoredAs(info.kind).cumulative && !isUsers(info.entity);
      return hasBlocks && rowsOf(series) > (isSimple ? enough * BLOCK : WHOLE_ROWS);
    });
    const chosen = this.isSmall ? long : this.#beyond(drawn, long, room ?? NOTHING);
    const least = this.isSmall ? 0 : this.#affordable(chosen, overview);
    const wanted = new Map(
      chosen.map(({ number }) => {
        const extent = extents[number] as NonNullable<(typeof extents)[number]>;
        const fine = overview.sizeFor(extent.rows, enough) ?? BLOCK;
        return [number, { extent, size: Math.max(fine, Math.min(least, coarsest(extent.rows))) }];
      }),
    );
    return overview.level(wanted);
  }

  /** Of a large recording: the series whose rows would take more than may be fetched. */
  #beyond(drawn: readonly Series[], long: readonly Series[], room: Price): Series[] {
    const rowsOf = ({ number }: Series) => this.#stored.extents[number]?.rows ?? 0;
    const [chosen, taken] = [new Set(long), { rows: 0, numbers: [] as number[] }];
    const most = this.#frugal.rows;
    for (const series of [...drawn].sort((a, b) => rowsOf(a) - rowsOf(b))) {
      if (!series.hasBlocks || chosen.has(series)) continue;
      const numbers = [...taken.numbers, series.number];
      // Steps stand in rows alone, so what a user logs is read as far as that goes.
      const isRead =
        isUsers(series.info.entity) &&
        taken.rows + rowsOf(series) <= most &&
        isWithin(this.#stored.cost(numbers, {}), room);
      if (isRead) Object.assign(taken, { rows: taken.rows + rowsOf(series), numbers });
      else chosen.add(series);
    }
    return [...chosen];
  }

  /** What is left of `room` when the rows are read that are not known from blocks. */
  #left(room: Price, drawn: readonly Series[], blocks: ReadonlyMap<number, Envelopes>): Price {
    const whole = drawn.filter(({ number }) => !blocks.has(number)).map(({ number }) => number);
    return less(room, this.#stored.cost(whole, {}));
  }

  /** The finest level of which the bytes may be read. */
  #affordable(chosen: readonly Series[], overview: Summary): number {
    const numbers = chosen.map(({ number }) => number);
    return (
      overview.sizes.find(
        (size) => overview.cost(size, numbers).bytes <= this.#frugal.firstBlocks,
      ) ??
      overview.sizes.at(-1) ??
      BLOCK
    );
  }

  /** The newest rates of some counters, where they may be fetched; the last block has about that. */
  async #newestRates(some: readonly Series[], room: Price): Promise<Map<number, number>> {
    const [rates, want] = [new Map<number, number>(), { newest: 2 }];
    const numbers = some.map(({ number }) => number);
    if (!isWithin(this.#stored.cost(numbers, want), room)) return rates;
    await this.read(some, want, ({ id, info, number }, columns) => {
      rates.set(id, shown(info, columns, this.silent.get(number) ?? []).at(-1) ?? Number.NaN);
    });
    return rates;
  }
}

function isWithin(price: Price, room: Price): boolean {
  return price.requests <= room.requests && price.bytes <= room.bytes;
}

/** What is left of `room` after something was paid. */
export function less(room: Price, price: Price): Price {
  return { requests: room.requests - price.requests, bytes: room.bytes - price.bytes };
}

function silencesIn({ length, rows, start, end }: Envelopes): Spans {
  const silent: [number, number][] = [];
  for (let i = 0; i < length; i++) {
    if (rows[i] === 0) silent.push([start[i] as number, end[i] as number]);
  }
  return silent;
}

/** Rows of the coarsest block that a series of so many rows can have. */
function coarsest(rows: number): number {
  let size = BLOCK;
  while (rows > BLOCK * size) size *= 8;
  return size;
}
