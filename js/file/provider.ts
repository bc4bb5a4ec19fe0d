/** Answers for a recording what a kernel answers for `pw.replay`; see `library/replay_provider.py`. */

import type { EntityWire, MomentWire, OddWire, SeriesWire, SpanWire } from "../core/header.gen";
import type { State } from "../core/state.gen";
import { KINDS } from "../core/vocabulary/catalog.gen";
import { isDrawn, kindOf, kindStoredAs } from "../core/vocabulary/kinds";
import { type KeyframePacket, type RowsPacket, WIRE_VERSION } from "../core/wire/packet";
import type { Catalog } from "./catalog";
import type { Columns, SeriesKey } from "./columns";
import { blocksBetween, type Envelopes } from "./envelopes";
import {
  entityRecords,
  momentsOf,
  newestMoments,
  newestSpans,
  roundHalfEven,
  spansOf,
} from "./events";
import {
  rateOf,
  type SeriesInfo,
  type Shown,
  type Spans,
  shown,
  silentSpans,
  wholeRows,
} from "./gaps";
import { FRUGAL, type Frugality } from "./limits";
import { oddOf } from "./odd";
import { envelopesOf, pictureOf, rowsOf } from "./packets";
import { BUCKETS, type Screen, ScreenBuilder } from "./screen";
import type { Stored, Summary, Want } from "./stored";

/** As in a kernel: beyond so many rows a series is answered from the overview. */
const WHOLE_ROWS = 200_000;
const BLOCK = 64;
const BLOCKS_A_BUCKET = 4;
/** So many blocks are detail enough for any page. */
const FINE_BLOCKS = 40_000;
/** With more rows than this a point a series is sent as envelopes. */
const ROWS_A_POINT = 4;
const POINTS_MOST = 20_000;
const SERIES_MOST = 1000;
const EVENTS_SHOWN = 200;
const ODD_MOST = 1000;
/** Times beyond this, in seconds, are no times. */
const FAR_S = 1e11;

export interface RangeRequest {
  readonly request: number;
  readonly ids: readonly number[];
  readonly t0: number;
  readonly t1: number;
  readonly points: number;
}

interface Series {
  /** By which a page knows it. */
  readonly id: number;
  /** Its number in the recording. */
  readonly number: number;
  readonly info: SeriesInfo;
  readonly isDrawn: boolean;
  readonly isRated: boolean;
  /** Whether the blocks of the overview are made of the values that are drawn. */
  readonly hasBlocks: boolean;
}

interface Drawn {
  readonly screen: Screen;
  readonly odd: readonly OddWire[];
  /** Something was drawn more coarsely than a kernel would. */
  readonly isCoarse: boolean;
}

export class Provider {
  readonly #stored: Stored;
  readonly #frugal: Frugality;
  readonly #series: readonly Series[];
  readonly #byNumber: ReadonlyMap<number, Series>;
  /** Whether so few bytes are to be read that nothing need be spared. */
  readonly #isSmall: boolean;
  #silent = new Map<number, Spans>();
  #drawn: Drawn | null = null;

  constructor(stored: Stored, frugal: Frugality = FRUGAL) {
    this.#stored = stored;
    this.#frugal = frugal;
    this.#series = seriesOf(stored);
    this.#byNumber = new Map(this.#series.map((one) => [one.number, one]));
    const drawn = this.#series.filter((one) => one.isDrawn).map(({ number }) => number);
    this.#isSmall = stored.cost(drawn, {}) <= frugal.small;
  }

