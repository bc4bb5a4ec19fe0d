import { expect, test } from "vitest";
import type { SeriesWire } from "../core/header.gen";
import type { Rows } from "../core/wire/packet";
import { memoryFile } from "./access";
import { openFile } from "./open";
import { RecordingError } from "./place";
import { bytesOf, keyframeOf, rowsOf } from "./testing";

const T0 = 1_790_000_000;
const FAR = 100_000;

/** A seeded stream of numbers below `most`. */
function dice(seed: number): (most: number) => number {
  let state = seed >>> 0;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

/** What is drawn: of each series, by its name, the values and steps of each time. */
interface Picture {
  readonly series: ReadonlyMap<string, ReadonlyMap<number, readonly number[]>>;
  readonly rows: number;
  readonly problems: readonly string[];
}

async function pictureOf(bytes: Uint8Array): Promise<Picture> {
  const channel = await openFile(memoryFile("it.pulse.parquet", bytes));
  try {
    const { series } = await keyframeOf(channel);
    const { rows } = await rowsOf(channel, T0 - FAR, T0 + FAR);
    return { series: told(series, rows), rows: rows.length, problems: channel.problems };
  } finally {
    channel.close();
  }
}

function told(
  series: readonly Pick<SeriesWire, "id" | "host" | "entity" | "metric">[],
  rows: Rows,
): Map<string, Map<number, number[]>> {
  const byId = new Map<number, Map<number, number[]>>();
  const found = new Map<string, Map<number, number[]>>();
  for (const { id, host, entity, metric } of series) {
    byId.set(id, new Map());
    found.set(`${host} ${entity} ${metric}`, byId.get(id) as Map<number, number[]>);
  }
  for (let i = 0; i < rows.length; i++) {
    const [time, value] = [rows.time[i] as number, rows.value[i] as number];
    const own = byId.get(rows.series[i] as number) as Map<number, number[]>;
    own.set(time, [...(own.get(time) ?? []), value, rows.step?.[i] ?? Number.NaN]);
  }
  return found;
}

/** Rows that are not among those of the whole file, and have a value. */
function invented(found: Picture, whole: Picture): string[] {
  const wrong: string[] = [];
  for (const [name, times] of found.series) {
    for (const [time, values] of times) {
      const right = whole.series.get(name)?.get(time) ?? [];
      if (values.length === 2 && Number.isNaN(values[0])) continue;
      if (!values.every((one) => right.some((other) => Object.is(one, other)))) {
        wrong.push(`${name} at ${time}: ${values} instead of ${right}`);
      }
    }
  }
  return wrong;
}

const FILES = ["hard", "many", "nothing"];
const wholes = new Map(
  await Promise.all(FILES.map(async (name) => [name, await pictureOf(bytesOf(name))] as const)),
);

/** The larger the file, the longer a round takes. */
const ROUNDS: Readonly<Record<string, number>> = { hard: 12, many: 25, nothing: 35 };

/** Damage of a kind, somewhere in the bytes. */
const HARM: Readonly<
  Record<string, (bytes: Uint8Array, roll: (most: number) => number) => Uint8Array>
> = {
  "a flipped bit": (bytes, roll) => {
    const at = roll(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << roll(8));
    return bytes;
  },
  "a flipped bit near the end": (bytes, roll) => {
    const at = bytes.length - 1 - roll(Math.min(bytes.length, 3000));
    bytes[at] = (bytes[at] as number) ^ (1 << roll(8));
    return bytes;
  },
  "a hole of zeros": (bytes, roll) => {
    const at = roll(bytes.length);
    return bytes.fill(0, at, at + 1 + roll(600));
  },
  noise: (bytes, roll) => {
    const at = roll(bytes.length);
    for (let i = at; i < Math.min(bytes.length, at + 300); i++) bytes[i] = roll(256);
    return bytes;
  },
  "a cut": (bytes, roll) => bytes.slice(0, roll(bytes.length)),
  "a part that is missing": (bytes, roll) => {
    const at = roll(bytes.length);
    return new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + roll(1000))]);
  },
};

for (const name of FILES) {
  test.each(Object.keys(HARM))(
    `in ${name}, %s never gives a value that nobody wrote`,
    async (kind) => {
      const whole = wholes.get(name) as Picture;
      for (let round = 0; round < (ROUNDS[name] as number); round++) {
        const roll = dice(round * 7919 + kind.length);
        const bytes = (HARM[kind] as (typeof HARM)[string])(bytesOf(name), roll);
        try {
          const found = await pictureOf(bytes);
          expect(invented(found, whole).slice(0, 3), `round ${round}`).toEqual([]);
          const isLess = found.rows < whole.rows;
          if (isLess) expect(found.problems.join(), `round ${round}`).toMatch(/damaged/);
        } catch (problem) {
          if (!(problem instanceof RecordingError)) throw problem;
          expect(problem.message).not.toBe("");
          expect(problem.remedy).not.toBe("");
        }
      }
    },
  );
}

test("a damaged page costs its own rows, and they are counted", async () => {
  const whole = wholes.get("hard") as Picture;
  const bytes = bytesOf("hard");
  // The first row group is of one long series; its values lie in the middle of it.
  bytes[6000] = (bytes[6000] as number) ^ 1;
  const found = await pictureOf(bytes);
  expect(found.problems).toEqual([
    expect.stringMatching(/^\d+ rows are damaged in it\.pulse\.parquet and left out$/),
  ]);
  expect(found.rows).toBeLessThan(whole.rows);
  expect(found.rows).toBeGreaterThan(whole.rows / 2);
});

const REFUSED: readonly [string, Uint8Array, string, RegExp][] = [
  ["nothing", new Uint8Array(0), "empty", /is empty/],
  [
    "text",
    new TextEncoder().encode("host,entity,metric\n".repeat(50)),
    "foreign",
    /not a Parquet file/,
  ],
  ["a few bytes", Uint8Array.of(80, 65), "foreign", /not a Parquet file/],
  ["a Parquet file that was cut off", bytesOf("hard").slice(0, 30_000), "damaged", /cut off/],
  ["only the magic number", new TextEncoder().encode("PAR1PAR1"), "damaged", /Parquet file|footer/],
];

test.each(REFUSED)("%s is refused in words", async (_, bytes, trouble, words) => {
  const problem = await openFile(memoryFile("it", bytes)).catch((problem: unknown) => problem);
  expect(problem).toBeInstanceOf(RecordingError);
  expect(problem).toMatchObject({ trouble, message: expect.stringMatching(words) });
  expect((problem as RecordingError).remedy).not.toBe("");
});
