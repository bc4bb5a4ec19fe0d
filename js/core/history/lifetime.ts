/** When a session lived, as far as its state and its samples say. */

import type { State } from "../state.gen";
import type { Track } from "./track";

type Span = [from: number, to: number];

/** First and last moment of which anything is known; [NaN, NaN] when nothing is. */
export function extentOf(tracks: Iterable<Track>, state: State): Span {
  const [start, end] = around(tracks);
  if (start > end) return [Number.NaN, Number.NaN];
  const [t0, t1] = lifetime([start, end], state);
  return [Math.max(start, t0), Math.min(end, t1)];
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
