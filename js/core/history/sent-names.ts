/**
 * Remembers which names came in packets that were sent. A keyframe that was kept as a snapshot has
 * names and paths left out, so it must not replace those.
 */

import type { EntityWire, MomentWire, SeriesWire, SpanWire } from "../source";
import type { State } from "../state.gen";
import { ownerKey } from "../vocabulary/owners";
import type { FramePacket, KeyframePacket } from "../wire/packet";

interface News {
  readonly series: readonly SeriesWire[];
  readonly entities: readonly EntityWire[];
  readonly state: State | null;
  readonly moments: readonly MomentWire[];
  readonly spans: readonly SpanWire[];
}

export class SentNames {
  readonly #series = new Set<number>();
  readonly #entities = new Set<string>();
  #state = false;
  #events = false;
  #lesser = false;

  /** Note a packet that was sent; returns whether it replaces all that came from snapshots. */
  add({ kind, series, entities, state, moments, spans }: FramePacket | KeyframePacket): boolean {
    for (const { id } of series) this.#series.add(id);
    for (const one of entities) this.#entities.add(ownerKey(one));
    this.#state ||= state !== null;
    this.#events ||= moments.length + spans.length > 0;
    if (kind === "frame" || !this.#lesser) return false;
    this.#lesser = false;
    return true;
  }

  /** The part of a snapshot of which nothing better is known; `now` is the state on screen. */
  newIn(packet: KeyframePacket, now: State): News {
    const series = packet.series.filter(({ id }) => !this.#series.has(id));
    const named = new Set(series.map(ownerKey));
    const entities = packet.entities.filter((one) => {
      const key = ownerKey(one);
      return !this.#entities.has(key) && (this.#series.size === 0 || named.has(key));
    });
    const [moments, spans] = this.#events ? [[], []] : [packet.moments, packet.spans];
    this.#lesser ||= series.length > 0 || moments.length + spans.length > 0;
    return { series, entities, moments, spans, state: this.#stateOf(packet.state, now) };
  }

  /**
   * Of the state only a change of phase is news, for its texts are known in full, and the size of
   * the recording once it is finished: until then it is that of its journal.
   */
  #stateOf(state: State | null, now: State): State | null {
    if (state === null || !this.#state) return state;
    const { bytes } = state.recording;
    if (state.phase === now.phase) {
      const sized = state.phase === "stopped" && bytes !== now.recording.bytes;
      return sized ? { ...now, recording: { ...now.recording, bytes } } : null;
    }
    const { path } = now.recording;
    return { ...state, recording: { ...state.recording, path } };
  }
}
