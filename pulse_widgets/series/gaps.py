"""Where the rows of a series break: at a missing reading, and at a silence.

Between two breaks lies a *run*. Nothing that sums rows up may reach across a break: an outage
would be drawn over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.metrics.entities import is_users
from pulse_widgets.metrics.kinds import kind_stored_as
from pulse_widgets.series.columns import missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Gaps", "gaps_of", "is_sampled", "silences"]

LEAST_SILENCE_US: Final = 1_000_000
MANY: Final = 8
"""A silence is longer than so many of the usual spacings."""
USUAL_PERCENT: Final = 95
"""This share of all spacings counts as usual in the whole series."""
NEAR: Final = 8
"""So many spacings on each side say what is usual nearby."""
LEAST_SPACINGS: Final = 15
"""Of fewer spacings nobody can say what is usual."""
_AT_ONCE: Final = 65_536
_NONE: Final = np.zeros(0, np.int64)


def is_sampled(kind: str, entity: str) -> bool:
    """Return whether rows come at a rate, so that a silence means that readings are missing.

    What a user logs comes when it comes, and a state holds until the next.
    """
    return kind_stored_as(kind).sampled and not is_users(entity)


def silences(time: NDArray[np.int64], absent: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the places of the rows before which there is a silence.

    A silence is a spacing between a row and the next that is longer than

    - one second,
    - 8 times the spacing with the place 95 (m - 1) // 100, counted from 0, among all m in
      ascending order,
    - 8 times the median of the 8 spacings before it, and of the 8 after it: the smaller middle
      one of an even number; of fewer than 8 where there are no more. So a series that is read
      more rarely from some moment on has no silences.

    A spacing after a missing reading is a gap already and does not count, as a spacing or as a
    neighbour. A series with fewer than 15 spacings has no silences.

    Parameters
    ----------
    time : (n,) int64
        Microseconds, in order.
    absent : (n,) bool
        Where a reading is missing.
    """
    if len(time) <= LEAST_SPACINGS:
        return _NONE
    spacing, places = np.diff(time), None
    if absent[:-1].any():
        places = np.flatnonzero(~absent[:-1])
        spacing = spacing[places]
    if len(spacing) < LEAST_SPACINGS:
        return _NONE
    found = _long(spacing)
    if len(found):
        parts = range(0, len(found), _AT_ONCE)
        found = np.concatenate([_lonely(spacing, found[k : k + _AT_ONCE]) for k in parts])
    return (found if places is None else places[found]) + 1


def _long(spacing: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which spacings are long beside all of the series."""
    longest = int(spacing.max())
    rank = USUAL_PERCENT * (len(spacing) - 1) // 100
    # Rows are nearly always in order, and checking that is faster than sorting.
    if longest <= LEAST_SILENCE_US or (spacing <= (longest - 1) // MANY).sum() <= rank:
        return _NONE
    usual = int(np.partition(spacing, rank)[rank])
    return np.flatnonzero(spacing > max(MANY * usual, LEAST_SILENCE_US))


def _lonely(spacing: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which of the spacings `found` are long beside their neighbours."""
    usual = np.zeros(len(found), np.int64)
    for offsets in (np.arange(-NEAR, 0), np.arange(1, NEAR + 1)):
        near = found[:, None] + offsets
        there = (near >= 0) & (near < len(spacing))
        beside = np.where(
            there, spacing[np.clip(near, 0, len(spacing) - 1)], np.iinfo(np.int64).max
        )
        beside.sort(axis=1)
        middle = np.maximum(there.sum(axis=1) - 1, 0) // 2
        median = beside[np.arange(len(found)), middle]
        usual = np.maximum(usual, np.where(there.any(axis=1), median, 0))
    # The same as spacing > MANY * usual, where no product can overflow.
    return found[(spacing[found] - 1) // MANY >= usual]


@dataclass(frozen=True, slots=True)
class Gaps:
    """Where the n rows of one series break.

    Attributes
    ----------
    absent : (n,) bool
        The rows that say that a reading is missing, from their time to the next row.
    silent : (k,) int64
        The rows before which there is a silence.
    """

    absent: NDArray[np.bool_]
    silent: NDArray[np.int64]


def gaps_of(
    time: NDArray[np.int64],
    value: NDArray[np.float64],
    kind: str,
    entity: str,
    worded: NDArray[np.bool_] | None = None,
) -> Gaps:
    """Return where the rows of one series break.

    Parameters
    ----------
    time : (n,) int64
        Microseconds, in order.
    value : (n,) float64
        As it is stored; see `missing`.
    kind, entity : str
    worded : (n,) bool, optional
        The rows that have a word in the place of a number, and so are not missing.
    """
    absent = missing(value)
    if worded is not None:
        absent &= ~worded
    return Gaps(absent, silences(time, absent) if is_sampled(kind, entity) else _NONE)
