/** A cell, a span, a mark or an event, as it is drawn. */

export type Facts = Readonly<Record<string, unknown>>;

export interface Mark {
  readonly host: string;
  /** What the host is called. */
  readonly machine: string;
  readonly entity: string;
  readonly metric: string;
  readonly drawnAs: "moment" | "span";
  readonly start: number;
  /** Null: a moment, or a stretch that has not ended. */
  readonly end: number | null;
  readonly open: boolean;
  /** What it is called beside the name of its host. */
  readonly text: string;
  /** What it is called where nothing else says whose it is. */
  readonly label: string;
  /** It ended in an error. */
  readonly failed: boolean;
  /** It stands for so many. */
  readonly count?: number;
  readonly facts?: Facts;
}
