/**
 * The most that is accepted of a recording, and the most that is held or fetched of it. All is
 * checked before anything is decoded; files that this program writes stay far below.
 */

const MIB = 1 << 20;

export const MOST_FOOTER = 64 * MIB;
export const MOST_GROUP_ROWS = 4 * MIB;
/** What a row group says that it unpacks to. */
export const MOST_GROUP_BYTES = 512 * MIB;
/** What the columns of one row group that are read at once may unpack to. */
export const MOST_UNPACKED = 96 * MIB;
/** Bytes of row groups that are fetched and checked together. */
export const MOST_BATCH = 4 * MIB;
/** Rows that are read for one picture or one answer; what is beyond them is told. */
export const MOST_ROWS = 4_000_000;
/** Those of one series, which are in memory together. */
export const MOST_SERIES_ROWS = 2_000_000;
/** JSON in the footer, and the values in it. */
export const MOST_JSON = 16 * MIB;
export const MOST_VALUES = MIB;
export const MOST_DEPTH = 32;
/** Letters of one text in JSON; letters of a text that is looked at as JSON. */
export const MOST_TEXT = 64 << 10;
export const MOST_FACTS = MIB;
/** The index of the series, and its rows. */
export const MOST_INDEX = 16 * MIB;
export const MOST_ENTRIES = 500_000;

// The overview, as the specification bounds it.
export const MOST_MARK = 4 * MIB;
export const MOST_OVERVIEW_FOOTER = 16 * MIB;
export const MOST_OVERVIEW = 1 << 30;
export const MOST_BLOCKS = 65_536;
export const MOST_BLOCK_BYTES = 16 * MIB;

/** Bytes of the file that are kept; of more the oldest go. */
export const MOST_KEPT = 48 * MIB;
/** Bytes of one request. */
export const MOST_REQUEST = 8 * MIB;
/** Requests that are under way at once: the server has others to serve, too. */
export const MOST_AT_ONCE = 4;
/** A server that does not know ranges sends the whole file, which must not be larger. */
export const MOST_WHOLE = 64 * MIB;

/**
 * A file of another program is read as a whole, and all of it is in memory: its bytes, its rows, its
 * series, and the texts that differ in it, with their bytes.
 */
export interface ForeignLimits {
  readonly bytes: number;
  readonly rows: number;
  readonly series: number;
  readonly texts: number;
  readonly textBytes: number;
}

export const FOREIGN: ForeignLimits = {
  bytes: 64 * MIB,
  rows: 2_000_000,
  series: 10_000,
  texts: 500_000,
  textBytes: 64 * MIB,
};

/** What is fetched of a file. */
export interface Price {
  readonly requests: number;
  readonly bytes: number;
}

/** How much is read to answer. `pulse_widgets/library/replay_provider.py` has those of a kernel. */
export interface Frugality {
  /** The first request: the end of the file, with its footer, page index and often its overview. */
  readonly tail: number;
  /** What lies between two stretches that are wanted is fetched with them, up to so much. */
  readonly gap: number;
  /** A recording whose numbers take no more bytes is answered just as a kernel does. */
  readonly small: number;
  /** Bytes of the overview that are read for the first picture. */
  readonly firstBlocks: number;
  /** What is fetched after the first picture, unasked: events, and steps where they fit. */
  readonly later: Price;
  /** Rows of all series together that are read for one answer, where there is an overview. */
  readonly rows: number;
}

export const FRUGAL: Frugality = {
  tail: MIB / 4,
  gap: MIB / 16,
  small: 2 * MIB,
  firstBlocks: 300 << 10,
  later: { requests: 2, bytes: (5 * MIB) / 4 },
  rows: 400_000,
};

/** Milliseconds of work after which the page gets its turn. */
export const TURN_MS = 12;
