"""Arrivals in the order they came: blocks of columns, and a cursor for each consumer.

`Rows` is the one shape in which samples travel inside the process: the samplers make
them, the journal writes them, the feed sends them. A `Registry` gives every series
(host, entity, metric) its small integer id. A `Log` holds blocks of rows until every
consumer has taken them.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.errors import PulseError
from pulse_widgets.metrics.kinds import GAUGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["NO_STEP", "Cursor", "Log", "Registry", "Rows", "SeriesInfo"]

NO_STEP: Final = -(2**63)
"""The step of a row that has none."""

NEW_SERIES_A_MINUTE: Final = 10_000
LABELS_A_SERIES: Final = 16

BLOCK_BYTES: Final = 16 << 20
"""Bytes a block of the log has at most, unless one row alone has more."""

_ROW_BYTES: Final = 28


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """One series: what it is about, and in which unit.

    Attributes
    ----------
    id : int
        Its int32 number in this process.
    host, entity, metric : str
        The key. `metric` is the stored form: ``cpu.user.total`` for a counter.
    unit : str
        A unit of the catalog.
    kind : str
        ``gauge``, ``counter``, ``state``, ``span``, ``text`` or ``media``.
    labels : mapping of str to str
        At most 16.
    """

    id: int
    host: str
    entity: str
    metric: str
    unit: str = ""
    kind: str = GAUGE.stored
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rows:
    """Samples as columns, in arrival order.

    Attributes
    ----------
    series : (n,) int32
    time : (n,) int64
        Microseconds since the epoch, on the session's clock.
    step : (n,) int64
        `NO_STEP` where there is none.
    value : (n,) float64
        NaN where the row has no number: a missing reading, or a row that carries text.
    text : sequence of str, or None
        None when every text is empty.
    data : sequence of bytes, or None
        None when every payload is empty.
    """

    series: NDArray[np.int32]
    time: NDArray[np.int64]
    step: NDArray[np.int64]
    value: NDArray[np.float64]
    text: Sequence[str] | None = None
    data: Sequence[bytes] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.series)

    @property
    def nbytes(self) -> int:
        """Bytes held by the columns; of a text its letters."""
        texts = sum(map(len, self.text)) if self.text is not None else 0
        blobs = sum(map(len, self.data)) if self.data is not None else 0
        return _ROW_BYTES * len(self) + texts + blobs

    def cut(self, first: int, end: int) -> Rows:
        """Return the rows from `first` to `end`, exclusive."""
        part = slice(first, end)
        text = None if self.text is None else self.text[part]
        data = None if self.data is None else self.data[part]
        return Rows(
            self.series[part], self.time[part], self.step[part], self.value[part], text, data
        )

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64] | list[int]) -> Rows:
        """Return the rows at some places, or those under a mask."""
        text, data = self.text, self.data
        if text is not None or data is not None:
            places = np.arange(len(self))[chosen].tolist()
            text = None if text is None else [text[place] for place in places]
            data = None if data is None else [data[place] for place in places]
        series, time, step = self.series[chosen], self.time[chosen], self.step[chosen]
        return Rows(series, time, step, self.value[chosen], text, data)

    def split(self, most_bytes: int) -> list[Rows]:
        """Return the rows in pieces of at most so many bytes; a row that has more is alone."""
        if self.nbytes <= most_bytes:
            return [self]
        sizes = np.full(len(self), _ROW_BYTES, np.int64)
        for column in (self.text, self.data):
            if column is not None:
                sizes += np.fromiter(map(len, column), np.int64, len(self))
        ends, pieces, first = np.cumsum(sizes), list[Rows](), 0
        while first < len(self):
            taken = ends[first - 1] if first else 0
            end = int(np.searchsorted(ends, taken + most_bytes, "right"))
            end = max(end, first + 1)
            pieces.append(self.cut(first, end))
            first = end
        return pieces

    @classmethod
    def of(  # noqa: PLR0913, PLR0917  one argument a column, in the order of the format
        cls,
        series: Sequence[int] | NDArray[np.int32],
        time: Sequence[int] | NDArray[np.int64],
        value: Sequence[float] | NDArray[np.float64],
        step: Sequence[int] | NDArray[np.int64] | None = None,
        text: Sequence[str] | None = None,
        data: Sequence[bytes] | None = None,
    ) -> Rows:
        """Return rows from sequences of equal length; steps default to none."""
        ids = np.asarray(series, np.int32)
        steps = np.full(len(ids), NO_STEP, np.int64) if step is None else np.asarray(step, np.int64)
        values = np.asarray(value, np.float64)
        return cls(ids, np.asarray(time, np.int64), steps, values, text, data)

    @classmethod
    def concat(cls, blocks: Sequence[Rows]) -> Rows:
        """Return the rows of all blocks, in order."""
        if len(blocks) == 1:
            return blocks[0]
        if not blocks:
            return cls.of([], [], [])
        text: list[str] | None = None
        data: list[bytes] | None = None
        if any(b.text is not None for b in blocks):
            text = [t for b in blocks for t in (b.text if b.text is not None else [""] * len(b))]
        if any(b.data is not None for b in blocks):
            data = [d for b in blocks for d in (b.data if b.data is not None else [b""] * len(b))]
        return cls(
            np.concatenate([b.series for b in blocks]),
            np.concatenate([b.time for b in blocks]),
            np.concatenate([b.step for b in blocks]),
            np.concatenate([b.value for b in blocks]),
            text,
            data,
        )


class Registry:
    """Gives each series its id, and says which series are new since a given id."""

    def __init__(self) -> None:
        # Taken again by a signal handler, or a finalizer, that logs what is new.
        self._lock = threading.RLock()
        self._ids: dict[tuple[str, str, str], int] = {}
        self._infos: list[SeriesInfo] = []
        self._owners: dict[int, str] = {}
        self._minute = 0.0
        self._new_this_minute = 0
        self.refused = 0

    def __len__(self) -> int:
        """Return the number of series; ids are 0 to this, exclusive."""
        return len(self._infos)

    def __getitem__(self, series: int) -> SeriesInfo:
        """Return what is known of a series."""
        return self._infos[series]

    def find(self, host: str, entity: str, metric: str) -> int | None:
        """Return the id of a series, or None when nobody announced it."""
        return self._ids.get((host, entity, metric))

    def add(  # noqa: PLR0913  one argument a field of the key and the series
        self,
        host: str,
        entity: str,
        metric: str,
        *,
        unit: str = "",
        kind: str = GAUGE.stored,
        labels: Mapping[str, str] | None = None,
        limited: bool = False,
        owner: str = "",
    ) -> int:
        """Return the id of a series, announcing it when it is new.

        Parameters
        ----------
        limited : bool
            Only so many may be new in a minute; an owner's are limited, too.
        owner : str
            The source that alone may fill it; empty where several may.

        Raises
        ------
        PulseError
            When a series has more than 16 labels, a name that cannot be written, belongs to
            another source, or is `limited` and number 10 001 of its sort within a minute.
        """
        key = (host, entity, metric)
        found = self._ids.get(key)
        if found is not None:
            if owner and self._owners.get(found) != owner:
                raise _taken(key, self._owners.get(found, ""))
            return found
        few = limited or bool(owner)
        with self._lock:
            made = self._announce(key, unit, kind, dict(labels or {}), limited=few)
            if owner and (holds := self._owners.setdefault(made, owner)) != owner:
                raise _taken(key, holds)
            return made

    def since(self, first: int) -> list[SeriesInfo]:
        """Return the series whose id is `first` or more, in order of id."""
        return self._infos[first:]

    def _announce(
        self,
        key: tuple[str, str, str],
        unit: str,
        kind: str,
        labels: dict[str, str],
        *,
        limited: bool,
    ) -> int:
        if key in self._ids:
            return self._ids[key]
        if len(labels) > LABELS_A_SERIES:
            raise PulseError(
                f"{key[2]!r} has {len(labels)} labels; a series has at most {LABELS_A_SERIES}",
                remedy="Keep the labels that tell series apart and put the rest into pw.config().",
            )
        _require_names(*key, unit, kind, *labels, *labels.values())
        if limited:
            self._count(key[2])
        while key not in self._ids:
            number = len(self._infos)
            info = SeriesInfo(number, *key, unit, kind, labels)
            # Unless somebody was faster on this very thread: a signal handler, a finalizer.
            if len(self._infos) == number:
                self._infos.append(info)
                self._ids[key] = number
        return self._ids[key]

    def _count(self, metric: str) -> None:
        now = time.monotonic()
        if now - self._minute >= 60:  # noqa: PLR2004
            self._minute, self._new_this_minute = now, 0
        if self._new_this_minute >= NEW_SERIES_A_MINUTE:
            self.refused += 1
            raise PulseError(
                f"{metric!r} would be series number {NEW_SERIES_A_MINUTE + 1} within a minute",
                remedy="Use a fixed set of keys; put what varies into the value, not into the key.",
            )
        self._new_this_minute += 1


def _taken(key: tuple[str, str, str], owner: str) -> PulseError:
    return PulseError(
        f"{key[2]!r} of {key[1]!r} comes from {owner or 'the monitor itself'} already",
        remedy="Leave one of the two sources out, or give the entities of one of them other names.",
    )


def _require_names(*names: object) -> None:
    """Refuse what no file can hold, for the sake of everything that is recorded beside it."""
    for name in names:
        if isinstance(name, str):
            try:
                name.encode()
            except UnicodeEncodeError:
                pass
            else:
                continue
        raise PulseError(
            f"{name!r} cannot be a name of a series: it is no text that can be written",
            remedy="Use plain text for the names of entities, metrics, units and labels.",
        )


class Cursor:
    """One consumer's place in a `Log`; made by `Log.cursor`."""

    def __init__(self, log: Log, position: int) -> None:
        self._log = log
        self.position = position

    def take(self) -> Rows:
        """Return everything that arrived since the last call, possibly no rows."""
        blocks, self.position = self._log.after(self.position)
        self._log.trim()
        return Rows.concat(blocks)

    def peek(self) -> list[Rows]:
        """Return the blocks not yet taken, without moving."""
        return self._log.after(self.position)[0]

    def move(self, blocks: int) -> None:
        """Step over the first `blocks` blocks that `peek` returned."""
        self.position += blocks
        self._log.trim()

    def close(self) -> None:
        """Stop holding back rows for this consumer."""
        self._log.forget(self)


