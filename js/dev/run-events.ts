/** Cells, spans, alerts and failures of made-up runs. */

import type { MomentWire, SpanWire } from "../core/source";
import type { AlertState } from "../core/state.gen";

export interface Told {
  readonly moments: readonly MomentWire[];
  readonly spans: readonly SpanWire[];
}

const HOME = { host: "h0", entity: "kernel" };

function cell(count: number, start: number, end: number | null, more: object = {}): SpanWire {
  const facts = { id: `c${count}`, count, line: `step(${count})`, cell_id: `id-${count}`, ...more };
  return { ...HOME, metric: "cell", id: `c${count}`, start, end, facts };
}

function span(
  id: string,
  name: string,
  start: number,
  end: number | null,
  more: object = {},
): SpanWire {
  return { ...HOME, metric: "span", id, start, end, facts: { id, name, ...more } };
}

/** `count` cells one after the other over so many seconds, with pauses; some of them fail. */
export function manyCells(count: number, seconds: number): (t0: number) => Told {
  const each = seconds / count;
  return (t0) => ({
    moments: [],
    spans: Array.from({ length: count }, (_, i) => {
      const start = t0 + i * each;
      const share = i % 5 === 4 ? 0.4 : 0.92;
      return cell(i + 1, start, start + each * share, i % 17 === 9 ? { status: "error" } : {});
    }),
  });
}

/** A cell with epochs, batches and what they are made of, from two threads, and one that runs. */
export function nestedSpans(t0: number): Told {
  const spans: SpanWire[] = [cell(3, t0 + 2, t0 + 9), cell(4, t0 + 14, null)];
  for (let epoch = 0; epoch < 4; epoch++) {
    const at = t0 + 15 + epoch * 55;
    const end = epoch === 3 ? null : at + 54;
    spans.push(span(`e${epoch}`, `epoch ${epoch + 1}`, at, end));
    for (let part = 0; part < 3; part++) {
      const id = `e${epoch}p${part}`;
      const from = at + 1 + part * 17;
      const status = epoch === 1 && part === 2 ? { status: "error" } : {};
      spans.push(
        span(id, ["load", "train", "validate"][part] ?? "", from, from + 16, {
          parent: `e${epoch}`,
          ...status,
        }),
      );
      for (let i = 0; i < 20; i++) {
        const start = from + i * 0.8;
        spans.push(span(`${id}b${i}`, `batch ${i}`, start, start + 0.7, { parent: id }));
        spans.push(span(`${id}f${i}`, "forward", start, start + 0.3, { parent: `${id}b${i}` }));
        spans.push(span(`${id}k${i}`, "kernel", start, start + 0.1, { parent: `${id}f${i}` }));
      }
    }
    spans.push(span(`w${epoch}`, "writer thread", at + 20, at + 48));
  }
  return { moments: [], spans: spans.sort((a, b) => a.start - b.start) };
}

const CONDITION = "gpu.memory.used > 0.95 * gpu.memory.total for 30s";

/** An alert that fired twice, a failure and a lack of memory. */
export function troubledRun(t0: number): Told {
  const alert = (time: number, phase: string, value: number): MomentWire => ({
    ...{ host: "h0", entity: "user", metric: "alert", time: t0 + time },
    facts: {
      label: phase === "quiet" ? `${CONDITION} is over` : CONDITION,
      ...{ phase, text: CONDITION, entity: "gpu:0", metric: "gpu.memory.used", value, limit: 76e9 },
    },
  });
  const event = (time: number, kind: string, message: string): MomentWire => {
    return { ...HOME, metric: "event", time: t0 + time, facts: { kind, message, cell: "c4" } };
  };
  return {
    moments: [
      alert(40, "firing", 79e9),
      alert(70, "quiet", 60e9),
      event(130, "error", "ValueError: shapes (3,4) and (5,6) do not match"),
      alert(190, "firing", 80e9),
      event(215, "oom", "CUDA out of memory. Tried to allocate 2.00 GiB"),
    ],
    spans: [
      cell(3, t0 + 2, t0 + 9),
      cell(4, t0 + 14, t0 + 130, { status: "error", line: "for epoch in range(10):" }),
      cell(5, t0 + 132, t0 + 160),
      cell(6, t0 + 160, null, { line: "trainer.fit(model, loader)" }),
    ],
  };
}

export function alertsOf(t0: number): AlertState[] {
  const of = { host: "h0", entity: "" };
  const own = { ...of, text: '"train/loss" > 5', value: 0.42, since: t0, problem: "" };
  return [
    {
      ...of,
      entity: "gpu:0",
      text: CONDITION,
      phase: "firing",
      value: 80e9,
      since: t0 + 190,
      problem: "",
    },
    { ...own, phase: "quiet" },
    {
      ...{ ...of, text: '"val/loss" > 9', phase: "no data", value: null, since: null },
      problem: "no reading of val/loss yet",
    },
    {
      ...{ ...of, text: "gpu.power > 700", phase: "failed", value: 512, since: t0 + 100 },
      problem: "the callback failed: NameError: name 'stop' is not defined",
    },
  ];
}
