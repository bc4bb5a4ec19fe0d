/** The channel of a directory: it answers as for a finished file, and goes on with what is written. */

import type { Request } from "../../core/history/channel";
import type { State } from "../../core/state.gen";
import { isDrawn, kindOf } from "../../core/vocabulary/kinds";
import type { FramePacket, KeyframePacket } from "../../core/wire/packet";
import { Answering } from "../answering";
import { type Columns, join } from "../columns";
import { momentsOf, spansOf } from "../events";
import { rateOf, type SeriesInfo, type Shown, shown, silentSpans, wholeRows } from "../gaps";
import { oddOf } from "../odd";
import { rowsOf } from "../packets";
import type { Folder } from "../place";
import { linesOf } from "../printed";
import { Provider } from "../provider";
import type { RecordingChannel } from "../recording";
import { wireOf } from "../series";
import { type Directory, keyOf, MOST_ROWS } from "./directory";
import { Follower, type Fresh } from "./follow";
import { rest } from "./rows";
import { StoredDirectory } from "./stored-directory";

/** What whoever shows a directory can tell, and wants to hear. */
export interface Around {
  /** Nobody can see it: nothing is asked for. */
  hidden(): boolean;
  /** The directory is no longer there: it has become a file. */
  gone(): void;
  /** Nobody writes any more, or what came does not fit to what is here: open it anew. */
  again(): void;
}

const NO_COST = { requests: 0, bytes: 0 };

export class RunningChannel extends Answering {
  readonly running: boolean;
  readonly cost: RecordingChannel["cost"];
  readonly #folder: Folder;
  readonly #directory: Directory;
  readonly #around: Around;
  readonly #follower: Follower | null = null;
  /** Keys of the series that the page knows: their places are their ids. */
  readonly #known: string[];
  /** What answers; null once rows came that it does not know. */
  #provider: Provider | null = null;
  #seq = 0;
  #areLinesWanted = false;
  /** What was told of the session last; null before anything was. */
  #state: State | null = null;
  #rows: number;

