"""The fields of `parquet.thrift` that matter here, by what they are called in a `Struct`."""

from __future__ import annotations

from typing import Final

from pulse_widgets.storage.parquet.thrift import BINARY, I32, I64, LIST, STRUCT, key

# Of a file.
VERSION: Final = key(1, I32)
SCHEMA: Final = key(2, LIST)
ROWS: Final = key(3, I64)
GROUPS: Final = key(4, LIST)
ENCRYPTED: Final = {key(8, STRUCT), key(9, BINARY)}
"""How the footer is encrypted, or signed."""

# Of an element of the schema.
KIND: Final = key(1, I32)
WIDTH: Final = key(2, I32)
REPETITION: Final = key(3, I32)
NAME: Final = key(4, BINARY)
CHILDREN: Final = key(5, I32)

# Of a row group.
COLUMNS: Final = key(1, LIST)
GROUP_BYTES: Final = key(2, I64)
GROUP_ROWS: Final = key(3, I64)

# Of a column of a row group.
CHUNK_OFFSET: Final = key(2, I64)
"""Required, and of no use any more: 0."""
CHUNK: Final = key(3, STRUCT)
INDEX_OFFSET: Final = key(4, I64)
INDEX_LENGTH: Final = key(5, I32)
ELSEWHERE: Final = {key(1, BINARY), key(8, STRUCT), key(9, BINARY)}
"""Another file that it lies in, and how it is encrypted."""

# Of the chunk itself.
CHUNK_KIND: Final = key(1, I32)
ENCODINGS: Final = key(2, LIST)
PATH: Final = key(3, LIST)
CODEC: Final = key(4, I32)
VALUES: Final = key(5, I64)
UNPACKED: Final = key(6, I64)
PACKED: Final = key(7, I64)
PAGES: Final = key(9, I64)
"""Where its data pages begin."""
WORDS: Final = key(11, I64)
"""Where its dictionary begins."""
STATISTICS: Final = key(12, STRUCT)
PAGE_COUNTS: Final = key(13, LIST)
SIZES: Final = key(16, STRUCT)

# Of its statistics: least and greatest value, in fields old and new.
BOUNDS: Final = {key(number, BINARY) for number in (1, 2, 5, 6)}

# Of its statistics of sizes: bytes of text, and histograms of the levels.
TEXT_BYTES: Final = key(1, I64)
HISTOGRAMS: Final = (key(2, LIST), key(3, LIST))

# Of the statement of how many of its pages have a type and an encoding.
PAGE_TYPE: Final = key(1, I32)
PAGE_ENCODING: Final = key(2, I32)
PAGE_COUNT: Final = key(3, I32)
