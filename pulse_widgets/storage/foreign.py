"""Finished files that another program wrote; nothing of ours but the rows is needed.

Such a file may have its rows in any order, its columns in any type that can hold them, and none
of our keys. Its index is made from the rows each time it is opened.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pulse_widgets.storage.arrow.convert import KEYS
from pulse_widgets.storage.arrow.foreign import ForeignReader
from pulse_widgets.storage.directory import RunInfo
from pulse_widgets.storage.index import group_index
from pulse_widgets.storage.limits import MOST_FOOTER, MOST_GROUP_BYTES
from pulse_widgets.storage.segment import ParquetSegment
from pulse_widgets.storage.untrusted import parse_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.storage.index import Entry
    from pulse_widgets.storage.parquet.seal import Footer

__all__ = ["ForeignSegment"]

_PIECE: Final = 1 << 20
_STALE: Final = (b"pulse.index", b"pulse.overview")
"""Keys that a program may have copied from the file it made this one of."""


class ForeignSegment(ParquetSegment):
    """A finished file of another program.

    Parameters
    ----------
    place : Place

    Raises
    ------
    RecordingError
        If its columns cannot be those of a recording, or it is damaged.
    FormatVersionError
        If it says that it has a newer format.
    """

    _reader: ForeignReader

    def run(self) -> RunInfo:
        """Return what the file says of its run; else what its rows and bytes say.

        Raises
        ------
        RecordingError
            If it says something that cannot be read.
        """
        if b"pulse.run" in self.marks:
            return RunInfo.decode(self.marks[b"pulse.run"], str(self.place))
        # The hash of the content is the same in every copy of the file, and in no other file.
        digest = hashlib.sha256()
        for first in range(0, self.file.size, _PIECE):
            digest.update(self.file.read_at(first, _PIECE))
        number = digest.hexdigest()[:32]
        return RunInfo(number, min((e.start for e in self.entries), default=0))

    @property
    def problems(self) -> Sequence[str]:
        """What could not be read so far, or had to be assumed, in sentences."""
        if self._reader.zoned:
            return super().problems
        return (*super().problems, f"The times in {self.name} have no zone: taken as UTC")

    def _open(self, *, keep: bool) -> ForeignReader:  # noqa: ARG002  it stays open
        return ForeignReader(self.file, MOST_FOOTER, MOST_GROUP_BYTES)

    def _require_own(self) -> None:
        self._check_version()
        self.marks = {name: held for name, held in self.marks.items() if name not in _STALE}
        if b"pulse.catalog" in self.marks:
            self.marks[b"pulse.catalog"] = _without_numbers(self.marks[b"pulse.catalog"])

    def _column_sums(self, footer: Footer) -> None:
        self._footer = footer  # its checksums are of other columns than ours

    def _read(self, group: int, names: Sequence[str]) -> tuple[Columns, None]:
        there = [name for name in names if name in self._footer.names]
        if self.sealed and self._footer.damaged(self.file, group, [*KEYS, *there]):
            raise ValueError("a row group does not match its checksums")
        whole = self._reader.read(group, names)
        if len(whole) != self._reader.group_rows(group):
            raise ValueError("a row group has other rows than its footer says")
        return whole, None

    def _index(self) -> list[Entry]:
        reader = self._reader
        entries: list[Entry] = []
        for group in range(reader.groups):
            found = group_index(reader, group)
            if reader.doubtful:
                # What cannot be read is found now: the file is refused, and no row is left out.
                reader.read(
                    group, tuple(dict.fromkeys(("time", "step", "value", *reader.doubtful)))
                )
            sizes = [reader.chunk_bytes(group, name) for name in ("text", "data")]
            rows = max(reader.group_rows(group), 1)
            for entry in found:
                text, data = (-(-size * entry.rows // rows) for size in sizes)
                entries.append(replace(entry, text_bytes=text, data_bytes=data))
        self._of: dict[SeriesKey, list[Entry]] = {}
        for entry in entries:
            self._of.setdefault(entry.key, []).append(entry)
        return entries

    def _chosen(self, keys: Sequence[SeriesKey]) -> list[Entry]:
        chosen = [entry for key in keys for entry in self._of.get(key, ())]
        return sorted(chosen, key=lambda e: (e.row_group, e.first_row))


def _without_numbers(text: bytes) -> bytes:
    """Return a catalog without facts by series number: in a copied catalog they may be wrong."""
    content: Any = parse_json(text)
    if isinstance(content, dict):
        content.pop("series", None)
    return json.dumps(content).encode()
