"""The layout of records: which series each field goes to and how it is scaled.

It is worked out once for every shape of record, so that later passes are a few array operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.series.grid import extended
from pulse_widgets.series.rows import NO_STEP

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

__all__ = ["LAYOUTS_KEPT", "PASS_LAYOUTS_KEPT", "PassLayout", "RecordLayouts"]

LAYOUTS_KEPT: Final = 4096
"""Record layouts remembered; processes come and go, and each is an entity."""
PASS_LAYOUTS_KEPT: Final = 64
"""Pass layouts remembered; a source has a handful, and bursts of samples make more."""


class RecordLayouts:
    """The layouts of all shapes of record seen so far whose fields are all known numbers.

    All layouts lie in the same columns, one after the other. A layout is the range of indices of
    its fields there, and is known by its number. The columns of a whole pass are then one
    look-up, however many records the pass has.
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[Hashable, ...], int] = {}
        self._runs: list[NDArray[np.intp]] = []
        self._used = 0
        self._ids = np.zeros(0, np.int32)
        self._factors = np.zeros((0, 4))
        self._passes: dict[tuple[int, ...], PassLayout] = {}
        self.find = self._numbers.get

    def learn(
        self, key: tuple[Hashable, ...], ids: list[int], factors: NDArray[np.float64]
    ) -> int | None:
        """Remember the series of each field of a record, and what it is to be multiplied with.

        Returns the layout; None when there were too many, and all are forgotten.
        """
        if len(self._runs) >= LAYOUTS_KEPT:
            self._numbers.clear()
            self._runs.clear()
            self._passes.clear()
            self._used = 0
            return None
        begin, self._used = self._used, self._used + len(ids)
        self._ids = extended(self._ids, self._used, 0)
        self._factors = extended(self._factors, self._used, 0)
        self._ids[begin : self._used] = ids
        self._factors[begin : self._used] = factors
        layout = self._numbers[key] = len(self._runs)
        self._runs.append(np.arange(begin, self._used))
        return layout

    def of_pass(self, sizes: tuple[int, ...]) -> PassLayout:
        """Return the columns of a pass: of each record the layout, and how many moments it has."""
        columns = self._passes.get(sizes)
        if columns is None:
            if len(self._passes) >= PASS_LAYOUTS_KEPT:
                self._passes.clear()
            columns = self._passes[sizes] = self._make(sizes)
        return columns

    def _make(self, sizes: tuple[int, ...]) -> PassLayout:
        runs: list[NDArray[np.intp]] = []
        moments: list[int] = []
        seen = 0
        for layout, count in zip(sizes[::2], sizes[1::2], strict=True):
            run = self._runs[layout]
            runs.append(run.repeat(count))
            # Field by field, each at all moments of its record.
            moments += list(range(seen, seen + count)) * len(run)
            seen += count
        places = np.concatenate(runs)
        factors = self._factors[places].T
        columns = PassLayout(
            self._ids[places],
            np.full(len(places), NO_STEP, np.int64),
            np.array(moments),
            factors,
            plain=bool((factors[:2] == 1).all()),
        )
        # Ids and steps go into the rows of many ticks.
        columns.ids.flags.writeable = columns.step.flags.writeable = False
        return columns


@dataclass(frozen=True, slots=True, eq=False)
class PassLayout:
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
