/** The fields of `parquet.thrift` that matter here, by what they are called in a `Struct`. */

import { BINARY, I32, I64, key, LIST, STRUCT } from "./thrift";

// Of a file.
export const SCHEMA = key(2, LIST);
export const ROWS = key(3, I64);
export const GROUPS = key(4, LIST);
export const MARKS = key(5, LIST);
/** How the footer is encrypted, or signed. */
export const ENCRYPTED = [key(8, STRUCT), key(9, BINARY)];

// Of a key and its value.
export const MARK_KEY = key(1, BINARY);
export const MARK_VALUE = key(2, BINARY);

// Of an element of the schema.
export const KIND = key(1, I32);
export const WIDTH = key(2, I32);
export const REPETITION = key(3, I32);
export const NAME = key(4, BINARY);
export const CHILDREN = key(5, I32);
export const CONVERTED = key(6, I32);
export const SCALE = key(7, I32);
export const LOGICAL = key(10, STRUCT);

// Of a row group.
export const COLUMNS = key(1, LIST);
export const GROUP_BYTES = key(2, I64);
export const GROUP_ROWS = key(3, I64);

// Of a column of a row group.
export const CHUNK = key(3, STRUCT);
export const OFFSETS_PLACE = key(4, I64);
export const OFFSETS_LENGTH = key(5, I32);
export const BOUNDS_PLACE = key(6, I64);
export const BOUNDS_LENGTH = key(7, I32);
/** Another file that it lies in, and how it is encrypted. */
export const ELSEWHERE = [key(1, BINARY), key(8, STRUCT), key(9, BINARY)];

// Of the chunk itself.
export const CHUNK_KIND = key(1, I32);
export const ENCODINGS = key(2, LIST);
export const PATH = key(3, LIST);
export const CODEC = key(4, I32);
export const VALUES = key(5, I64);
export const UNPACKED = key(6, I64);
export const PACKED = key(7, I64);
/** Where its data pages begin. */
export const PAGES = key(9, I64);
/** Where its dictionary begins. */
export const WORDS = key(11, I64);
export const STATISTICS = key(12, STRUCT);

// Of its statistics.
export const OLD_MOST = key(1, BINARY);
export const OLD_LEAST = key(2, BINARY);
export const NULLS = key(3, I64);
export const MOST = key(5, BINARY);
export const LEAST = key(6, BINARY);