  constructor(folder: Folder, directory: Directory, around: Around) {
    super();
    this.#folder = folder;
    this.#directory = directory;
    this.#around = around;
    this.running = directory.running;
    this.cost = (folder as { cost?: RecordingChannel["cost"] }).cost ?? NO_COST;
    const stored = new StoredDirectory(folder.name, directory);
    this.#known = stored.order.map((place) => keyOf(stored.catalog.infos[place] as SeriesInfo));
    this.#provider = new Provider(stored);
    this.#rows = stored.extents.reduce((sum, { rows }) => sum + rows, 0);
    if (!directory.running) return;
    this.#follower = new Follower(folder, directory, {
      came: (fresh) => this.#came(fresh),
      sized: (bytes) => this.#sized(bytes),
      gone: () => around.gone(),
      again: () => around.again(),
      hidden: () => around.hidden(),
    });
  }

  get problems(): readonly string[] {
    return this.#directory.problems;
  }

  protected release(): void {
    this.#follower?.stop();
    this.#directory.series.clear();
    this.#provider = null;
  }

  protected async answer(request: Request): Promise<void> {
    // All rows are at hand: an answer is of this moment, and so is its number.
    const [provider, seq] = [this.#answering(), this.#seq];
    if (request.kind === "range") this.deliver(await provider.detail(request));
    if (request.kind === "printed") this.deliver(await provider.lines(request));
    if (request.kind === "lines") this.#areLinesWanted = request.on;
    if (request.kind !== "hello") return;
    for await (const packet of provider.keyframes()) this.deliver(this.#asRunning(packet, seq));
  }

  protected failed(problem: unknown): void {
    console.error("Pulse: a recording could not answer", problem);
    this.refuse(1);
  }

  #answering(): Provider {
    this.#provider ??= new Provider(
      new StoredDirectory(this.#folder.name, this.#directory, this.#known),
    );
    return this.#provider;
  }

  /** While it is followed it is no replay: its end moves. */
  #asRunning(packet: KeyframePacket, seq: number): KeyframePacket {
    if (!this.running || !packet.state) return { ...packet, seq };
    const { recording } = packet.state;
    const kept = { ...recording, bytes: this.#state?.recording.bytes ?? recording.bytes };
    this.#state = { ...packet.state, phase: "running", t1: null, as_of: null, recording: kept };
    return { ...packet, seq, state: this.#state };
  }

  #sized(bytes: number): void {
    const state = this.#state;
    if (!state || state.recording.bytes === bytes) return;
    this.#state = { ...state, recording: { ...state.recording, bytes } };
    this.deliver({ ...this.#frame([]), state: this.#state });
  }

  #came(fresh: readonly Fresh[]): void {
    if (this.closed) return;
    this.#provider = null;
    for (const { columns } of fresh) this.#rows += columns.time.length;
    if (this.#rows > MOST_ROWS) this.#around.again();
    else this.deliver(this.#frame(fresh));
  }

  #frame(fresh: readonly Fresh[]): FramePacket {
    const before = new Map<string, Columns>();
    const pieces = new Map<string, Columns[]>();
    for (const { key, before: row, columns } of fresh) {
      if (!before.has(key)) before.set(key, row);
      pieces.set(key, [...(pieces.get(key) ?? []), columns]);
    }
    const isNew = this.#known.length;
    const drawn = new Map<number, Shown>();
    type News = "moments" | "spans" | "lines" | "odd";
    const news = { moments: [], spans: [], lines: [], odd: [] } as Pick<
      { -readonly [K in keyof FramePacket]: [...FramePacket[K & News]] },
      News
    >;
    for (const [key, parts] of pieces) {
      const id = this.#idOf(key);
      const series = this.#directory.series.get(key);
      if (!series) continue;
      const columns = join(parts);
      const { drawnAs, inKeyframes } = kindOf(series.info);
      if (isDrawn(series.info)) {
        drawn.set(id, displayed(series.info, before.get(key) as Columns, columns));
        news.odd.push(...oddOf(id, columns));
      } else if (inKeyframes && drawnAs === "moment") {
        news.moments.push(...momentsOf(series.info, columns));
      } else if (inKeyframes && drawnAs === "span") {
        // A row may end a span that began long ago.
        news.spans.push(...spansOf(series.info, series.rows.columns));
      } else if (drawnAs === "text" && this.#areLinesWanted) {
        for (const line of linesOf(id, columns)) news.lines.push(line);
      }
    }
    const series = this.#known.slice(isNew).map((key, place) => {
      const { info } = this.#directory.series.get(key) as { info: SeriesInfo };
      return wireOf({ id: isNew + place, info });
    });
    const packet = { reduced: [], rows: rowsOf(drawn), series, entities: [], state: null };
    news.lines.sort((a, b) => a.time - b.time);
    return { kind: "frame", seq: ++this.#seq, ...packet, ...news };
  }

  #idOf(key: string): number {
    const id = this.#known.indexOf(key);
    return id >= 0 ? id : this.#known.push(key) - 1;
  }
}

/** Rows in display form; `before` are rows that came before them, on which it depends. */
function displayed(info: SeriesInfo, before: Columns, columns: Columns): Shown {
  const [last, next] = [before.time.at(-1) ?? -Infinity, columns.time[0] as number];
  const isAfter = before.time.length > 0 && last < next;
  const whole = isAfter ? join([before, columns]) : columns;
  const silent = silentSpans(info, whole).filter(([, end]) => end >= next);
  // An outage is a gap, and no line that crosses it.
  if (silent.length > 0) return wholeRows(info, whole, silent, isAfter ? last + 1 : next, Infinity);
  const first = whole.time.length - columns.time.length;
  const value = shown(info, whole, []);
  // The first reading of a counter has no rate, which does not mean that it is missing.
  const from = Math.max(first, Number(rateOf(info) !== null));
  const { time, step } = rest(whole, from);
  return { time, value: value.subarray(from), step };
}
