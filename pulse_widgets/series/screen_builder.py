"""Builds the screen of a stretch of time: envelopes of some series in equal buckets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.series.envelopes import (
    cut_at,
    extremes_of,
    mean_of,
    places_in,
    spread,
    sums_of,
)
from pulse_widgets.series.history import Screen
from pulse_widgets.series.rows import NO_STEP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pulse_widgets.series.envelopes import Envelopes

__all__ = ["BUCKETS", "ScreenBuilder"]

BUCKETS: Final = 300


class ScreenBuilder:
    """A screen that is filled series by series.

    Parameters
    ----------
    ids : sequence of int
        The series that will be added.
    start, end : int
        First and last moment, microseconds.
    buckets : int
    """

    def __init__(self, ids: Sequence[int], start: int, end: int, buckets: int = BUCKETS) -> None:
        self._buckets = buckets
        self._edges = np.linspace(start, max(end, start + self._buckets) + 1, self._buckets + 1)
        self._ids = np.array(ids, np.int32)
        self._line = {number: line for line, number in enumerate(ids)}
        self._low = np.full((len(ids), self._buckets), np.inf)
        self._high = np.full((len(ids), self._buckets), -np.inf)
        self._total = np.zeros((len(ids), self._buckets))
        self._weight = np.zeros((len(ids), self._buckets))
        self._missing = np.zeros((len(ids), self._buckets), np.bool_)
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
        """Add a series from all its rows, in display form.

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
        line, bounds = self._line[number], cut_at(self._edges, time)
        nothing = np.isnan(value)
        extremes = extremes_of(value, bounds[:-1], ~nothing)
        self._low[line], self._high[line] = extremes
        self._total[line], self._weight[line] = sums_of(value, bounds[:-1], ~nothing)
        if nothing.any():
            self._miss(line, time[nothing], np.append(time[1:], self._end)[nothing])
        if len(silent):
            self._miss(line, silent[:, 0], silent[:, 1])
        if len(value):
            self._last[line] = value[-1]
        known = np.flatnonzero(step != NO_STEP)
        if len(known):
            ends = np.searchsorted(known, bounds)
            there = ends[1:] > ends[:-1]
            steps = self._steps[number] = np.full(self._buckets, np.nan)
            steps[there] = step[known[ends[1:][there] - 1]]

    def draw_blocks(self, number: int, blocks: Envelopes, last: float) -> None:
        """Add a series from envelopes; a block that reaches several buckets stands in each.

        Its values count in each by the share of its time that lies there.

        Parameters
        ----------
        number : int
        blocks : Envelopes
        last : float
            The newest value; NaN where there is none.
        """
        line = self._line[number]
        there = blocks.count > 0
        spread(
            blocks.take(there),
            self._edges[:-1],
            (self._low[line], self._high[line]),
            (self._total[line], self._weight[line]),
        )
        # A block without values is a gap until the next block begins.
        until = np.append(blocks.start[1:], self._end)
        self._miss(line, blocks.start[~there], until[~there])
        self._last[line] = last if math.isfinite(last) else math.nan

    def screen(self) -> Screen:
        """Return the screen."""
        return Screen(
            self._ids,
            self._edges / 1e6,
            self._low,
            self._high,
            mean_of(self._total, self._weight, self._low, self._high),
            self._missing & (self._low > self._high),
            np.array(list(self._steps), np.int32),
            np.array(list(self._steps.values())).reshape(len(self._steps), self._buckets),
            self._last,
            self._weight,
        )

    @property
    def _end(self) -> int:
        return int(self._edges[-1])

    def _places(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        return places_in(self._edges[:-1], time)

    def _miss(self, line: int, start: NDArray[np.int64], end: NDArray[np.int64]) -> None:
        """Mark the buckets between start and end as missing; those with values stay as they are."""
        change = np.zeros(self._buckets + 1, np.int64)
        np.add.at(change, self._places(start), 1)
        np.add.at(change, self._places(end) + 1, -1)
        self._missing[line] |= np.cumsum(change)[:-1] > 0
