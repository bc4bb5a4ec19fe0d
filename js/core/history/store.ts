/**
 * The browser's own history of a session, fed by packets.
 *
 * Frames bring every sample and are kept exactly. A keyframe brings envelopes of the whole past;
 * it fills what this page has not seen, which is the time before its first frame and the time of
 * messages that were lost, and it never replaces exact samples. An answer to a request replaces
 * both by exact rows.
 */

import {
  type Best,
  type Change,
  type Columns,
  type Ending,
  type EntityWire,
  type Gap,
  type MomentWire,
  NO_CHANGE,
  type Odd,
  type SeriesWire,
  type Source,
  type SpanWire,
  type TextLineWire,
} from "../source";
import type { State } from "../state.gen";
import { asDefined } from "../vocabulary/defined";
import { ownerKey } from "../vocabulary/owners";
import { readState } from "../wire/header";
import type {
  FramePacket,
  KeyframePacket,
  LinesPacket,
  Packet,
  Rows,
  RowsPacket,
} from "../wire/packet";
import { envelopeOf, split } from "../wire/parts";
import type { Along } from "./along";
import type { Arrival } from "./channel";
import { EventLog } from "./event-log";
import { Freshness } from "./freshness";
import { KernelLiveness } from "./kernel-liveness";
import { Keyframes } from "./keyframes";
import { clipToLifetime, extentOf } from "./lifetime";
import { SentNames } from "./sent-names";
import type { TextLog } from "./text-log";
import { shrink, Track } from "./track";

/** Bytes of history that one store keeps. */
const BUDGET_BYTES = 192 * 2 ** 20;
/** The feed pauses while no page is open: such a pause may lie between frames this far apart. */
const SILENCE_S = 3;
/** Of a bucket in a thinned answer the first, smallest, largest and last row are kept. */
const KEPT_A_BUCKET = 4;

export class Store implements Source {
  readonly #tracks = new Map<number, Track>();
  readonly #series = new Map<number, SeriesWire>();
  readonly #along = new Map<string, Along>();
  readonly #events = new EventLog();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #budget: number;
  #catalog: readonly SeriesWire[] = [];
  #entities: ReadonlyMap<string, EntityWire> = new Map();
  #state: State = readState({});
  #heard = false;
  #lost = 0;
  /** The newest frame whose samples are here; -1 before any. */
  #seq = -1;
  #sawFrame = false;
  /** The newest moment up to which samples arrived. */
  #end = Number.NEGATIVE_INFINITY;
  /** No frame of the session has been missed. */
  #whole = false;
  #bytes = 0;
  #extent: [number, number] | null = null;
  readonly #freshness = new Freshness();
  readonly #keyframes = new Keyframes();
  readonly #liveness = new KernelLiveness();
  readonly #names = new SentNames();

  constructor(options: { readonly budgetBytes?: number } = {}) {
    this.#budget = options.budgetBytes ?? BUDGET_BYTES;
  }

  catalog(): readonly SeriesWire[] {
    return this.#catalog;
  }

