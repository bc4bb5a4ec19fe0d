/** What keys do. Pure, so that the list on screen and the behaviour cannot differ. */

export type Command =
  | { do: "pause" }
  | { do: "window"; place: number }
  | { do: "reset" }
  | { do: "pan"; by: number }
  | { do: "scale"; factor: number }
  | { do: "step"; by: number }
  | { do: "show-all" }
  | { do: "all" }
  | { do: "axis" }
  | { do: "search" }
  | { do: "help" };

interface Key {
  readonly keys: readonly string[];
  readonly shown: string;
  readonly what: string;
  readonly command: Command;
}

const KEYS: readonly Key[] = [
  { keys: ["p"], shown: "p", what: "pause or resume", command: { do: "pause" } },
  { keys: ["1"], shown: "1", what: "last 30 seconds", command: { do: "window", place: 0 } },
  { keys: ["2"], shown: "2", what: "last 5 minutes", command: { do: "window", place: 1 } },
  { keys: ["3"], shown: "3", what: "last hour", command: { do: "window", place: 2 } },
  { keys: ["4"], shown: "4", what: "everything", command: { do: "window", place: 3 } },
  { keys: ["ArrowLeft"], shown: "\u2190", what: "earlier", command: { do: "pan", by: -0.2 } },
  { keys: ["ArrowRight"], shown: "\u2192", what: "later", command: { do: "pan", by: 0.2 } },
  { keys: ["+", "="], shown: "+", what: "zoom in", command: { do: "scale", factor: 0.5 } },
  { keys: ["-"], shown: "\u2212", what: "zoom out", command: { do: "scale", factor: 2 } },
  { keys: ["0"], shown: "0", what: "reset zoom", command: { do: "reset" } },
  { keys: [","], shown: ",", what: "cursor left", command: { do: "step", by: -1 } },
  { keys: ["."], shown: ".", what: "cursor right", command: { do: "step", by: 1 } },
  { keys: ["a"], shown: "a", what: "show all lines", command: { do: "show-all" } },
  { keys: ["s"], shown: "s", what: "open all sections, or less", command: { do: "all" } },
  {
    keys: ["x"],
    shown: "x",
    what: "x axis: time, step or what you defined",
    command: { do: "axis" },
  },
  { keys: ["/"], shown: "/", what: "search your metrics", command: { do: "search" } },
  { keys: ["?"], shown: "?", what: "this list", command: { do: "help" } },
];

const POINTER: readonly (readonly [string, string])[] = [
  ["drag", "zoom in"],
  ["double click, or Esc", "reset zoom"],
  ["Shift + drag", "move along the axis"],
  ["click a cell", "zoom to it, and go to it in the notebook"],
  ["click a card or a line's name", "hide or show it"],
  ["Alt + click", "show only that one"],
  ["point at a card", "lift its lines"],
  ["\u2190 \u2192 on the cells of many GPUs", "go from one to the next"],
  ["Tab to the timeline, then \u2190 \u2192", "from cell to cell; Enter as a click"],
  ["click a line of the output", "keep the cursor at its time"],
  ["Enter in the output's search", "next match; with Shift the one before"],
];

/** The command of a key press, or null when the key is not ours. */
export function commandOf(event: {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  return KEYS.find(({ keys }) => keys.includes(event.key))?.command ?? null;
}

/** Every key and pointer gesture with what it does. */
export function helpLines(): readonly (readonly [string, string])[] {
  return [...POINTER, ...KEYS.map(({ shown, what }) => [shown, what] as const)];
}
