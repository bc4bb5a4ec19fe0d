"""The values of a series that are drawn: of a counter its rate, else the values as stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pulse_widgets.metrics.kinds import COUNTER, kind_stored_as
from pulse_widgets.metrics.rates import rate
from pulse_widgets.series.gaps import gaps_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pulse_widgets.series.columns import Columns

__all__ = ["rates_of", "rates_within", "shown_values"]


def shown_values(kind: str, columns: Columns, entity: str = "user") -> NDArray[np.float64]:
    """Return what is drawn of a series: its values, of a counter the rate.

    Parameters
    ----------
    kind : str
    columns : Columns
    entity : str
        With the entity of a counter that is read at a rate, the rate across a silence is NaN.
    """
    counts = kind_stored_as(kind).cumulative
    return rates_of(columns, kind, entity) if counts else columns.value


def rates_of(
    columns: Columns, kind: str = COUNTER.stored, entity: str = "user"
) -> NDArray[np.float64]:
    """Return the rate of each row of a counter; see `shown_values`."""
    rates = rates_within(columns.time - columns.time[:1].sum(), columns.value)
    rates[gaps_of(columns.time, columns.value, kind, entity).silent] = np.nan
    return rates


def rates_within(
    elapsed_us: NDArray[np.int64], reading: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the rate of each reading since the one before it; of the first it is NaN.

    Parameters
    ----------
    elapsed_us : (n,) int64
        Microseconds since the first row of the series: these are exact as seconds in a float.
    reading : (n,) float64
    """
    with np.errstate(invalid="ignore", over="ignore"):  # infinity less infinity is simply not known
        return rate(elapsed_us / 1e6, reading)
