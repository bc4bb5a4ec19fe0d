/** Answers for a recording what a kernel answers for `pw.replay`; see `library/replay_provider.py`. */

import type { EntityWire, MomentWire, OddWire, SpanWire } from "../core/header.gen";
import type { State } from "../core/state.gen";
import { KINDS } from "../core/vocabulary/catalog.gen";
import { kindOf } from "../core/vocabulary/kinds";
import {
  type KeyframePacket,
  type LinesPacket,
  type RowsPacket,
  WIRE_VERSION,
} from "../core/wire/packet";
import type { Columns } from "./columns";
import { blocksBetween, type Envelopes } from "./envelopes";
import {
  entityRecords,
  momentsOf,
  newestMoments,
  newestSpans,
  roundHalfEven,
  spansOf,
} from "./events";
import { type Shown, wholeRows } from "./gaps";
import { FRUGAL, type Frugality, MOST_ROWS, MOST_SERIES_ROWS, type Price } from "./limits";
import { ODD_MOST, oddOf } from "./odd";
import { envelopesOf, pictureOf, rowsOf } from "./packets";
import { BLOCKS_A_BUCKET, type Drawn, less, Painter, WHOLE_ROWS } from "./painter";
import { newestLines, type TextRequest } from "./printed";
import { type Screen, ScreenBuilder } from "./screen";
import { type Series, seriesOf, wireOf } from "./series";
import type { Stored } from "./stored";
import { Turns } from "./turns";

/** So many blocks are detail enough for any page. */
const FINE_BLOCKS = 40_000;
/** With more rows than this a point a series is sent as envelopes. */
const ROWS_A_POINT = 4;
const POINTS_MOST = 20_000;
const SERIES_MOST = 1000;
const EVENTS_SHOWN = 200;
/** A span has two rows. */
const NEWEST_EVENTS = { texts: true, newest: 2 * EVENTS_SHOWN };
/** Times beyond this, in seconds, are no times. */
const FAR_S = 1e11;

export interface RangeRequest {
  readonly request: number;
  readonly ids: readonly number[];
  readonly t0: number;
  readonly t1: number;
  readonly points: number;
}

export class Provider {
  readonly #stored: Stored;
  readonly #frugal: Frugality;
  readonly #series: readonly Series[];
  readonly #byNumber: ReadonlyMap<number, Series>;
  readonly #painter: Painter;
  #drawn: Drawn | null = null;

  constructor(stored: Stored, frugal: Frugality = FRUGAL) {
    this.#stored = stored;
    this.#frugal = frugal;
    this.#series = seriesOf(stored);
    this.#byNumber = new Map(this.#series.map((one) => [one.number, one]));
    this.#painter = new Painter(stored, frugal, this.#series);
  }

  /** What is missing from the picture besides what is missing from the recording. */
  get problems(): readonly string[] {
    const { tooLong } = this.#painter;
    const what = tooLong === 1 ? "1 series is" : `${tooLong} series are`;
    const remedy = "open the recording in a notebook: pw.replay(path)";
    return tooLong > 0 ? [`${what} too long to be drawn without a kernel; ${remedy}`] : [];
  }