class Log:
    """Blocks of rows in arrival order, kept until every cursor has passed them.

    A block's number is its place since the start of the session; a cursor is one integer.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._blocks: list[Rows] = []
        self._first = 0
        self._cursors: list[Cursor] = []
        self.rows = 0
        self.nbytes = 0
        """Bytes of the blocks still held."""

    def append(self, rows: Rows) -> None:
        """Add a block, a large one in pieces; an empty one is not kept."""
        if not len(rows):
            return
        # A block is written in one piece, and lost in one piece where a disk is torn.
        pieces = rows.split(BLOCK_BYTES)
        count, nbytes = len(rows), sum(piece.nbytes for piece in pieces)
        with self._lock:
            self._blocks.extend(pieces)
            self.rows += count
            self.nbytes += nbytes

    def extend(self, blocks: Iterable[Rows]) -> None:
        """Add blocks in order."""
        for rows in blocks:
            self.append(rows)

    def cursor(self) -> Cursor:
        """Return a cursor that starts at the oldest block still held."""
        with self._lock:
            made = Cursor(self, self._first)
            self._cursors.append(made)
            return made

    def after(self, position: int) -> tuple[list[Rows], int]:
        """Return the blocks from `position` on, and the position after them."""
        with self._lock:
            end = self._first + len(self._blocks)
            return self._blocks[max(position - self._first, 0) :], end

    def trim(self) -> None:
        """Drop the blocks that every cursor has passed."""
        with self._lock:
            if not self._cursors:
                return
            slowest = min(c.position for c in self._cursors)
            if slowest > self._first:
                self.nbytes -= sum(rows.nbytes for rows in self._blocks[: slowest - self._first])
                del self._blocks[: slowest - self._first]
                self._first = slowest

    def forget(self, cursor: Cursor) -> None:
        """Stop holding blocks back for `cursor`."""
        with self._lock:
            if cursor in self._cursors:
                self._cursors.remove(cursor)
        self.trim()
