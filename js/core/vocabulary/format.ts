/**
 * Numbers as people read them: `0.37` of unit `1` is `37 %`.
 *
 * The twin of `pulse_widgets/metrics/units.py`, which tells the rules; one table of examples holds
 * both to them. These are the only places that know percent, GiB or minutes.
 */

/** The text of a value that is not there. */
export const MISSING = "–";

const GAP = "\u202f";
const EXPONENT_FROM = 1e15;
const [PLAIN_FROM, PLAIN_BELOW] = [1e-4, 1e9];
const PLAIN_DECIMALS: readonly (readonly [number, number])[] = [
  [1000, 0],
  [100, 1],
  [10, 2],
  [1, 3],
  [0.1, 4],
  [0.01, 5],
  [0.001, 6],
  [0, 7],
];
const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];

type Step = readonly [size: number, suffix: string];

/** How much larger each unit is than the one before, and the units, smallest first. */
interface Ladder {
  readonly step: number;
  readonly units: readonly Step[];
}

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

const LADDERS: Readonly<Record<string, Ladder>> = {
  B: { step: 1024, units: BYTES.map((name, k) => [1024 ** k, ` ${name}`]) },
  "B/s": { step: 1024, units: BYTES.map((name, k) => [1024 ** k, ` ${name}/s`]) },
  W: thousands([1, " W"], [1e3, " kW"], [1e6, " MW"]),
  J: thousands([1, " J"], [1e3, " kJ"], [1e6, " MJ"], [1e9, " GJ"]),
  Hz: thousands([1, " Hz"], [1e3, " kHz"], [1e6, " MHz"], [1e9, " GHz"]),
  s: thousands([1e-9, " ns"], [1e-6, " µs"], [1e-3, " ms"], [1, " s"]),
  degC: thousands([1, " °C"]),
  cores: thousands([1, " cores"]),
  count: thousands([1, ""]),
  "count/s": thousands([1, "/s"]),
};

function thousands(...units: readonly Step[]): Ladder {
  return { step: 1000, units };
}

/** `value`, given in a unit of the catalog, as text with the unit people use. */
export function formatValue(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const text = magnitude(Math.abs(value), unit);
  if (value >= 0) return text;
  return text.startsWith("<") ? `>-${text.slice(1)}` : `-${text}`;
}

/** Whether a unit is of the catalog; any other text is the user's own. */
export function isKnownUnit(unit: string): boolean {
  return unit === "1" || Object.hasOwn(LADDERS, unit);
}

function magnitude(x: number, unit: string): string {
  if (unit === "1") return `${fixed(x * 100, x * 100 < 10 ? 1 : 0)} %`;
  const ladder = Object.hasOwn(LADDERS, unit) ? LADDERS[unit] : undefined;
  if (!ladder) return unit ? `${plain(x)} ${unit}` : plain(x);
  if (unit === "s" && x >= 1 && rounded(x, decimals(x)) >= MINUTE) {
    return x < PLAIN_BELOW ? clock(x) : `${plain(x)} s`;
  }
  const text = scaled(x, ladder);
  return text === "1 cores" ? "1 core" : text;
}

function scaled(x: number, { step, units }: Ladder): string {
  const last = units.length - 1;
  for (const [i, [size, suffix]] of units.entries()) {
    if (x === 0 && size < 1) continue;
    const number = x / size;
    if (i === last || rounded(number, decimals(number)) < step) {
      return fixed(number, decimals(number)) + suffix;
    }
  }
  return "";
}

/** 60 seconds or more in two parts, the smaller one rounded. */
function clock(x: number): string {
  const seconds = Math.floor(x + 0.5);
  const minutes = Math.floor(x / MINUTE + 0.5);
  if (seconds < HOUR) return twoParts(seconds, 60, "min", "s");
  if (minutes * MINUTE < DAY) return twoParts(minutes, 60, "h", "min");
  return twoParts(Math.floor(x / HOUR + 0.5), 24, "d", "h");
}

function twoParts(small: number, per: number, largeName: string, smallName: string): string {
  const text = `${grouped(String(Math.floor(small / per)))} ${largeName}`;
  return small % per ? `${text} ${small % per} ${smallName}` : text;
}

function plain(x: number): string {
  if (x !== 0 && !(x >= PLAIN_FROM && x < PLAIN_BELOW)) return exponent(x, 3);
  return fixed(x, PLAIN_DECIMALS.find(([bound]) => x >= bound)?.[1] ?? 0);
}

function decimals(x: number): number {
  if (x < 10) return 2;
  return x < 100 ? 1 : 0;
}

function rounded(x: number, digits: number): number {
  // From 1e21 up toFixed gives up and such numbers have no digits after the point anyway.
  return Number(x.toFixed(digits));
}

function fixed(x: number, digits: number): string {
  if (x >= EXPONENT_FROM) return exponent(x, 2);
  const text = x.toFixed(digits);
  if (x > 0 && Number(text) === 0) return `<${(10 ** -digits).toFixed(digits)}`;
  return grouped(trimmed(text));
}

function exponent(x: number, digits: number): string {
  if (!Number.isFinite(x)) return "∞";
  const [mantissa = "", power = ""] = x.toExponential(digits).split("e");
  return `${trimmed(mantissa)}e${power}`;
}

function trimmed(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

function grouped(digits: string): string {
  const [whole = "", rest] = digits.split(".");
  if (whole.length < 5) return digits;
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, GAP);
  return rest === undefined ? groups : `${groups}.${rest}`;
}