  /** Yields a keyframe, and where that had to be coarse a better one. */
  async *keyframes(): AsyncGenerator<KeyframePacket> {
    if (!this.#painter.isSmall && !this.#drawn) {
      this.#drawn = await this.#painter.draw(null);
      yield this.#keyframe(this.#drawn, [], []);
    }
    if (!this.#drawn || this.#drawn.isCoarse) this.#drawn = await this.#painter.draw(this.#room());
    const { moments, spans } = await this.#events();
    yield this.#keyframe(this.#drawn, moments, spans);
  }

  async detail(asked: RangeRequest): Promise<RowsPacket> {
    const points = Math.min(Math.max(Math.trunc(asked.points), 1), POINTS_MOST);
    const ids = asked.ids.slice(0, SERIES_MOST);
    const { request, t0, t1 } = asked;
    const isTime = Math.abs(t0) < FAR_S && Math.abs(t1) < FAR_S;
    this.#drawn ??= await this.#painter.draw(this.#room()); // which finds the silences
    const some = isTime ? [...new Set(ids)].map((id) => this.#series[id]) : [];
    const wanted = some.filter((one): one is Series => one?.isDrawn === true);
    const [start, end] = [roundHalfEven(t0 * 1e6), roundHalfEven(t1 * 1e6) + 1];
    const blocks = await this.#blocksBetween(wanted, start, end, points);
    const odd: OddWire[] = [];
    const rows = new Map<number, Shown>();
    const whole = this.#bounded(
      wanted.filter(({ id }) => !blocks.has(id)),
      end - start,
    );
    const unknown = new Set(wanted.filter((one) => !blocks.has(one.id) && !whole.includes(one)));
    await this.#painter.read(whole, { since: start, end }, ({ id, info, number }, columns) => {
      rows.set(id, wholeRows(info, columns, this.#painter.silent.get(number) ?? [], start, end));
      odd.push(...oddOf(id, columns, start, end));
    });
    odd.sort((a, b) => a.time - b.time);
    const [kept, screen] = await detailOf(rows, points, blocks);
    odd.sort((a, b) => a.time - b.time);
    return {
      kind: "rows",
      request,
      // Of what is not read nothing is told, which is not to tell that there is nothing.
      ids: ids.filter((id) => !unknown.has(this.#series[id] as Series)),
      t0,
      t1,
      reduced: screen?.lines.map(({ id }) => id) ?? [],
      rows: rowsOf(kept),
      odd: odd.slice(-ODD_MOST),
      envelopes: envelopesOf(screen),
    };
  }

  /** The newest lines that were printed in a stretch. */
  async lines(asked: TextRequest): Promise<LinesPacket> {
    return await newestLines(this.#stored, this.#series, asked);
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
    const { run, name, bytes, running } = this.#stored;
    const problems = [...this.#stored.problems, ...this.problems];
    const [start, end] = this.#painter.span();
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
      alerts: [],
    };
  }

  /** What a large recording may fetch for a better picture, besides its events. */
  #room(): Price {
    const numbers = this.#series.filter(isEventful).map(({ number }) => number);
    return less(this.#frugal.later, this.#stored.cost(numbers, NEWEST_EVENTS));
  }

  async #events(): Promise<{ readonly moments: MomentWire[]; readonly spans: SpanWire[] }> {
    const [moments, spans] = [new Map<number, MomentWire[]>(), new Map<number, SpanWire[]>()];
    const some = this.#series.filter(isEventful);
    const isSpan = ({ info }: Series) => kindOf(info).drawnAs === KINDS.span.drawnAs;
    await this.#painter.read(some, NEWEST_EVENTS, (series, columns) => {
      const most = EVENTS_SHOWN * (isSpan(series) ? 2 : 1);
      const last = lastRows(columns, most);
      if (isSpan(series)) spans.set(series.id, spansOf(series.info, last));
      else moments.set(series.id, momentsOf(series.info, last));
    });
    // Those of one time come in the order of the series, in whatever order these are read.
    const all = <T>(of: ReadonlyMap<number, T[]>) => some.flatMap(({ id }) => of.get(id) ?? []);
    return {
      moments: newestMoments(all(moments), EVENTS_SHOWN),
      spans: newestSpans(all(spans), EVENTS_SHOWN),
    };
  }

  /** Those of some series that are read for a stretch: no more rows in all than fit. */
  #bounded(some: readonly Series[], stretch: number): Series[] {
    let left = MOST_ROWS;
    return some.filter(({ number }) => {
      const { rows = 0, start = 0, end = 0 } = this.#stored.extents[number] ?? {};
      const about = rows * Math.min(1, stretch / Math.max(end - start, 1));
      left -= about;
      return left >= 0 && about <= MOST_SERIES_ROWS;
    });
  }

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
      const most = this.#painter.isSmall ? WHOLE_ROWS : Math.min(WHOLE_ROWS, fair);
      if (!hasBlocks || extent.rows * share <= most) continue;
      const enough = this.#painter.isSmall
        ? FINE_BLOCKS
        : Math.min(FINE_BLOCKS, BLOCKS_A_BUCKET * points);
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
}

function isEventful({ info }: Series): boolean {
  const { drawnAs, inKeyframes } = kindOf(info);
  return inKeyframes && (drawnAs === "moment" || drawnAs === "span");
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

/** Rows as they are, and the series with many rows as envelopes in equal buckets. */
async function detailOf(
  rows: ReadonlyMap<number, Shown>,
  points: number,
  blocks: ReadonlyMap<number, Envelopes>,
): Promise<[ReadonlyMap<number, Shown>, Screen | null]> {
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
  const turns = new Turns();
  for (const id of lines) {
    const each = blocks.get(id);
    if (each) builder.drawBlocks(id, each, Number.NaN);
    else builder.drawRows(id, rows.get(id) as Shown, []);
    await turns.next();
  }
  const few = [...rows].filter(([, { time }]) => time.length <= ROWS_A_POINT * points);
  return [new Map(few), builder.screen()];
}
