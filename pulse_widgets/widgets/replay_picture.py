"""The picture of a whole recording: envelopes of many series in equal buckets of time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.library.answers import places_in, spread
from pulse_widgets.series.history import Screen
from pulse_widgets.series.rows import NO_STEP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pulse_widgets.storage.cells import Cells

__all__ = ["BUCKETS", "Picture"]

BUCKETS: Final = 300


class Picture:
    """A screen that is being drawn.

    Parameters
    ----------
    ids : sequence of int
        The series that will be drawn.
    start, end : int
        First and last moment, microseconds.
    """

    def __init__(self, ids: Sequence[int], start: int, end: int) -> None:
        self._edges = np.linspace(start, max(end, start + BUCKETS) + 1, BUCKETS + 1)
        self._ids = np.array(ids, np.int32)
        self._line = {number: line for line, number in enumerate(ids)}
        self._low = np.full((len(ids), BUCKETS), np.inf)
        self._high = np.full((len(ids), BUCKETS), -np.inf)
        self._missing = np.zeros((len(ids), BUCKETS), np.bool_)
        self._last = np.full(len(ids), np.nan)
        self._steps: dict[int, NDArray[np.float64]] = {}

    def draw_rows(
        self,
        number: int,
        time: NDArray[np.int64],
        value: NDArray[np.float64],
        step: NDArray[np.int64],
        silent: NDArray[np.int64],
    ) -> None:
        """Draw a series from all its rows, in display form.

        Parameters
        ----------
        number : int
        time : (n,) int64
        value : (n,) float64
            NaN from where a reading is missing to the next row.
        step : (n,) int64
        silent : (k, 2) int64
            Begin and end of every silence.
        """
        line = self._line[number]
        place, nothing = self._places(time), np.isnan(value)
        np.minimum.at(self._low[line], place, np.where(nothing, np.inf, value))
        np.maximum.at(self._high[line], place, np.where(nothing, -np.inf, value))
        self._miss(line, time[nothing], np.append(time[1:], self._end)[nothing])
        self._miss(line, silent[:, 0], silent[:, 1])
        if len(value):
            self._last[line] = value[-1]
        known = step != NO_STEP
        if known.any():
            steps = self._steps[number] = np.full(BUCKETS, np.nan)
            steps[place[known]] = step[known]

    def draw_cells(self, number: int, cells: Cells, last: float) -> None:
        """Draw a series from its cells; one that reaches several buckets stands in each.

        Parameters
        ----------
        number : int
        cells : Cells
        last : float
            The newest value; NaN where there is none.
        """
        line = self._line[number]
        there = cells.count > 0
        filled = cells.take(there)
        places = self._places(filled.start), self._places(filled.end)
        spread(filled, *places, (self._low[line], self._high[line]))
        # Nothing is known from a cell without values until the next cell begins.
        until = np.append(cells.start[1:], self._end)
        self._miss(line, cells.start[~there], until[~there])
        self._last[line] = last if math.isfinite(last) else math.nan

    def screen(self) -> Screen:
        """Return what was drawn."""
        return Screen(
            self._ids,
            self._edges / 1e6,
            self._low,
            self._high,
            self._missing & (self._low > self._high),
            np.array(list(self._steps), np.int32),
            np.array(list(self._steps.values())).reshape(len(self._steps), BUCKETS),
            self._last,
        )

    @property
    def _end(self) -> int:
        return int(self._edges[-1])

    def _places(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        return places_in(self._edges[:-1], time)

    def _miss(self, line: int, start: NDArray[np.int64], end: NDArray[np.int64]) -> None:
        """Note stretches in which readings are missing; buckets with values are not missing."""
        change = np.zeros(BUCKETS + 1, np.int64)
        np.add.at(change, self._places(start), 1)
        np.add.at(change, self._places(end) + 1, -1)
        self._missing[line] |= np.cumsum(change)[:-1] > 0
