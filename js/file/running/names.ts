/** The files of a writer's folder by their names: which parts and journals count. */

export const RUN = "run.pulse.json";
export const ABOUT = "writer.json";
export const LOCK = "lock";

/** The journals that a part stands for, first to last. */
export interface PartName {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

export interface JournalName {
  readonly name: string;
  readonly number: number;
}

const DIGITS = 6;

function padded(number: number): string {
  return String(number).padStart(DIGITS, "0");
}

function partName(name: string): PartName[] {
  const found = /^part-(\d{6,15})(?:-(\d{6,15}))?\.parquet$/.exec(name);
  if (!found) return [];
  const [first, last] = [Number(found[1]), Number(found[2] ?? found[1])];
  const range = first === last ? padded(first) : `${padded(first)}-${padded(last)}`;
  // A name with other zeros than ours was not written by this program.
  return name === `part-${range}.parquet` && last >= first ? [{ name, first, last }] : [];
}

function journalName(name: string): JournalName[] {
  const number = Number(/^journal-(\d{6,15})\.arrows$/.exec(name)?.[1] ?? Number.NaN);
  return name === `journal-${padded(number)}.arrows` ? [{ name, number }] : [];
}

/**
 * The parts and journals that count, in order. A part whose range lies in another's was merged
 * into it, and a journal whose number lies in a part was written to it: no row stands twice.
 */
export function standing(names: readonly string[]): {
  readonly parts: readonly PartName[];
  readonly journals: readonly JournalName[];
} {
  const all = names.flatMap(partName).sort((a, b) => a.first - b.first || b.last - a.last);
  const parts: PartName[] = [];
  for (const part of all) {
    if (part.last > (parts.at(-1)?.last ?? -1)) parts.push(part);
  }
  const covered = ({ number }: JournalName) =>
    parts.some(({ first, last }) => first <= number && number <= last);
  const journals = names.flatMap(journalName).sort((a, b) => a.number - b.number);
  return { parts, journals: journals.filter((journal) => !covered(journal)) };
}