  /** Yields a keyframe, and where that had to be coarse a better one. */
  async *keyframes(): AsyncGenerator<KeyframePacket> {
    if (!this.#isSmall && !this.#drawn) {
      this.#drawn = await this.#draw(true);
      yield this.#keyframe(this.#drawn, [], []);
    }
    if (!this.#drawn || this.#drawn.isCoarse) this.#drawn = await this.#draw(false);
    const { moments, spans } = await this.#events();
    yield this.#keyframe(this.#drawn, moments, spans);
  }

  async detail(asked: RangeRequest): Promise<RowsPacket> {
    const points = Math.min(Math.max(Math.trunc(asked.points), 1), POINTS_MOST);
    const ids = asked.ids.slice(0, SERIES_MOST);
    const { request, t0, t1 } = asked;
    const isTime = Math.abs(t0) < FAR_S && Math.abs(t1) < FAR_S;
    this.#drawn ??= await this.#draw(false); // which finds the silences
    const some = isTime ? [...new Set(ids)].map((id) => this.#series[id]) : [];
    const wanted = some.filter((one): one is Series => one?.isDrawn === true);
    const [start, end] = [roundHalfEven(t0 * 1e6), roundHalfEven(t1 * 1e6) + 1];
    const blocks = await this.#blocksBetween(wanted, start, end, points);
    const odd: OddWire[] = [];
    const rows = new Map<number, Shown>();
    const whole = wanted.filter(({ id }) => !blocks.has(id));
    for (const [since, together] of this.#together(whole, start, end)) {
      await this.#read(together, { since, end }, ({ id, info, number }, columns) => {
        rows.set(id, wholeRows(info, columns, this.#silent.get(number) ?? [], start, end));
        odd.push(...oddOf(id, columns, start, end));
      });
    }
    const [kept, screen] = detailOf(rows, points, blocks);
    odd.sort((a, b) => a.time - b.time);
    return {
      kind: "rows",
      request,
      ids,
      t0,
      t1,
      reduced: screen?.lines.map(({ id }) => id) ?? [],
      rows: rowsOf(kept),
      odd: odd.slice(-ODD_MOST),
      envelopes: envelopesOf(screen),
    };
  }

  async #read(
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

  #keyframe(
    { screen, odd }: Drawn,
    moments: readonly MomentWire[],
    spans: readonly SpanWire[],
  ): KeyframePacket {
    return {
      kind: "keyframe",
      seq: 0,
      ...pictureOf(screen),
      series: this.#series.map(wireOf),
      entities: entityRecords(this.#stored.catalog) as EntityWire[],
      state: this.#state(),
      moments,
      spans,
      lines: [],
      odd: odd.slice(-EVENTS_SHOWN),
    };
  }

  #state(): State {
    const { run, name, bytes, problems, running } = this.#stored;
    const [start, end] = this.#span();
    const { title, interval, simulated } = run.about;
    return {
      phase: "replay",
      title: title ? String(title) : "",
      t0: start / 1e6,
      t1: end / 1e6,
      interval: Number(interval) > 0 ? Number(interval) : 1,
      simulated: Boolean(simulated),
      sources: [],
      recording: {
        path: name,
        bytes,
        problem: problems.map((one) => (/[.!?]$/.test(one) ? one : `${one}.`)).join(" ") || null,
        remedy: null,
      },
      cost: { cores: null, tick_s: null, dropped: 0, sent_bytes_per_s: 0, slowed: "" },
      kernel: { busy: false, cell: null },
      versions: { package: "", wire: WIRE_VERSION },
      as_of: running ? end / 1e6 : null,
    };
  }

  /** The first and the last moment of what is drawn. */
  #span(): [number, number] {
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

  async #events(): Promise<{ readonly moments: MomentWire[]; readonly spans: SpanWire[] }> {
    const [moments, spans] = [[] as MomentWire[], [] as SpanWire[]];
    const some = this.#series.filter(({ info }) => {
      const { drawnAs, inKeyframes } = kindOf(info);
      return inKeyframes && (drawnAs === "moment" || drawnAs === "span");
    });
    const isSpan = ({ info }: Series) => kindOf(info).drawnAs === KINDS.span.drawnAs;
    // A span has two rows.
    const want = { texts: true, newest: 2 * EVENTS_SHOWN };
    await this.#read(some, want, (series, columns) => {
      const most = EVENTS_SHOWN * (isSpan(series) ? 2 : 1);
      const last = lastRows(columns, most);
      if (isSpan(series)) spans.push(...spansOf(series.info, last));
      else moments.push(...momentsOf(series.info, last));
    });
    return {
      moments: newestMoments(moments, EVENTS_SHOWN),
      spans: newestSpans(spans, EVENTS_SHOWN),
    };
  }

  // The picture of the whole -----------------------------------------------------------

  async #draw(isFirst: boolean): Promise<Drawn> {
    const drawn = this.#series.filter((one) => one.isDrawn);
    const builder = new ScreenBuilder(
      drawn.map(({ id }) => id),
      ...this.#span(),
    );
    const overview = await this.#stored.overview();
    const blocks = overview ? await this.#firstBlocks(drawn, overview, isFirst) : new Map();
    let isCoarse = false;
    const [odd, whole]: [OddWire[], Series[]] = [[], []];
    for (const series of drawn) {
      const some = blocks.get(series.number) as Envelopes | undefined;
      if (!some) {
        whole.push(series);
        continue;
      }
      const silent = silencesIn(some);
      if (silent.length > 0) this.#silent.set(series.number, silent);
      const last = series.isRated
        ? isFirst
          ? Number.NaN
          : await this.#newestRate(series, silent)
        : (some.last.at(-1) as number);
      isCoarse ||= isFirst;
      builder.drawBlocks(series.id, some, last);
    }
    await this.#read(whole, {}, ({ id, info, number, isRated }, columns) => {
      const silent = silentSpans(info, columns);
      // The first reading of a counter has no rate, which does not mean that it is missing.
      const from = Number(isRated);
      const value = shown(info, columns, silent).subarray(from);
      const step = columns.step?.subarray(from) ?? null;
      builder.drawRows(id, { time: columns.time.subarray(from), value, step }, silent);
      if (silent.length > 0) this.#silent.set(number, silent);
      odd.push(...oddOf(id, columns));
    });
    odd.sort((a, b) => a.time - b.time);
    return { screen: builder.screen(), odd: odd.slice(-ODD_MOST), isCoarse };
  }

  /** The blocks of the series that are not drawn from their rows. */
  async #firstBlocks(
    drawn: readonly Series[],
    overview: Summary,
    isFirst: boolean,
  ): Promise<Map<number, Envelopes>> {
    const { extents } = this.#stored;
    const enough = BUCKETS * BLOCKS_A_BUCKET;
    const rowsOf = ({ number }: Series) => extents[number]?.rows ?? 0;
    const long = drawn.filter((series) => {
      const { info, hasBlocks } = series;
      // An overview has no steps, which logged values have, and no newest rate of a counter.
      const isSimple = !kindStoredAs(info.kind).cumulative && info.entity !== "user";
      return hasBlocks && rowsOf(series) > (isSimple ? enough * BLOCK : WHOLE_ROWS);
    });
    const chosen = this.#isSmall ? long : this.#beyond(drawn, long, isFirst);
    const least = this.#isSmall ? 0 : this.#affordable(chosen, overview);
    const wanted = new Map(
      chosen.map(({ number }) => {
        const extent = extents[number] as NonNullable<(typeof extents)[number]>;
        const fine = overview.sizeFor(extent.rows, enough) ?? BLOCK;
        return [number, { extent, size: Math.max(fine, Math.min(least, coarsest(extent.rows))) }];
      }),
    );
    return overview.level(wanted);
  }

  /** Of a large recording: the series that would take more rows than may be read. */
  #beyond(drawn: readonly Series[], long: readonly Series[], isFirst: boolean): Series[] {
    const rowsOf = ({ number }: Series) => this.#stored.extents[number]?.rows ?? 0;
    const [chosen, taken] = [new Set(long), { rows: 0 }];
    const most = isFirst ? this.#frugal.firstRows : this.#frugal.rows;
    for (const series of [...drawn].sort((a, b) => rowsOf(a) - rowsOf(b))) {
      if (!series.hasBlocks || chosen.has(series)) continue;
      // Steps stand in rows alone, so what a user logs is read as far as that goes.
      const isPlain = series.info.entity !== "user" || isFirst;
      if (isPlain || taken.rows + rowsOf(series) > most) chosen.add(series);
      else taken.rows += rowsOf(series);
    }
    return [...chosen];
  }

  /** The finest level of which the bytes may be read. */
  #affordable(chosen: readonly Series[], overview: Summary): number {
    const numbers = chosen.map(({ number }) => number);
    return (
      overview.sizes.find((size) => overview.cost(size, numbers) <= this.#frugal.firstBlocks) ??
      overview.sizes.at(-1) ??
      BLOCK
    );
  }

  async #newestRate({ info, number }: Series, silent: Spans): Promise<number> {
    const { end = 0 } = this.#stored.extents[number] ?? {};
    const since = this.#rowBefore(number, end);
    let last = Number.NaN;
    await this.#stored.read(
      [number],
      { since: this.#isSmall ? since : end, end: end + 1 },
      (_, columns) => {
        last = shown(info, columns, silent).at(-1) ?? Number.NaN;
      },
    );
    return last;
  }

  // Detail -----------------------------------------------------------------------------

  /** The blocks that answer for a stretch, of the series that have too many rows there. */
  async #blocksBetween(
    wanted: readonly Series[],
    start: number,
    end: number,
    points: number,
  ): Promise<Map<number, Envelopes>> {
    const { extents } = this.#stored;
    const [levels, summary] = [new Map(), await this.#stored.overview()];
    if (!summary) return new Map();
    const fair = Math.max(ROWS_A_POINT * points, this.#frugal.rows / Math.max(wanted.length, 1));
    for (const { number, hasBlocks } of wanted) {
      const extent = extents[number] as NonNullable<(typeof extents)[number]>;
      const share = Math.min(1, (end - start) / Math.max(extent.end - extent.start, 1));
      const most = this.#isSmall ? WHOLE_ROWS : Math.min(WHOLE_ROWS, fair);
      if (!hasBlocks || extent.rows * share <= most) continue;
      const enough = this.#isSmall ? FINE_BLOCKS : Math.min(FINE_BLOCKS, BLOCKS_A_BUCKET * points);
      const size = summary.sizeFor(extent.rows, Math.round(enough / share));
      if (size !== null) levels.set(number, { extent, size });
    }
    const found = await summary.level(levels);
    return new Map(
      [...found].map(([number, blocks]) => [
        (this.#byNumber.get(number) as Series).id,
        blocksBetween(blocks, start, end),
      ]),
    );
  }

  /** Series that are read in one go, and from when: from the row before `start`. */
  #together(some: readonly Series[], start: number, end: number): [number, Series[]][] {
    const since = new Map(some.map((one) => [one, this.#rowBefore(one.number, start)]));
    const groups: [number, Series[]][] = [];
    const sorted = [...some].sort((a, b) => (since.get(b) as number) - (since.get(a) as number));
    for (const series of sorted) {
      const last = groups.at(-1);
      const from = since.get(series) as number;
      const first = last?.[1][0];
      if (last && first) {
        const needed = this.#touched(first.number, since.get(first) as number, end);
        if (this.#touched(first.number, from, end) <= needed + 1) {
          last[0] = from;
          last[1].push(series);
          continue;
        }
      }
      groups.push([from, [series]]);
    }
    return groups;
  }

  /** The time of some row before `time`, near it; `time` where there is none. */
  #rowBefore(number: number, time: number): number {
    let found = -Infinity;
    for (const [start, end] of this.#stored.stretches(number)) {
      if (start < time) found = Math.max(found, end < time ? end : start);
    }
    return found === -Infinity ? time : found;
  }

  #touched(number: number, start: number, end: number): number {
    return this.#stored.stretches(number).filter(([first, last]) => first < end && last >= start)
      .length;
  }
}

function seriesOf(stored: Stored): Series[] {
  const { keys, catalog } = stored;
  return (stored.order ?? orderOf(keys, catalog)).map((number, id) => {
    const info = catalog.infos[number] as SeriesInfo;
    const isRated = rateOf(info) !== null;
    const hasBlocks = !kindStoredAs(info.kind).cumulative || isRated;
    return { id, number, info, isDrawn: isDrawn(info), isRated, hasBlocks };
  });
}

/** The numbers of series in the order in which a page knows them. */
export function orderOf(keys: readonly SeriesKey[], catalog: Catalog): number[] {
  const metrics = [...new Set(keys.map(({ metric }) => metric))];
  const place = (metric: string) => catalog.appeared.get(metric) ?? catalog.appeared.size;
  const order = new Map(
    metrics.sort((a, b) => place(a) - place(b)).map((metric, rank) => [metric, rank]),
  );
  const numbers = keys.map((_, number) => number);
  const rank = (number: number) => order.get((keys[number] as { metric: string }).metric) as number;
  // As in the live view, what was logged first comes first.
  return numbers.sort((a, b) => rank(a) - rank(b) || a - b);
}

/** A series as a page gets it: a counter under the name of its rate. */
export function wireOf({ id, info }: Pick<Series, "id" | "info">): SeriesWire {
  const rate = rateOf(info);
  const { host, entity, labels } = info;
  const kind = rate ? KINDS.gauge.stored : info.kind;
  const { metric, unit } = rate ?? info;
  return { id, host, entity, metric, unit, kind, labels };
}

function lastRows(columns: Columns, most: number): Columns {
  const from = Math.max(0, columns.time.length - most);
  return {
    ...columns,
    time: columns.time.subarray(from),
    value: columns.value.subarray(from),
    texts: columns.texts?.slice(from) ?? null,
  };
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

/** Rows as they are, and the series with many rows as envelopes in equal buckets. */
function detailOf(
  rows: ReadonlyMap<number, Shown>,
  points: number,
  blocks: ReadonlyMap<number, Envelopes>,
): [ReadonlyMap<number, Shown>, Screen | null] {
  const some = [...blocks].filter(([, { length }]) => length > 0);
  const many = [...rows].filter(([, { time }]) => time.length > ROWS_A_POINT * points);
  if (many.length === 0 && some.length === 0) return [rows, null];
  let [start, end] = [Infinity, -Infinity];
  const widen = (first: number, last: number) => {
    [start, end] = [Math.min(start, first), Math.max(end, last)];
  };
  for (const [, { time }] of many) widen(time[0] as number, time.at(-1) as number);
  for (const [, each] of some)
    widen(
      each.start[0] as number,
      each.end.reduce((a, b) => Math.max(a, b)),
    );
  const lines = [...many.map(([id]) => id), ...some.map(([id]) => id)].sort((a, b) => a - b);
  const builder = new ScreenBuilder(lines, start, end, points);
  for (const id of lines) {
    const each = blocks.get(id);
    if (each) builder.drawBlocks(id, each, Number.NaN);
    else builder.drawRows(id, rows.get(id) as Shown, []);
  }
  const few = [...rows].filter(([, { time }]) => time.length <= ROWS_A_POINT * points);
  return [new Map(few), builder.screen()];
}
