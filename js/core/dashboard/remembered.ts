/**
 * What this page keeps of the viewer's choices, so that a reload shows what was shown before.
 *
 * One record a recording or notebook and layout, in the browser's storage. Storage that is not
 * there, is full or holds nonsense changes nothing: the view then begins as if for the first time.
 */

import { WINDOWS, type Window } from "./windows";

/** Raised when a field changes its meaning; records of other versions are ignored. */
const VERSION = 1;
const PREFIX = "pulse_widgets:";
/** So many records are kept, those used last; and so many names in a list, so long each. */
const MOST_RECORDS = 50;
const MOST_NAMES = 500;
const LONGEST_NAME = 500;

export interface Remembered {
  /** Null: the viewer has chosen none. */
  readonly window: Window | null;
  /** Keys of hidden lines. */
  readonly hidden: readonly string[];
  /** Titles of sections that were opened, or folded, against how they stand at first. */
  readonly opened: readonly string[];
  readonly folded: readonly string[];
  /** Titles of sections that show all of their charts. */
  readonly expanded: readonly string[];
  /** All sections were opened together. */
  readonly all: boolean;
  /** The user's own metrics that stand first, in order. */
  readonly pinned: readonly string[];
  /** Of the user's own metrics: weight of the past in the smoothed line, 0 for none, below 1. */
  readonly smooth: number;
  /** The user's own metrics stand on a logarithmic axis. */
  readonly log: boolean;
}

export const NOTHING: Remembered = {
  window: null,
  hidden: [],
  opened: [],
  folded: [],
  expanded: [],
  all: false,
  pinned: [],
  smooth: 0,
  log: false,
};

/** Where records are kept: `localStorage`, or what stands for it. */
export type Keep = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** The record of one view. */
export class Memory {
  readonly #storage: Keep | null;
  #name = PREFIX;
  #keep: Keep | null = null;
  #record: Remembered = NOTHING;

  /** `key` says whose choices they are; an empty one keeps nothing beyond this view. */
  constructor(key: string, keep: Keep | null = storage()) {
    this.#storage = keep;
    this.open(key);
  }

  /** Take up the record of a key, once it is known. */
  open(key: string): void {
    this.#name = PREFIX + key;
    this.#keep = key === "" ? null : this.#storage;
    this.#record = this.#read();
  }

  get record(): Remembered {
    return this.#record;
  }

  /**
   * Keep what is chosen anew. Another view of the same key may have kept its own choices
   * meanwhile: they stay in the record, and this view goes on as it is.
   */
  change(change: Partial<Remembered>): void {
    const stored = merged(this.#stored() ?? this.#record, this.#record, change);
    this.#record = { ...this.#record, ...change };
    const text = JSON.stringify({ version: VERSION, used: Date.now(), ...bounded(stored) });
    try {
      this.#keep?.setItem(this.#name, text);
      if (this.#keep) forget(this.#keep, this.#name);
    } catch {
      // Full, or not allowed: the choice lasts as long as the view.
    }
  }

  #read(): Remembered {
    return this.#stored() ?? NOTHING;
  }

  /** Null where nothing is kept that can be read. */
  #stored(): Remembered | null {
    try {
      const record = readRecord(this.#keep?.getItem(this.#name) ?? null);
      return record === NOTHING ? null : record;
    } catch {
      return null;
    }
  }
}

/** `stored` with what `change` changes of `own`; of a list, the names that come and go. */
function merged(stored: Remembered, own: Remembered, change: Partial<Remembered>): Remembered {
  const all = { ...stored, ...change };
  const lists = ["hidden", "opened", "folded", "expanded", "pinned"] as const;
  const list = (field: (typeof lists)[number]) => {
    const next = change[field];
    if (next === undefined) return stored[field];
    const gone = new Set(own[field].filter((name) => !next.includes(name)));
    const come = next.filter((name) => !own[field].includes(name));
    return names([...stored[field].filter((name) => !gone.has(name)), ...come]);
  };
  return { ...all, ...Object.fromEntries(lists.map((field) => [field, list(field)])) };
}

/** A record from its text; what is damaged, or of another version, is as none. Pure. */
export function readRecord(text: string | null): Remembered {
  const found = parsed(text);
  if (found?.["version"] !== VERSION) return NOTHING;
  const { window, smooth } = found;
  const weight = typeof smooth === "number" && smooth >= 0 && smooth < 1 ? smooth : 0;
  return {
    window: WINDOWS.find((one) => one === window) ?? null,
    hidden: names(found["hidden"]),
    opened: names(found["opened"]),
    folded: names(found["folded"]),
    expanded: names(found["expanded"]),
    all: found["all"] === true,
    pinned: names(found["pinned"]),
    smooth: weight,
    log: found["log"] === true,
  };
}

function parsed(text: string | null): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    return typeof value === "object" && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function names(value: unknown): string[] {
  const all = Array.isArray(value) ? value : [];
  const texts = all.filter(
    (one): one is string => typeof one === "string" && one.length <= LONGEST_NAME,
  );
  return [...new Set(texts)].slice(0, MOST_NAMES);
}

function bounded(record: Remembered): Remembered {
  return {
    ...record,
    hidden: names(record.hidden),
    opened: names(record.opened),
    folded: names(record.folded),
    expanded: names(record.expanded),
    pinned: names(record.pinned),
  };
}

/** Leave the records that were used last, that of `own` name among them. */
function forget(keep: Keep, own: string): void {
  const all = Array.from({ length: keep.length }, (_, i) => keep.key(i) ?? "");
  const ours = all.filter((name) => name.startsWith(PREFIX) && name !== own);
  if (ours.length < MOST_RECORDS) return;
  const used = (name: string) => Number(parsed(keep.getItem(name))?.["used"]) || 0;
  const oldest = ours.map((name) => ({ name, at: used(name) })).sort((a, b) => a.at - b.at);
  for (const { name } of oldest.slice(0, ours.length - MOST_RECORDS + 1)) keep.removeItem(name);
}

function storage(): Keep | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    // A page may be denied its storage.
    return null;
  }
}
