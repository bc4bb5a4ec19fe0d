"""Finds what of a screen fits into a room, with few packings.

`js/core/still/search.ts` is its twin.

Packing thousands of series takes long. So each search begins where an estimate, from the packet of
a few series, says that it ends; and what is far too large by the estimate is never packed.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    Groups: TypeAlias = Sequence[Sequence[int]]

__all__ = ["what_fits"]

TRIAL: Final = 48
"""So many series tell about what each of all takes."""
FAR: Final = 1.5
"""What by the estimate is so much more than the room is not tried."""
PACKINGS: Final = 8
"""So often it is tried how many groups fit, at most."""


def what_fits(
    groups: Groups, room: int, limits: tuple[int, int, int], size: Callable[[list[int], int], int]
) -> tuple[list[int], int]:
    """Return which series fit into a room, and with which detail.

    Parameters
    ----------
    groups : sequence of sequences of int
        Ids of series, the most important first; a group is kept as a whole or not at all.
    room : int
        Bytes.
    limits : three int
        How many groups are seen first; with how many details, the finest ones, every series is
        tried; how many details there are. With others than the last all that are seen first fit.
    size : callable
        The bytes of a packet of some series with a detail, from 0 for the finest.
    """
    first, with_all, details = limits
    every = _Search(groups, room, size)
    detail = every.first_detail(len(groups), 0, with_all)
    if detail < with_all:
        return every.ids(len(groups)), detail
    last = details - 1
    fitting = [not every.alone_too_large(group, last) for group in groups]
    rest = _Search([g for g, fits in zip(groups, fitting, strict=True) if fits], room, size)
    first = sum(fitting[:first])
    detail = rest.first_detail(first, with_all - 1, last)
    count = rest.most_groups(detail, first if detail < last else 0)
    while not count and rest.groups:
        if detail < last:
            detail += 1
        else:
            # The estimate did not see that the first one is too large.
            rest = _Search(rest.groups[1:], room, size)
        count = rest.most_groups(detail, 0)
    return rest.ids(count), detail


class _Search:
    def __init__(self, groups: Groups, room: int, size: Callable[[list[int], int], int]) -> None:
        self.groups, self._room, self._packed = groups, room, size
        self._series = [0, *accumulate(map(len, groups))]
        self._size = cache(lambda count, detail: size(self.ids(count), detail))
        self._bare = cache(lambda: size([], 0))
        self._each = cache(self._each_with)

    def ids(self, count: int) -> list[int]:
        return [number for group in self.groups[:count] for number in group]

    def _each_with(self, detail: int) -> float:
        """Return about how many bytes a series takes."""
        ids = self.ids(len(self.groups))
        some = ids[:: max(-(-len(ids) // TRIAL), 1)]
        return (self._packed(some, detail) - self._bare()) / max(len(some), 1)

    def _guess(self, series: int, detail: int) -> float:
        return self._bare() + self._each(detail) * series

    def first_detail(self, count: int, start: int, end: int) -> int:
        """Return the first detail from `start` with which so many groups fit, or `end`."""
        series, detail = self._series[count], start
        while detail < end and self._guess(series, detail) > self._room * FAR:
            detail += 1
        passed = detail
        while detail < end and self._size(count, detail) > self._room:
            detail += 1
        if detail == end or detail > passed:
            return detail
        # Where less was needed than guessed, a finer one may do.
        less = self._size(count, detail) / self._guess(series, detail)
        while (
            detail > start
            and self._guess(series, detail - 1) * less <= self._room
            and self._size(count, detail - 1) <= self._room
        ):
            detail -= 1
        return detail

    def alone_too_large(self, group: Sequence[int], detail: int) -> bool:
        """Whether a group does not fit, although all others are left out."""
        guess = self._guess(len(group), detail)
        if self._room < guess * 2 < self._room * 8:
            return self._packed(list(group), detail) > self._room
        return guess > self._room

    def most_groups(self, detail: int, low: int) -> int:
        """Return how many groups fit, or nearly as many, where `low` do."""
        if low == len(self.groups):
            return low
        room, series, high = self._room, self._series, len(self.groups) + 1
        have = self._size(low, detail) if low else self._bare()
        each = max(self._each(detail), 1.0)
        for _ in range(PACKINGS):
            if high - low <= 1:
                break
            wanted = series[low] + (room - have) / each
            guess = sum(count <= wanted for count in series) - 1
            at = min(max(guess, low + 1), high - 1)
            size = self._size(at, detail)
            each = max((size - have) / max(series[at] - series[low], 1), 1.0)
            if size > room:
                high = at
            else:
                low, have = at, size
        return low
