export type { PulseEvent, SeriesWire, State } from "./source";
