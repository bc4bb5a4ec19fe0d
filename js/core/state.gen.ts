// Written by `python -m pulse_widgets.exchange.export`; do not edit.

/** Where a session is in its life. */
export const PHASES = ["running", "stopped", "replay"] as const;
type Phase = (typeof PHASES)[number];

/** How a source does. */
export const READINESS = [
  "ok",
  "starting",
  "absent",
  "failed",
  "stalled",
  "abandoned",
  "off",
] as const;
type Readiness = (typeof READINESS)[number];

/** How an alert does: untrue; true, but not for long enough; true for long enough; unknown. */
export const ALERT_PHASES = ["quiet", "pending", "firing", "no data", "failed"] as const;
type AlertPhase = (typeof ALERT_PHASES)[number];

/** A reading that a source does not deliver here. */
export interface MissingField {
  readonly what: string;
  readonly why: string;
}

/** An alert that the user set, and how it does now. */
export interface AlertState {
  /** The condition, as the user wrote it. */
  readonly text: string;
  readonly phase: AlertPhase;
  readonly host: string;
  /** Of what it is true; empty where it is of nothing. */
  readonly entity: string;
  /** The newest value of the left side, in its base unit. */
  readonly value: number | null;
  /** Since when it has been in this phase, Unix seconds. */
  readonly since: number | null;
  /** Why it failed, or what it waits for. */
  readonly problem: string;
}

/** How a source does, and what is missing of it. */
export interface SourceState {
  readonly name: string;
  /** What it is called on screen, where not by its name. */
  readonly title?: string;
  /** The heading its charts stand under. */
  readonly group?: string;
  readonly state: Readiness;
  readonly problem: string;
  readonly remedy: string;
  readonly missing: readonly MissingField[];
  /** Values that could not be true, and so are missing. */
  readonly rejected?: number;
}

/** Where the recording is, and what is wrong with it. */
interface RecordingState {
  readonly path: string | null;
  readonly bytes: number;
  readonly problem: string | null;
  readonly remedy: string | null;
}

/** What watching costs the process that is watched. */
interface CostState {
  readonly cores: number | null;
  /** How long the slowest reading took. */
  readonly tick_s: number | null;
  readonly dropped: number;
  readonly sent_bytes_per_s: number;
  /** Which readings are made rarer to keep within the budget. */
  readonly slowed: string;
}

/** What the kernel is doing. */
interface KernelState {
  readonly busy: boolean;
  /** The number of the cell that runs. */
  readonly cell: number | null;
}

/** What the kernel's end is. */
interface Versions {
  readonly package: string;
  readonly wire: readonly [number, number];
}

/** What a session says of itself. Times are Unix seconds; null is "not known" or "not over". */
export interface State {
  readonly phase: Phase;
  readonly title: string;
  readonly t0: number;
  readonly t1: number | null;
  /** Seconds between two readings. */
  readonly interval: number;
  readonly simulated: boolean;
  readonly sources: readonly SourceState[];
  readonly recording: RecordingState;
  readonly cost: CostState;
  readonly kernel: KernelState;
  readonly versions: Versions;
  /** Of a replay whose session was still running when it was opened: when. */
  readonly as_of?: number | null;
  /** In the order in which they were set. */
  readonly alerts?: readonly AlertState[];
}
