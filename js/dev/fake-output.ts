/** Lines that a training run may print, of each host: in colours, to both streams, long and short. */

import type { Awaited, Printed, SeriesWire, Stretch, TextLineWire } from "../core/source";

const E = "\u001b[";

/** Line `i` of a kernel, and whether it goes to the stream of errors. */
function lineOf(i: number): [text: string, isError: boolean] {
  const loss = (2.4 * Math.exp(-i / 90) + 0.3).toFixed(4);
  const bar = "\u2588".repeat(i % 25).padEnd(25, "\u2591");
  switch (i % 12) {
    case 1:
      return [
        `${E}1m${E}34mepoch ${1 + (i >> 4)}${E}0m  loss ${E}32m${loss}${E}0m  lr 3.0e-04`,
        false,
      ];
    case 3:
      return [`train: ${(i * 4) % 100}%|${bar}| ${i}/400 [00:${i % 60}<01:12,  5.51it/s]`, true];
    case 5:
      return ["UserWarning: lr_scheduler.step() was called before optimizer.step()", true];
    case 6:
      return [colors(), false];
    case 7:
      return [
        `${E}2m[debug]${E}22m cache ${E}4mhit${E}24m ${E}3m0.97${E}23m ${E}7m slow ${E}27m`,
        false,
      ];
    case 8:
      return [
        `${E}38;5;208morange${E}39m ${E}38;2;250;240;90mpale${E}39m ${E}48;5;22m on green ${E}0m`,
        false,
      ];
    case 9:
      return [
        `${E}31mRuntimeError${E}39m: CUDA out of memory. Tried to allocate ${"2.00 GiB; ".repeat(20)}`,
        true,
      ];
    case 10:
      return ["", false];
    default:
      return [`step ${i}: loss ${loss}, <b>no markup</b>, tokens/s\t${18000 + i}`, false];
  }
}

function colors(): string {
  const sixteen = Array.from({ length: 16 }, (_, n) => {
    const code = n < 8 ? 30 + n : 82 + n;
    return `${E}${code}mc${n}${E}0m ${E}${code + 10}m b${n} ${E}0m`;
  });
  return sixteen.join(" ");
}

export class FakeOutput implements Printed {
  readonly series: readonly SeriesWire[];
  readonly lines: readonly TextLineWire[];

  constructor(count: number, hosts: readonly string[], id: number, [from, to]: [number, number]) {
    const streams = ["log.stdout", "log.stderr"];
    this.series = hosts.flatMap((host, n) =>
      streams.map((metric, i) => {
        const about = { host, entity: "kernel", metric, unit: "", kind: "text", labels: {} };
        return { id: id + 2 * n + i, ...about };
      }),
    );
    this.lines = Array.from({ length: count }, (_, i) => {
      const [text, isError] = lineOf(Math.floor(i / hosts.length));
      const series = id + 2 * (i % hosts.length) + Number(isError);
      return { series, time: from + (i * (to - from)) / count, text };
    });
  }

  known(): readonly Stretch[] {
    return ALL;
  }

  watch(): () => void {
    return () => undefined;
  }

  want(): void {}

  awaited(): Awaited {
    return "none";
  }

  look(): void {}
}

const ALL: readonly Stretch[] = [{ t0: Number.NEGATIVE_INFINITY, t1: Number.POSITIVE_INFINITY }];
