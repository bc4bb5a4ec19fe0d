"""Which series have a line in the grids of a history, and the newest value of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pulse_widgets.series.grid import extended

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Lines"]


class Lines:
    """The numbers that series have inside a history.

    Many ids are of text, and never drawn: a series gets a line when its first row arrives.

    Attributes
    ----------
    line : (ids,) int32
        Id to line, -1 where there is none.
    place : (lines,) int32
        Line to its place among those with steps, -1 where it has none.
    last : (lines,) float64
        Newest value, NaN where that reading is missing.
    last_us : (lines,) int64
        Its time.
    count, stepped : int
        Lines, and those with steps.
    """

    def __init__(self) -> None:
        self.line = np.zeros(0, np.int32)
        self.place = np.zeros(0, np.int32)
        self.last = np.zeros(0)
        self.last_us = np.zeros(0, np.int64)
        self.count = self.stepped = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(a.nbytes for a in (self.line, self.place, self.last, self.last_us))

    def of(self, series: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the line of each row; series that are new get theirs."""
        self.line = extended(self.line, int(series.max()) + 1, -1)
        lines = self.line[series]
        if lines.min() < 0:
            fresh = np.unique(series[lines < 0])
            self.line[fresh] = np.arange(self.count, self.count + len(fresh))
            self.count += len(fresh)
            self.place = extended(self.place, self.count, -1)
            self.last = extended(self.last, self.count, np.nan)
            self.last_us = extended(self.last_us, self.count, np.iinfo(np.int64).min)
            lines = self.line[series]
        return lines.astype(np.int64)

    def give_steps(self, lines: NDArray[np.int64]) -> None:
        """Give these lines a place for their steps, if they have none yet."""
        fresh = np.unique(lines[self.place[lines] < 0])
        self.place[fresh] = np.arange(self.stepped, self.stepped + len(fresh))
        self.stepped += len(fresh)

    def note(
        self, lines: NDArray[np.int64], time: NDArray[np.int64], value: NDArray[np.float64]
    ) -> None:
        """Take in the values of rows that are sorted by time."""
        # Of equal times the later arrival counts; numpy keeps the last of what is assigned twice.
        newer = time >= self.last_us[lines]
        self.last[lines[newer]] = value[newer]
        self.last_us[lines[newer]] = time[newer]

    def retire(self, gone: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Let go of some lines; return the old numbers of the lines and the places that stay."""
        stay = np.flatnonzero(~gone)
        fresh = np.where(gone, -1, np.cumsum(~gone) - 1).astype(np.int32)
        used = self.line >= 0
        self.line[used] = fresh[self.line[used]]
        place = self.place[stay]
        stepped = place >= 0
        places = place[stepped].astype(np.int64)
        place[stepped] = np.arange(len(places))
        self.place, self.last, self.last_us = place, self.last[stay], self.last_us[stay]
        self.count, self.stepped = len(stay), len(places)
        return stay, places
