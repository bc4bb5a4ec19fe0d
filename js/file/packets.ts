/** What is known of a recording as the packets that a page takes; nothing of it is encoded. */

import type { KeyframePacket, Rows, RowsPacket } from "../core/wire/packet";
import { CODE_MISSING, CODE_NONE, CODE_TOP } from "../core/wire/packet";
import type { Shown } from "./gaps";
import type { Line, Screen } from "./screen";

/** The envelopes of a keyframe. */
export type Picture = Pick<
  KeyframePacket,
  | "buckets"
  | "ids"
  | "lo"
  | "hi"
  | "stepped"
  | "last"
  | "edges"
  | "stepLast"
  | "min"
  | "max"
  | "mean"
  | "grains"
>;

/** A screen in the codes of a keyframe, each series in 65 534 levels of its own range. */
export function pictureOf({ edges, lines }: Screen): Picture {
  const buckets = edges.length - 1;
  const made = () => new Uint16Array(lines.length * buckets);
  const codes = { min: made(), max: made(), mean: made() };
  const ranges = lines.map((line, row) => encodeLine(line, codes, row * buckets));
  const stepped = lines.filter(({ step }) => step);
  const stepLast = new Float64Array(stepped.length * buckets);
  for (const [row, { step }] of stepped.entries())
    stepLast.set(step as Float64Array, row * buckets);
  return {
    buckets,
    ids: lines.map(({ id }) => id),
    lo: ranges.map(([low]) => low),
    hi: ranges.map(([, high]) => high),
    stepped: stepped.map(({ id }) => id),
    last: lines.map(({ last }) => (Number.isNaN(last) ? null : last)),
    edges,
    stepLast,
    ...codes,
    grains: null,
  };
}

function encodeLine(
  line: Line,
  codes: { readonly min: Uint16Array; readonly max: Uint16Array; readonly mean: Uint16Array },
  at: number,
): [number, number] {
  const { min, max, mean, missing } = line;
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < min.length; i++) {
    if (Number.isNaN(min[i])) continue;
    low = Math.min(low, min[i] as number);
    high = Math.max(high, max[i] as number);
  }
  if (!(low <= high)) [low, high] = [0, 0];
  // The overview's extremes may be infinite where a value is beyond float32.
  low = Math.max(low, -Number.MAX_VALUE);
  high = Math.min(high, Number.MAX_VALUE);
  const span = high - low;
  const scale = span > 0 ? CODE_TOP / span : 0;
  // A range too narrow or too wide to divide becomes one block, which contains every value.
  const isBlunt = !Number.isFinite(scale) || !Number.isFinite(span);
  const clip = (code: number) => Math.min(Math.max(code, 0), CODE_TOP);
  for (let i = 0; i < min.length; i++) {
    const place = at + i;
    if (Number.isNaN(min[i])) {
      const nothing = missing[i] ? CODE_MISSING : CODE_NONE;
      codes.min[place] = codes.max[place] = codes.mean[place] = nothing;
      continue;
    }
    const down = isBlunt ? 0 : clip(Math.floor(((min[i] as number) - low) * scale));
    const up = isBlunt ? CODE_TOP : clip(Math.ceil(((max[i] as number) - low) * scale));
    const middle = Math.round(((mean[i] as number) - low) * scale);
    codes.min[place] = down;
    codes.max[place] = up;
    // Of a lone value between two codes the lower one tells enough, and always the same.
    codes.mean[place] =
      isBlunt || Number.isNaN(middle)
        ? CODE_NONE
        : up - down <= 1
          ? down
          : Math.min(Math.max(middle, down), up);
  }
  return [low, high];
}

/** Rows of several series, each by its number, one series after the other. */
export function rowsOf(shown: ReadonlyMap<number, Shown>): Rows {
  const all = [...shown].sort(([a], [b]) => a - b);
  const length = all.reduce((sum, [, { time }]) => sum + time.length, 0);
  const isStepped = all.some(([, { step }]) => step?.some((one) => !Number.isNaN(one)));
  const rows = {
    length,
    time: new Float64Array(length),
    value: new Float64Array(length),
    step: isStepped ? new Float64Array(length).fill(Number.NaN) : null,
    series: new Int32Array(length),
  };
  let at = 0;
  for (const [id, { time, value, step }] of all) {
    for (let i = 0; i < time.length; i++) rows.time[at + i] = (time[i] as number) / 1e6;
    rows.value.set(value, at);
    if (step) rows.step?.set(step, at);
    rows.series.fill(id, at, at + time.length);
    at += time.length;
  }
  return rows;
}

/** A screen as the envelopes of an answer. */
export function envelopesOf(screen: Screen | null): RowsPacket["envelopes"] {
  return (screen?.lines ?? []).map(({ id, min, max, mean, missing, step }) => ({
    id,
    envelope: { edges: screen?.edges as Float64Array, min, max, mean, missing, step, slack: 0 },
  }));
}
