// Written by `python -m pulse_widgets.exchange.export`; do not edit.

// Sizes: `series/packing.py` says what each is.

export const MOST_INFLATED = 67108864;

/** One series, by the name people see: a counter of a rated metric arrives as its rate. */
export interface SeriesWire {
  readonly id: number;
  readonly host: string;
  readonly entity: string;
  readonly metric: string;
  readonly unit: string;
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is known of one thing of one machine; of the entity "host" its name is the machine's. */
export interface EntityWire {
  readonly host: string;
  readonly entity: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Something that happened at one moment. */
export interface MomentWire {
  /** Unix seconds. */
  readonly time: number;
  readonly host: string;
  readonly entity: string;
  readonly metric: string;
  /** What its text says: a label, a message, ... */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** A span of time; it is sent again when it has ended, with the same id and start. */
export interface SpanWire {
  /** With its start it tells it from others of its host, entity, metric. */
  readonly id: string;
  /** Unix seconds. */
  readonly start: number;
  /** Null: it has not ended. */
  readonly end: number | null;
  readonly host: string;
  readonly entity: string;
  readonly metric: string;
  /** What the texts of its start and its end say. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** A line of text that was printed, for pages that asked for such lines. */
export interface TextLineWire {
  /** The id of its series. */
  readonly series: number;
  /** Unix seconds. */
  readonly time: number;
  readonly text: string;
}

/** A value that the user logged and no axis has a place for; among the rows it is missing. */
export interface OddWire {
  /** The id of its series. */
  readonly series: number;
  /** Unix seconds. */
  readonly time: number;
  readonly step: number | null;
  /** "inf", "-inf" or "nan". */
  readonly what: string;
}
