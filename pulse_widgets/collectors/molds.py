"""What the readings of each shape of record become, learned once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.series.grid import extended
from pulse_widgets.series.rows import NO_STEP

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

__all__ = ["MOLDS_KEPT", "SHAPES_KEPT", "Molds", "Shape"]

MOLDS_KEPT: Final = 4096
"""Shapes of records remembered; processes come and go, and each is an entity."""
SHAPES_KEPT: Final = 64
"""Shapes of passes remembered; a source has a handful, and bursts of samples make more."""


class Molds:
    """What the readings of each shape of record become; every field is a known number.

    All molds lie in the same columns, one after the other. A mold is the range of places that
    its fields have there, and is known by its number. The columns of a whole pass are then one
    look-up, however many records the pass has.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[Hashable, ...], int] = {}
        self._runs: list[NDArray[np.intp]] = []
        self._used = 0
        self._ids = np.zeros(0, np.int32)
        self._factors = np.zeros((0, 4))
        self._shapes: dict[tuple[int, ...], Shape] = {}
        self.find = self._numbers.get

    def learn(
        self, key: tuple[Hashable, ...], ids: list[int], factors: NDArray[np.float64]
    ) -> int | None:
        """Remember the series of each field of a record, and what it is to be multiplied with.

        Returns the mold; None when there were too many, and all are forgotten.
        """
        if len(self._runs) >= MOLDS_KEPT:
            self._numbers.clear()
            self._runs.clear()
            self._shapes.clear()
            self._used = 0
            return None
        begin, self._used = self._used, self._used + len(ids)
        self._ids = extended(self._ids, self._used, 0)
        self._factors = extended(self._factors, self._used, 0)
        self._ids[begin : self._used] = ids
        self._factors[begin : self._used] = factors
        mold = self._numbers[key] = len(self._runs)
        self._runs.append(np.arange(begin, self._used))
        return mold

    def shape(self, sizes: tuple[int, ...]) -> Shape:
        """Return the columns of a pass: of each record the mold, and how many moments it has."""
        shape = self._shapes.get(sizes)
        if shape is None:
            if len(self._shapes) >= SHAPES_KEPT:
                self._shapes.clear()
            shape = self._shapes[sizes] = self._make(sizes)
        return shape

    def _make(self, sizes: tuple[int, ...]) -> Shape:
        runs: list[NDArray[np.intp]] = []
        moments: list[int] = []
        seen = 0
        for mold, count in zip(sizes[::2], sizes[1::2], strict=True):
            run = self._runs[mold]
            runs.append(run.repeat(count))
            # Field by field, each at all moments of its record.
            moments += list(range(seen, seen + count)) * len(run)
            seen += count
        places = np.concatenate(runs)
        factors = self._factors[places].T
        shape = Shape(
            self._ids[places],
            np.full(len(places), NO_STEP, np.int64),
            np.array(moments),
            factors,
            plain=bool((factors[:2] == 1).all()),
        )
        # Ids and steps go into the rows of many ticks.
        shape.ids.flags.writeable = shape.step.flags.writeable = False
        return shape


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A pass as columns: each reading's series and plan.

    Attributes
    ----------
    ids : (n,) int32
    step : (n,) int64
    moments : (n,) int64
        Which of the moments of all records it is of.
    factors : (4, n) float64
        Multiply, divide, lowest, highest.
    plain : bool
        Nothing is to be multiplied or divided.
    """

    ids: NDArray[np.int32]
    step: NDArray[np.int64]
    moments: NDArray[np.int64]
    factors: NDArray[np.float64]
    plain: bool
