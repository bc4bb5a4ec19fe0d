"""How large row groups and files are written, and the most that a reader accepts.

Two shapes: a row of the *journal* names its series by a number; a *tidy* row, of parts and of
the finished file, names it by host, entity and metric.
"""

from __future__ import annotations

from typing import Final

__all__ = ["GROUP", "LONG"]

LONG: Final = 16_384
"""Rows from which a series has row groups of its own."""

GROUP: Final = 131_072
"""Rows a row group holds at most."""

TEXT_BYTES: Final = 8 << 20
"""Text a row group holds, unless one row alone has more."""

DATA_BYTES: Final = 1 << 20
DATA_GROUPS: Final = 2000

# What a reader accepts, far above what a writer makes. Checked before anything is decoded.
MOST_FOOTER: Final = 256 << 20
MOST_GROUP_ROWS: Final = 16 << 20
MOST_GROUP_BYTES: Final = 4 << 30
MOST_TABLE_ROWS: Final = 50_000_000
MOST_JOURNAL: Final = 256 << 20
MOST_BATCH: Final = 256 << 20
"""Bytes a batch of a journal unpacks to."""
MOST_BATCHES: Final = 512 << 20
"""Bytes a whole journal unpacks to."""
