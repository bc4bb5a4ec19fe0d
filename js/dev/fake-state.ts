/** What a made-up session says of itself. */

import type { State } from "../core/state.gen";

export function baseState(t0: number, hz: number): State {
  return {
    phase: "running",
    title: "",
    t0,
    t1: null,
    interval: 1 / hz,
    simulated: false,
    sources: [
      { name: "nvml", state: "ok", problem: "", remedy: "", missing: [] },
      { name: "system", state: "ok", problem: "", remedy: "", missing: [] },
    ],
    recording: {
      path: "/home/ada/.local/share/pulse/2026-11-21-1403-train.pulse",
      bytes: 3_412_000,
      problem: null,
      remedy: null,
    },
    cost: { cores: 0.0042, tick_s: 0.0012, dropped: 0, sent_bytes_per_s: 4000, slowed: "" },
    kernel: { busy: true, cell: 5 },
    versions: { package: "0.1.0", wire: [1, 0] },
  };
}