  entities(): readonly EntityWire[] {
    return [...this.#entities.values()];
  }

  /** A session whose kernel is gone is not running, whatever its last state says. */
  state(): State {
    const over = this.#liveness.ended !== null && this.#state.phase === "running";
    return over ? { ...this.#state, phase: "stopped" } : this.#state;
  }

  heard(): boolean {
    return this.#heard;
  }

  ended(): Ending | null {
    return this.#liveness.ended;
  }

  /** The kernel has gone. */
  end(how: Ending): void {
    if (this.#liveness.end(how)) this.#tell({ ...NO_CHANGE, state: true });
  }

  moments(): readonly MomentWire[] {
    return this.#events.moments;
  }

  spans(): readonly SpanWire[] {
    return this.#events.spans;
  }

  lines(): readonly TextLineWire[] {
    return this.#events.text.lines;
  }

  protected get text(): TextLog {
    return this.#events.text;
  }

  odd(id: number): readonly Odd[] {
    return this.#events.odd.of(id);
  }

  lost(): number {
    return this.#lost;
  }

  /** The newest keyframe that arrived, whole; null before any. */
  get keyframe(): Uint8Array | null {
    return this.#keyframes.newest;
  }

  /** The newest keyframe that the kernel has redacted: only this may be saved. Null before any. */
  get kept(): Uint8Array | null {
    return this.#keyframes.redacted;
  }

  /** Bytes of samples and envelopes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Asked for many times a drawing, so it is looked for once a packet. */
  extent(): [number, number] {
    this.#extent ??= extentOf(this.#tracks.values(), this.#state, this.#events);
    return this.#extent;
  }

  #clip(): void {
    const tracks = [...this.#tracks.values()];
    clipToLifetime(tracks, this.#state);
    this.#bytes = tracks.reduce((sum, track) => sum + track.bytes, 0);
  }

  /** Something is from a kept picture of a session that was running then, and may be over. */
  stale(): boolean {
    return this.#freshness.stale && this.state().phase === "running";
  }

  asOf(): number {
    return this.#freshness.asOf;
  }

  last(id: number): { time: number; value: number } | null {
    return this.#tracks.get(id)?.last() ?? null;
  }

  at(id: number, time: number): { time: number; value: number } | null {
    return this.#tracks.get(id)?.at(time) ?? null;
  }

  missingSince(id: number, time: number): Gap | null {
    return this.#tracks.get(id)?.missingSince(time) ?? null;
  }

  range(id: number, t0: number, t1: number, points: number, out: Columns): void {
    out.length = 0;
    if (t0 < t1) this.#tracks.get(id)?.columns(t0, t1, points, out);
  }

  rangeByStep(
    id: number,
    from: number,
    to: number,
    points: number,
    out: Columns,
    run?: number,
  ): void {
    out.length = 0;
    if (from < to) this.#tracks.get(id)?.columnsByStep(from, to, points, out, run);
  }

  stepRuns(id: number): number {
    return this.#tracks.get(id)?.stepRuns() ?? 0;
  }

  stepExtent(id: number): [number, number] | null {
    return this.#tracks.get(id)?.stepExtent() ?? null;
  }

  along(id: number, x: number): Along | null {
    const [track, other] = [this.#tracks.get(id), this.#tracks.get(x)];
    if (!track || !other) return null;
    const key = `${id} ${x}`;
    const known = this.#along.get(key) ?? track.along(other);
    this.#along.set(key, known);
    return known;
  }

  best(id: number, better: "min" | "max"): Best | null {
    return this.#tracks.get(id)?.best(better) ?? null;
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Which of `ids` would gain from a request for [t0, t1] in `points` buckets. */
  incomplete(ids: readonly number[], t0: number, t1: number, points: number): number[] {
    const density = points / (t1 - t0);
    return ids.filter((id) => this.#tracks.get(id)?.incomplete(t0, t1, density));
  }

  /** Take in what a channel brought, and tell the subscribers. */
  take({ packet, bytes, kept }: Arrival): void {
    this.#liveness.hear();
    if (packet.kind === "keyframe") {
      this.#keyframes.add(packet, bytes, kept);
      if (!kept && this.#names.add(packet)) this.#forgetKept();
    }
    const change = this.#take(kept ? this.#lessened(packet) : packet, kept);
    this.#extent = null;
    if (!change) return;
    this.#freshness.took(packet, kept, () => this.extent()[1]);
    this.#tell(change);
  }

  /** Drop what came from snapshots: it has just come again with its names and paths. */
  #forgetKept(): void {
    this.#entities = new Map();
    this.#events.forget();
  }

  /** A snapshot without the parts of which something better is known. */
  #lessened(packet: Packet): Packet {
    if (packet.kind !== "keyframe") return packet;
    return { ...packet, ...this.#names.newIn(packet, this.#state) };
  }

  #take(packet: Packet, kept: boolean): Change | null {
    if (packet.kind === "frame") return this.#frame(packet);
    if (packet.kind === "keyframe") return this.#keyframe(packet, kept);
    if (packet.kind === "lines") return this.#printed(packet);
    return packet.kind === "rows" ? this.#rows(packet) : null;
  }

  #frame(packet: FramePacket): Change | null {
    if (packet.seq <= this.#seq) return null;
    const missed = packet.seq - this.#seq - 1;
    if (this.#sawFrame) this.#lost += missed;
    if (missed > 0) this.#miss(true);
    this.#freshness.frame(packet, missed, this.#tracks.keys());
    this.#seq = packet.seq;
    this.#sawFrame = true;
    this.#names.add(packet);
    const change = this.#news(packet);
    this.#add(packet.rows);
    this.#thin(packet);
    return { ...change, samples: packet.rows.length > 0 };
  }

  /** Remember where only the extremes came, so that a closer look asks for the rest. */
  #thin({ rows, reduced }: FramePacket): void {
    for (const id of reduced) {
      const times = rows.time.filter((_, i) => rows.series[i] === id);
      const [t0, t1] = [times[0] ?? 0, times[times.length - 1] ?? 0];
      this.#track(id).thin(t0, t1, times.length / KEPT_A_BUCKET / (t1 - t0));
    }
  }

  #miss(lost: boolean): void {
    this.#whole = false;
    this.text.cut();
    for (const track of this.#tracks.values()) track.miss(lost);
  }

  #add(rows: Rows): void {
    const first = rows.time.reduce((a, b) => (b > this.#end && b < a ? b : a), Infinity);
    const silence = Number.isFinite(this.#end) ? first - this.#end : 0;
    if (silence > SILENCE_S && Number.isFinite(first)) this.#miss(false);
    for (let i = 0; i < rows.length; i++) {
      const track = this.#track(rows.series[i] as number);
      const [time, value] = [rows.time[i] as number, rows.value[i] as number];
      const before = track.bytes;
      track.add(time, value, rows.step?.[i] ?? Number.NaN);
      this.#bytes += track.bytes - before;
      if (time > this.#end) this.#end = time;
    }
    this.#shrink();
  }

  #keyframe(packet: KeyframePacket, kept: boolean): Change | null {
    const change = this.#news(packet);
    this.#tellLast(packet);
    const tail = packet.edges[packet.buckets - 1];
    if (packet.seq > this.#seq) this.#advance(packet);
    if (tail === undefined) return change;
    // What came after this keyframe was made is not in it.
    const known = packet.seq < this.#seq ? tail : Number.POSITIVE_INFINITY;
    const samples = this.#heal(packet, known, kept);
    if (samples) this.#clip();
    return { ...change, samples };
  }

  /** The exact last values; not needed for a series whose newest rows are here. */
  #tellLast({ ids, last, seq, edges, buckets }: KeyframePacket): void {
    if (last === null) return;
    const time = edges[buckets] as number;
    for (const [row, id] of ids.entries()) {
      const track = this.#track(id);
      if (seq >= this.#seq || track.exact.length === 0) track.tell(time, last[row] ?? null);
    }
  }

  /** The keyframe holds samples of frames that never came. */
  #advance(packet: KeyframePacket): void {
    if (this.#sawFrame) this.#lost += packet.seq - this.#seq;
    const end = packet.edges[packet.buckets] as number;
    if (packet.buckets === 0) this.#whole = this.#seq < 0;
    else {
      this.#miss(false);
      this.#end = Math.max(this.#end, end);
    }
    this.#seq = packet.seq;
  }

  #heal(packet: KeyframePacket, known: number, kept: boolean): boolean {
    const end = packet.edges[packet.buckets] as number;
    let healed = false;
    for (const [row, id] of packet.ids.entries()) {
      const track = this.#track(id);
      const before = track.bytes;
      healed = track.heal(() => envelopeOf(packet, row), end, known, kept) || healed;
      this.#bytes += track.bytes - before;
    }
    return healed;
  }

  #rows(packet: RowsPacket): Change {
    // What is newer than the newest frame will come in the next one.
    const t1 = Math.min(packet.t1, this.#sawFrame ? this.#end : packet.t1);
    const asked = this.densityAsked(packet);
    const reduced = new Set(packet.reduced);
    this.#events.odd.add(packet.odd);
    const envelopes = new Map(packet.envelopes.map(({ id, envelope }) => [id, envelope]));
    for (const [id, batch] of split(packet.rows, packet.ids, packet.t0, t1)) {
      const track = this.#track(id);
      const before = track.bytes;
      const envelope = envelopes.get(id);
      if (envelope) track.refine(packet.t0, t1, envelope, asked);
      else {
        const sent = batch.length / KEPT_A_BUCKET / (t1 - packet.t0);
        const density = reduced.has(id) ? Math.max(sent, asked) : Infinity;
        track.answer(packet.t0, t1, batch, density);
      }
      this.#bytes += track.bytes - before;
    }
    this.#shrink();
    return { ...NO_CHANGE, samples: true };
  }

  #printed(packet: LinesPacket): Change {
    this.text.answer(packet, this.printedOn());
    return { ...NO_CHANGE, lines: true };
  }

  /** Whatever is printed after an answer will come unasked, or nothing more is printed. */
  protected printedOn(): boolean {
    return true;
  }

  /** Buckets a second that an answer was asked for: to ask for as many again brings nothing. */
  protected densityAsked(_: RowsPacket): number {
    return 0;
  }

  #news(packet: FramePacket | KeyframePacket): Change {
    for (const one of packet.series) this.#series.set(one.id, one);
    const entities = packet.entities.length > 0;
    if (entities) {
      const fresh = packet.entities.map((one) => [ownerKey(one), one] as const);
      this.#entities = new Map([...this.#entities, ...fresh]);
    }
    if (packet.series.length > 0 || entities) {
      const sorted = [...this.#series.values()].sort((a, b) => a.id - b.id);
      this.#catalog = asDefined(sorted, this.#entities.values());
    }
    if (packet.state) this.#setState(packet.state);
    const changed = this.#events.add(packet);
    const [series, state] = [packet.series.length > 0, packet.state !== null];
    return { series, entities, state, ...changed, samples: false };
  }

  #setState(state: State): void {
    this.#liveness.update(state, this.#state.phase === "running");
    const moved = state.t0 !== this.#state.t0 || state.t1 !== this.#state.t1;
    this.#state = state;
    this.#heard = true;
    if (moved) this.#clip();
  }

  #track(id: number): Track {
    let track = this.#tracks.get(id);
    if (!track) {
      track = new Track(this.#whole);
      this.#tracks.set(id, track);
      this.#bytes += track.bytes;
    }
    return track;
  }

  #shrink(): void {
    if (this.#bytes > this.#budget) this.#bytes = shrink([...this.#tracks.values()], this.#budget);
  }

  #tell(change: Change): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch (problem) {
        // An error in one view must not keep the others from being told.
        console.error("Pulse: a view failed", problem);
      }
    }
  }
}
