"""Which row of the grids of a history belongs to which series, and its newest value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pulse_widgets.series.grid import extended

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SlotTable"]


class SlotTable:
    """Gives each series a slot: the number of its row in the arrays of every grid.

    Many series are text and are never drawn, so a series gets a slot only when its first row
    arrives.

    Attributes
    ----------
    slot : (ids,) int32
        Id to slot, -1 where there is none.
    step_slot : (slots,) int32
        Slot to its row in the arrays of steps, -1 where it has none.
    last : (slots,) float64
        Newest value, NaN where that reading is missing.
    last_us : (slots,) int64
        Its time.
    count, stepped : int
        Slots, and those with steps.
    """

    def __init__(self) -> None:
        self.slot = np.zeros(0, np.int32)
        self.step_slot = np.zeros(0, np.int32)
        self.last = np.zeros(0)
        self.last_us = np.zeros(0, np.int64)
        self.count = self.stepped = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(a.nbytes for a in (self.slot, self.step_slot, self.last, self.last_us))

    def of(self, series: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the slot of each row; series that are new get theirs."""
        self.slot = extended(self.slot, int(series.max()) + 1, -1)
        slots = self.slot[series]
        if slots.min() < 0:
            fresh = np.unique(series[slots < 0])
            self.slot[fresh] = np.arange(self.count, self.count + len(fresh))
            self.count += len(fresh)
            self.step_slot = extended(self.step_slot, self.count, -1)
            self.last = extended(self.last, self.count, np.nan)
            self.last_us = extended(self.last_us, self.count, np.iinfo(np.int64).min)
            slots = self.slot[series]
        return slots.astype(np.int64)

    def give_steps(self, slots: NDArray[np.int64]) -> None:
        """Give these slots a step slot each, if they have none yet."""
        fresh = np.unique(slots[self.step_slot[slots] < 0])
        self.step_slot[fresh] = np.arange(self.stepped, self.stepped + len(fresh))
        self.stepped += len(fresh)

    def note(
        self, slots: NDArray[np.int64], time: NDArray[np.int64], value: NDArray[np.float64]
    ) -> None:
        """Take in the values of rows that are sorted by time."""
        # Of rows at one time the last to arrive counts: numpy keeps the last value assigned.
        newer = time >= self.last_us[slots]
        self.last[slots[newer]] = value[newer]
        self.last_us[slots[newer]] = time[newer]

    def retire(self, gone: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Free some slots; return the old numbers of the slots and step slots that stay."""
        stay = np.flatnonzero(~gone)
        fresh = np.where(gone, -1, np.cumsum(~gone) - 1).astype(np.int32)
        used = self.slot >= 0
        self.slot[used] = fresh[self.slot[used]]
        step_slot = self.step_slot[stay]
        stepped = step_slot >= 0
        step_slots = step_slot[stepped].astype(np.int64)
        step_slot[stepped] = np.arange(len(step_slots))
        self.step_slot, self.last, self.last_us = step_slot, self.last[stay], self.last_us[stay]
        self.count, self.stepped = len(stay), len(step_slots)
        return stay, step_slots
