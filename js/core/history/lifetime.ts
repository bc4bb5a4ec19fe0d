/** When a session lived, as far as its state and its samples say. */

import type { State } from "../state.gen";
import type { EventLog } from "./event-log";
import type { Track } from "./track";

type Span = [from: number, to: number];

/** An event so many seconds beyond the samples belongs to them; another clock may be wrong. */
const BESIDE = 60;

/**
 * First and last moment of which anything is known; [NaN, NaN] when nothing is. What was marked
 * before the first sample or after the last one lies within.
 */
export function extentOf(tracks: Iterable<Track>, state: State, events: Events = NONE): Span {
  const samples = around(tracks);
  if (samples[0] > samples[1]) return [Number.NaN, Number.NaN];
  const [t0, t1] = lifetime(samples, state);
  const [start, end] = samples;
  // Events have exact times, and a file may know no other end than that of its samples.
  return withEvents([Math.max(start, t0), Math.min(end, t1)], events);
}

type Events = Pick<EventLog, "moments" | "spans">;

const NONE: Events = { moments: [], spans: [] };

function withEvents([first, last]: Span, { moments, spans }: Events): Span {
  let [start, end] = [first, last];
  const see = (time: number) => {
    if (time < start && time >= first - BESIDE) start = time;
    if (time > end && time <= last + BESIDE) end = time;
  };
  for (const { time } of moments) see(time);
  for (const span of spans) {
    // A cell may have begun long before the session, which it started.
    if (span.start > end) see(span.start);
    if (span.end !== null && span.end > end) see(span.end);
  }
  return [start, end];
}

/** A bucket begins and ends at round times, a session does not. */
export function clipToLifetime(tracks: Iterable<Track>, state: State): void {
  const [t0, t1] = lifetime(around(tracks), state);
  for (const track of tracks) track.coarse.clip(t0, t1);
}

function around(tracks: Iterable<Track>): Span {
  let [start, end] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const track of tracks) {
    start = Math.min(start, track.start);
    end = Math.max(end, track.end);
  }
  return [start, end];
}

/** Start and end of the session; without bounds where its state contradicts its samples. */
function lifetime([start, end]: Span, state: State): Span {
  const t0 = Number.isFinite(state.t0) ? state.t0 : Number.NEGATIVE_INFINITY;
  const t1 = state.t1 ?? Number.POSITIVE_INFINITY;
  const agree = start <= t1 && end >= t0;
  return agree ? [t0, t1] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
}
