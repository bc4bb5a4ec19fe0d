/**
 * Which of the names that a page knows were told to it in full. A keyframe that was kept for later
 * lacks names and paths; it must not take the place of what a packet that was sent has told.
 */

import type { PulseEvent, SeriesWire } from "../source";
import type { State } from "../state.gen";
import type { Labels } from "../wire/header";
import type { FramePacket, KeyframePacket } from "../wire/packet";

interface News {
  readonly series: readonly SeriesWire[];
  readonly entities: Labels;
  readonly state: State | null;
  readonly events: readonly PulseEvent[];
}

export class Names {
  readonly #series = new Set<number>();
  readonly #entities = new Set<string>();
  #state = false;
  #events = false;
  #lesser = false;

  /** A packet that was sent has told this; returns whether all that was kept is told anew. */
  told({ kind, series, entities, state, events }: FramePacket | KeyframePacket): boolean {
    for (const { id } of series) this.#series.add(id);
    for (const entity of Object.keys(entities)) this.#entities.add(entity);
    this.#state ||= state !== null;
    this.#events ||= events.length > 0;
    if (kind === "frame" || !this.#lesser) return false;
    this.#lesser = false;
    return true;
  }

  /** What a kept keyframe says of which nothing better is known; `now` is the state on screen. */
  unknownOf(packet: KeyframePacket, now: State): News {
    const series = packet.series.filter(({ id }) => !this.#series.has(id));
    const named = new Set(series.flatMap(({ entity, host }) => [entity, host]));
    const isNew = (entity: string) =>
      !this.#entities.has(entity) && (this.#series.size === 0 || named.has(entity));
    const entities = Object.fromEntries(
      Object.entries(packet.entities).filter(([entity]) => isNew(entity)),
    );
    const events = this.#events ? [] : packet.events;
    this.#lesser ||= series.length > 0 || events.length > 0;
    return { series, entities, events, state: this.#stateOf(packet.state, now) };
  }

  /** Of the state only a change of phase is news, for its texts are known in full. */
  #stateOf(state: State | null, now: State): State | null {
    if (state === null || !this.#state) return state;
    if (state.phase === now.phase) return null;
    const { path } = now.recording;
    return { ...state, recording: { ...state.recording, path } };
  }
}
