"""Values that a user logged and no axis has a place for: infinities, and NaN as a value.

Where values travel they are finite, or NaN for a missing reading, so that means, ranges and JSON
stay sound. What was logged otherwise is told beside them, one record a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pulse_widgets.series.columns import missing
from pulse_widgets.series.header import ODD_MOST, OddWire
from pulse_widgets.series.rows import NO_STEP, Rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pulse_widgets.series.columns import Columns

__all__ = ["odd_between", "odd_in", "odd_of"]

_WORDS: Final = {np.inf: "inf", -np.inf: "-inf"}


def odd_of(rows: Rows) -> tuple[OddWire, ...]:
    """Return the records of rows as they are stored; of many the last `ODD_MOST`.

    A reading that is missing has none.
    """
    odd = np.flatnonzero(~np.isfinite(rows.value))
    odd = odd[~missing(rows.value[odd])][-ODD_MOST:]
    columns = (each[odd].tolist() for each in (rows.series, rows.time, rows.step, rows.value))
    return tuple(
        OddWire(one, at / 1e6, None if a_step == NO_STEP else a_step, _WORDS.get(what, "nan"))
        for one, at, a_step, what in zip(*columns, strict=True)
    )


def odd_in(number: int, columns: Columns) -> tuple[OddWire, ...]:
    """Return the records of the rows of one series, whose id is `number`."""
    ids = np.full(len(columns), number, np.int32)
    return odd_of(Rows(ids, columns.time, columns.step, columns.value))


def odd_between(
    odd: Iterable[OddWire], ids: Collection[int], t0_s: float, t1_s: float
) -> tuple[OddWire, ...]:
    """Return the records of some series between two Unix times, both inclusive."""
    wanted = frozenset(ids)
    return tuple(one for one in odd if one.series in wanted and t0_s <= one.time <= t1_s)
