"""The notebook cells of a recording: the table of all, and the report of one."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pulse_widgets.errors import ArgumentError
from pulse_widgets.insight.cells import NEVER, Stretches, overlaps
from pulse_widgets.insight.spans import spans
from pulse_widgets.library.cell_numbers import NUMBERS, Numbers, numbers_of
from pulse_widgets.library.cell_report import CellReport, Facts
from pulse_widgets.library.tables import texts, times
from pulse_widgets.loading import PANDAS, load
from pulse_widgets.storage.merge import merged
from pulse_widgets.storage.segment import Want

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from pulse_widgets.library.selection import Chosen, Window
    from pulse_widgets.series.columns import Columns, SeriesKey
    from pulse_widgets.series.spans import Span
    from pulse_widgets.storage.reader import Stored

__all__ = ["CellBook"]

AROUND_S: Final = 120.0
"""Seconds of readings before and after a cell that say what is usual there, at least."""
AROUND_READINGS: Final = 32
LISTED_MOST: Final = 12
"""So many runs of execution counts are named at most where one is not found."""
METHODS: Final = ("energy_j", "pcie_rx", "pcie_tx")


@dataclass(frozen=True)  # without slots: it keeps what it has worked out
class CellBook:
    """The executions of a recording, or of a part of it, in order of their start.

    Attributes
    ----------
    stored : Stored
    chosen : tuple of Chosen
        The series that are selected.
    window : Window
        Of a cell that it cuts, the numbers are of the part inside.
    cells : list of (SeriesKey, Span)
    """

    stored: Stored
    chosen: tuple[Chosen, ...]
    window: Window
    cells: list[tuple[SeriesKey, Span]]

    @classmethod
    def of(cls, stored: Stored, chosen: tuple[Chosen, ...], window: Window) -> CellBook:
        """Return the executions that are selected."""
        keys = [c.key for c in chosen if c.key.metric == "cell" and c.stored_kind.paired]
        found = spans(merged(stored.segments, keys)) if window.steps is None else []
        inside = [pair for pair in found if _touches(window, pair[1])]
        return cls(stored, chosen, window, inside)

    def table(self) -> pd.DataFrame:
        """Return one row an execution."""
        load(*PANDAS)
        import pandas as pd

        held, numbers = [span for _, span in self.cells], self._numbers(range(len(self.cells)))
        counts = [span.facts.get("count") for span in held]
        known = [count if isinstance(count, int) else pd.NA for count in counts]
        columns: dict[str, Any] = {
            "cell": pd.array(known, dtype="Int64"),
            "host": [key.host for key, _ in self.cells],
            "start": times([span.start for span in held]),
            "end": times([span.end for span in held]),
            "seconds": np.array([span.seconds for span in held], np.float64),
            "status": texts([self._status(span) for span in held]),
            "line": texts([str(span.facts.get("line", "")) for span in held]),
            "error": texts([str(span.facts.get("error", "")) for span in held]),
        }
        for name in NUMBERS:
            columns[name] = numbers.total[name].value
            if name == "energy_j":
                columns["energy_error_j"] = numbers.total[name].error
                columns["energy_method"] = texts(numbers.method[name].tolist())
        beside = self._beside()
        columns["overlaps"] = texts([_named(beside.get(at, ())) for at in range(len(held))])
        return pd.DataFrame(columns)

    def find(self, which: int | str | None) -> CellReport:
        """Return the report of one execution, of the one that has ended last for None.

        Raises
        ------
        ArgumentError
            If there is none.
        """
        if which is None and self.cells:
            return self.last_ended()
        return self.report(self._place(-1 if which is None else which))

    def last_ended(self) -> CellReport:
        """Return the report of the execution that has ended last.

        Raises
        ------
        ArgumentError
            If none has.
        """
        ended = [(span.end, at) for at, (_, span) in enumerate(self.cells) if span.end is not None]
        if not ended:
            raise ArgumentError("No cell has ended yet", remedy="Run one, and ask again.")
        return self.report(max(ended)[1])

    def report(self, place: int) -> CellReport:
        """Return the report of the execution at a place in `cells`."""
        key, span = self.cells[place]
        numbers = self._numbers([place], each=True)
        count, cell_id = span.facts.get("count"), span.facts.get("cell_id")
        facts = Facts(
            cell=count if isinstance(count, int) else None,
            host=self.stored.catalog.host_name(key.host),
            line=str(span.facts.get("line", "")),
            cell_id=str(cell_id) if cell_id else None,
            status=self._status(span),
            error=str(span.facts.get("error", "")) or None,
            start_us=span.start,
            end_us=span.end,
            seconds=span.seconds if span.end is not None else self._end_of(span) - span.start / 1e6,
            overlaps=tuple(self._beside([place]).get(place, ())),
            simulated=bool(self.stored.run.about.get("simulated", False)),
        )
        before = self._previous(place)
        return CellReport(facts, numbers, None if before is None else lambda: self.report(before))

    # Which one --------------------------------------------------------------------------

    def _place(self, which: Any) -> int:
        if isinstance(which, np.integer):
            which = int(which)
        if isinstance(which, bool) or not isinstance(which, (int, str)):
            raise ArgumentError(
                f"{which!r} is no cell",
                remedy="Give its execution count, -1 for the last one, or the notebook's id of it.",
            )
        if isinstance(which, int) and which < 0 and -which <= len(self.cells):
            return len(self.cells) + which
        name = "cell_id" if isinstance(which, str) else "count"
        for place in range(len(self.cells) - 1, -1, -1):
            if self.cells[place][1].facts.get(name) == which:
                return place
        if not self.cells:
            raise ArgumentError(
                "No cell of a notebook was recorded",
                remedy="Cells are recorded in IPython, from the call of pw.monitor() on.",
            )
        raise ArgumentError(
            f"There is no cell {which!r} here", remedy=f"There {self._there(name)}."
        )

    def _there(self, name: str) -> str:
        told = [span.facts.get(name) for _, span in self.cells]
        if name == "count":
            runs = _runs(sorted({count for count in told if isinstance(count, int)}))
        else:
            runs = [repr(one) for one in dict.fromkeys(told) if one]
        if not runs:
            return "is none with such an id; give its count"
        more = [f"{len(runs) - LISTED_MOST} more"] if len(runs) > LISTED_MOST else []
        named = ", ".join([*runs[:LISTED_MOST], *more])
        return f"{'is' if len(set(told)) == 1 else 'are'} {named}"

    def _previous(self, place: int) -> int | None:
        """Return the execution of the same notebook cell before one; None where there is none."""
        key, span = self.cells[place]
        name = "cell_id" if span.facts.get("cell_id") else "line"
        wanted = span.facts.get(name)
        for at in range(place - 1, -1, -1):
            other_key, other = self.cells[at]
            if wanted and _owner(other_key) == _owner(key) and other.facts.get(name) == wanted:
                return at
        return None

    # The numbers ------------------------------------------------------------------------

    def _status(self, span: Span) -> str:
        if span.end is not None:
            return str(span.facts.get("status", "ok"))
        return "running" if self.stored.running else "unfinished"

    def _end_of(self, span: Span) -> float:
        return max(self._last(), span.start) / 1e6

    def _last(self) -> int:
        return max((extent.end for extent in self.stored.extents.values()), default=0)

    def _stretches(self, places: Sequence[int]) -> Stretches:
        """Return when executions ran, as far as that lies in the window and was recorded."""
        last, chosen = self._last(), [self.cells[place][1] for place in places]
        start = np.array([span.start for span in chosen], np.int64)
        end = np.array([last if span.end is None else span.end for span in chosen], np.int64)
        if self.window.start is not None:
            start = np.maximum(start, self.window.start)
        if self.window.end is not None:
            end = np.minimum(end, self.window.end)
        end = np.maximum(end, start)
        following = np.full(len(end), NEVER)
        for place, (at, until) in enumerate(zip(places, end.tolist(), strict=True)):
            starts = self._starts[self.cells[at][0].host]
            later = bisect_left(starts, until)
            if later < len(starts):
                following[place] = starts[later]
        return Stretches(start, end, following)

    @cached_property
    def _starts(self) -> dict[str, list[int]]:
        """When the executions on each host began, in order."""
        starts: dict[str, list[int]] = {}
        for key, span in self.cells:
            starts.setdefault(key.host, []).append(span.start)
        return {host: sorted(held) for host, held in starts.items()}

    def _numbers(self, places: Sequence[int], *, each: bool = False) -> Numbers:
        cells = self._stretches(places)
        owners = [_owner(self.cells[at][0]) for at in places]
        interval = float(self.stored.run.about.get("interval") or 1.0)
        around = round(max(AROUND_S, AROUND_READINGS * interval) * 1e6)
        want = Want(payload=False)
        if len(cells) == 1:
            want = Want(int(cells.start[0]) - around, int(cells.end[0]) + around, payload=False)

        def read(some: Sequence[Chosen]) -> Iterator[tuple[Chosen, Columns]]:
            by_key = {one.key: one for one in some}
            for key, columns in merged(self.stored.segments, list(by_key), want):
                yield by_key[key], columns

        return numbers_of(owners, cells, self.chosen if len(cells) else (), read, each=each)

    def _beside(self, asked: Sequence[int] = ()) -> dict[int, list[Any]]:
        """Return for executions the counts of those of the same process that ran beside them.

        Parameters
        ----------
        asked : sequence of int
            Which are meant; none is all of them.
        """
        stretches = self._stretches(range(len(self.cells)))
        near = np.arange(len(self.cells))
        for at in asked:
            near = near[
                (stretches.start < stretches.end[at]) & (stretches.end > stretches.start[at])
            ]
        by_owner: dict[tuple[str, str], list[int]] = {}
        for at in near.tolist():
            by_owner.setdefault(_owner(self.cells[at][0]), []).append(at)
        found: dict[int, list[Any]] = {}
        for held in by_owner.values():
            places = np.array(held, np.int64)
            for at, others in zip(held, overlaps(stretches.take(places)), strict=True):
                if others:
                    found[at] = [self.cells[held[one]][1].facts.get("count") for one in others]
        return found


def _named(counts: Sequence[Any]) -> str:
    return ", ".join(map(str, counts))


def _owner(key: SeriesKey) -> tuple[str, str]:
    """Return host and process of a cell; in older recordings each cell has an entity of its own."""
    return key.host, "kernel" if key.entity.startswith("cell:") else key.entity


def _touches(window: Window, span: Span) -> bool:
    """Return whether a part of a cell lies in a window."""
    before = window.end is not None and span.start >= window.end
    after = window.start is not None and span.end is not None and span.end < window.start
    return not before and not after


def _runs(numbers: Sequence[int]) -> list[str]:
    """Return ascending numbers as runs: ``1 to 4``, ``7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [str(a) if a == b else f"{a} to {b}" for a, b in runs]
